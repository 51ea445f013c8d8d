namespace Lethe.Runs;

/// <summary>Where things lie in a run's folder; looking takes no lock.</summary>
/// <param name="Root">The run's folder, such as runs/mnist-vae-1f2e3d4c.</param>
public sealed record RunPaths(string Root)
{
    /// <summary>The run's name: that of its folder.</summary>
    public string Id => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(Root)));

    /// <summary>The resolved plan.</summary>
    public string Plan => Path.Combine(Root, "plan.yaml");

    /// <summary>One JSON object a line for each step of the run's training loops.</summary>
    public string Metrics => Path.Combine(Root, "metrics.jsonl");

    /// <summary>What the run found.</summary>
    public string Result => Path.Combine(Root, "result.json");

    /// <summary>The model that came out, in the layout of the one that went in.</summary>
    public string Model => Path.Combine(Root, "model");

    /// <summary>The report.</summary>
    public string Report => Path.Combine(Root, "report.html");

    /// <summary>What was computed from what, where and when.</summary>
    public string Provenance => Path.Combine(Root, "provenance.json");

    /// <summary>The artefacts.</summary>
    public string Stages => Path.Combine(Root, "stages");

    /// <summary>The artefact of a stage.</summary>
    public string Stage(string name) => Path.Combine(Stages, name);

    /// <summary>Unfinished work: half-written artefacts and checkpoints.</summary>
    public string Work => Path.Combine(Root, "work");

    /// <summary>The lock.</summary>
    public string Lock => Path.Combine(Root, "lock");
}
