using Lethe.Evaluation.Language;
using Lethe.Runs.Results;

namespace Lethe.Runs.Language.Studies;

/// <summary>What tuning found out about one configuration so far.</summary>
/// <param name="Plan">The configuration.</param>
internal sealed record Tuned(StudyConfigurationPlan Plan)
{
    /// <summary>What each round read.</summary>
    public List<StudyReading> Rounds { get; } = [];

    /// <summary>The round, from 1, after which it was dropped; null while it is in.</summary>
    public int? Fell { get; set; }
}

/// <summary>What a method is reported with.</summary>
/// <param name="Name">The configuration.</param>
/// <param name="WithinBound">Whether it kept within the bound; false where none did, and the cheapest was taken.</param>
internal sealed record Choice(string Name, bool WithinBound);

/// <summary>Successive halving: who goes on, and who is chosen.</summary>
internal static class StudyHalving
{
    /// <summary>The better share of a method's configurations, rounded up, at least one: those within the bound first, by what they forget, then the cheapest.</summary>
    /// <param name="figures">The configurations.</param>
    /// <param name="keep">The share.</param>
    /// <param name="bound">What may be lost.</param>
    public static IReadOnlyList<string> Kept(IReadOnlyList<UtilityFigures> figures, double keep, UtilityBound bound) =>
        // 0.1 · 30 is a little more than 3 in floating point.
        [.. EqualUtility.Ranked(figures, bound).Take(Math.Max(1, (int)Math.Ceiling(keep * figures.Count - 1e-9))).Select(verdict => verdict.Figures.Name)];

    /// <summary>The most forgetting configuration within the bound; where there is none, the one that costs least.</summary>
    /// <param name="figures">The configurations that came to the last round.</param>
    /// <param name="bound">What may be lost.</param>
    public static Choice Choose(IReadOnlyList<UtilityFigures> figures, UtilityBound bound) => EqualUtility.Choose(figures, bound).Chosen is { } chosen
        ? new Choice(chosen.Name, true)
        : new Choice(EqualUtility.Ranked(figures, bound)[0].Figures.Name, false);

    /// <summary>The strongest baseline: the chosen configuration that forgets most within the bound; where none is within, the one that costs least.</summary>
    /// <param name="baselines">The chosen configurations' figures, by their methods' names.</param>
    /// <param name="bound">What may be lost.</param>
    public static string Strongest(IReadOnlyList<UtilityFigures> baselines, UtilityBound bound) => EqualUtility.Ranked(baselines, bound)[0].Figures.Name;

    /// <summary>What a configuration is judged by; a run that failed has no figures and breaks every bound.</summary>
    public static UtilityFigures Utility(string name, StudyReading reading) =>
        reading.Figures?.Utility(name) ?? new UtilityFigures(name, double.NaN, double.NaN, double.NaN, double.NaN);
}
