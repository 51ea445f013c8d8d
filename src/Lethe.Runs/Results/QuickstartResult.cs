using Lethe.Evaluation;

namespace Lethe.Runs.Results;

/// <summary>What <c>quickstart --json</c> prints: both parts of the demo. Every key is documented in docs/metrics.md.</summary>
/// <param name="Images">result.json of the image model's run; null where only the language part was asked for.</param>
/// <param name="Language">The language model and the methods that made it forget; null where only images were asked for.</param>
public sealed record QuickstartResult(ImageUnlearnResult? Images, QuickstartLanguageResult? Language)
{
    /// <summary>Version of this layout.</summary>
    public string Schema { get; init; } = "lethe.quickstart/1";
}

/// <summary>The language part of the demo: one topic, forgotten by several methods from the same model.</summary>
/// <param name="Result">result.json of the first method's run, which has the report.</param>
/// <param name="Methods">What each method did, in the order of the sweep.</param>
/// <param name="NeverKnew">The model that never knew the topic; null where the plan names none.</param>
public sealed record QuickstartLanguageResult(LanguageUnlearnResult Result, IReadOnlyList<QuickstartMethod> Methods, QuickstartControl? NeverKnew)
{
    /// <summary>Puts the runs of a sweep beside each other.</summary>
    /// <param name="runs">The runs, that with the report first.</param>
    public static QuickstartLanguageResult Of(IReadOnlyList<LanguageUnlearnResult> runs) => new(runs[0], [.. runs.Select(QuickstartMethod.Of)], QuickstartControl.Of(runs[0]));
}

/// <summary>What a method did to the model of the demo.</summary>
/// <param name="Method">The method's kind.</param>
/// <param name="SwapBefore">Swap accuracy of trained entities in unseen words, before.</param>
/// <param name="SwapAfter">The same after.</param>
/// <param name="GapClosed">Share of the gap that is closed; null where there is none.</param>
/// <param name="RetainChange">Change of the mean over topics that had to stay.</param>
/// <param name="WorstTopic">The topic that lost most.</param>
/// <param name="WorstChange">Its change.</param>
/// <param name="PerplexityBefore">Perplexity of other text before.</param>
/// <param name="PerplexityAfter">The same after.</param>
/// <param name="Seconds">Seconds of choosing features and of forgetting; measuring is left out, and so is training the sparse autoencoder.</param>
/// <param name="Run">Folder of the run, below the sweep's.</param>
public sealed record QuickstartMethod(
    string Method, Measure SwapBefore, Measure SwapAfter, Measure? GapClosed, Measure RetainChange, string WorstTopic, double WorstChange, double PerplexityBefore, double PerplexityAfter, double Seconds, string Run)
{
    // The stages that a method needs, in place of those that measure it.
    private static readonly string[] Stages = ["score", "check-layers", "subspaces", "inputs", "values", "forget"];

    internal static QuickstartMethod Of(LanguageUnlearnResult run) => new(
        run.Method.Name, run.Forget.Trained.SwapBefore, run.Forget.Trained.SwapAfter, run.Forget.Trained.GapClosed, run.Retain.Change, run.Retain.WorstTopic, run.Retain.WorstChange,
        run.Perplexity.Before, run.Perplexity.After, Stages.Sum(stage => run.Cost.Seconds.GetValueOrDefault(stage)), run.Run.Id);
}

/// <summary>The model that never knew the topic, beside the one that forgets: where it differs elsewhere, two trainings differ.</summary>
/// <param name="Swap">Its swap accuracy on the topic to forget.</param>
/// <param name="RetainChange">Its mean over topics that had to stay, less that of the model before forgetting.</param>
/// <param name="WorstTopic">The topic in which it is furthest below.</param>
/// <param name="WorstChange">By how much; negative where it is below.</param>
/// <param name="Perplexity">Its perplexity of other text.</param>
public sealed record QuickstartControl(Measure Swap, double RetainChange, string WorstTopic, double WorstChange, double Perplexity)
{
    internal static QuickstartControl? Of(LanguageUnlearnResult run)
    {
        if (run.Forget.Trained.SwapNeverKnew is not { } swap || run.Retain.SwapNeverKnew is not { } retained || run.Perplexity.NeverKnew is not { } perplexity)
            return null;
        var (change, topic) = run.Retain.Topics.Where(topic => topic.Knowledge.SwapNeverKnew is not null).Min(topic => (topic.Knowledge.SwapNeverKnew!.Value - topic.Knowledge.SwapBefore.Value, topic.Topic));
        return new QuickstartControl(swap, retained.Value - run.Retain.SwapBefore.Value, topic, change, perplexity);
    }
}
