using Lethe.Evaluation;

namespace Lethe.Runs.Results;

/// <summary>sweep.json: the trade-off between forgetting and keeping over a grid of options, usually the strength dial. Every key is documented in docs/metrics.md.</summary>
/// <param name="Title">The plan's title.</param>
/// <param name="Points">One point for each value of the grid and seed.</param>
public sealed record SweepResult(string Title, IReadOnlyList<SweepPoint> Points)
{
    /// <summary>Version of this layout.</summary>
    public string Schema { get; init; } = "lethe.sweep/1";

    /// <summary>Names of points that other shards have not finished yet; empty in sweep.json, which is written when all are there.</summary>
    public IReadOnlyList<string> Pending { get; init; } = [];
}

/// <summary>One run of a sweep.</summary>
/// <param name="Options">The swept options with their values here, by plan path, for example "method.strength".</param>
/// <param name="Seed">Seed of this run.</param>
/// <param name="Forget">Probability of the forgotten class after.</param>
/// <param name="Share">Share judged as the forgotten class after.</param>
/// <param name="RetainAccuracy">Accuracy of the retained conditions after.</param>
/// <param name="RetainElboChange">Mean change of the retained conditions' −ELBO, nats an image.</param>
/// <param name="OnFront">Whether no other point is at least as good in share and in change of −ELBO and better in one of them, by their values.</param>
/// <param name="Run">Folder of the run, below the sweep's; also the run's id.</param>
public sealed record SweepPoint(IReadOnlyDictionary<string, object?> Options, long Seed, Measure Forget, Measure Share, Measure RetainAccuracy, Measure RetainElboChange, bool OnFront, string Run);
