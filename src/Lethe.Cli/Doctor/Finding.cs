namespace Lethe.Cli.Doctor;

/// <summary>What a finding means for the user.</summary>
public enum FindingState
{
    /// <summary>As it should be.</summary>
    Ok,
    /// <summary>Something works worse, or not at all, without it; the rest works.</summary>
    Warning,
    /// <summary>Lethe does not work without it.</summary>
    Missing,
}

/// <summary>One thing that the doctor looked at.</summary>
/// <param name="Name">What was looked at, one or two words.</param>
/// <param name="State">What it means.</param>
/// <param name="Found">What was found, with numbers and units.</param>
/// <param name="Advice">What to do; null where nothing is to be done.</param>
public sealed record Finding(string Name, FindingState State, string Found, string? Advice = null);
