using Lethe.Runs;

namespace Lethe.Benchmarks.SelectiveAmnesiaVae;

/// <summary>What the benchmark measured; all times in seconds.</summary>
internal sealed record BenchmarkResult
{
    /// <summary>Whether only a few steps were taken, so that no figure means anything.</summary>
    public required bool Quick { get; init; }
    public required MachineFacts Machine { get; init; }
    public required PeerResult? Peer { get; init; }
    public required OwnResult? Lethe { get; init; }
    public required Ratios? Ratios { get; init; }
}

/// <summary>Seconds a step (or sample, or batch) over so many of them.</summary>
internal sealed record Rate(double Seconds, int Steps);

/// <summary>The peer's rates in one setting.</summary>
internal sealed record PeerSetting(
    string Torch, int Threads, string WaitPolicy, Rate FisherSample, Rate ForgettingStep, Rate TrainingStep, Rate LoaderBatch);

/// <summary>The best of the settings for one loop, and what the whole loop takes at that rate.</summary>
internal sealed record PeerBest(double Seconds, int Steps, int Threads, string WaitPolicy, long WholeSteps)
{
    /// <summary>Extrapolated: the rate times the published number of steps.</summary>
    public double WholeSeconds => Seconds * WholeSteps;
}

/// <summary>The peer.</summary>
internal sealed record PeerResult(IReadOnlyList<PeerSetting> Settings, PeerBest Fisher, PeerBest Forgetting, PeerBest Training, PeerBest Loader);

/// <summary>A measure's value and its own standard error.</summary>
internal sealed record Figure(double Value, double? StandardError);

/// <summary>How well a model has forgotten the digit and kept the others.</summary>
/// <param name="Probability">Judge's probability of the forgotten digit on its samples.</param>
/// <param name="Entropy">Judge's entropy on them, nats.</param>
/// <param name="Share">Share of them judged as the digit.</param>
/// <param name="ForgottenNegativeElbo">−ELBO of real test images of the digit, nats an image.</param>
/// <param name="RetainedRise">Rise of −ELBO of real test images of the other digits against the base model, common noise, nats an image.</param>
/// <param name="RetainedAccuracy">Share of the other digits' samples judged as asked.</param>
internal sealed record QualityFigures(Figure Probability, Figure Entropy, Figure Share, Figure ForgottenNegativeElbo, Figure RetainedRise, Figure RetainedAccuracy);

/// <summary>One whole forgetting run.</summary>
/// <param name="Seed">Its seed.</param>
/// <param name="FisherSamples">Samples behind its Fisher information.</param>
/// <param name="FisherSeconds">What they took.</param>
/// <param name="Seconds">Forgetting alone: pools, validation and all steps.</param>
/// <param name="Steps">Steps taken, both stages.</param>
/// <param name="CriterionMet">Whether the stop criterion ended it.</param>
/// <param name="Quality">The result.</param>
internal sealed record ForgettingRun(ulong Seed, long FisherSamples, double FisherSeconds, double Seconds, long Steps, bool CriterionMet, QualityFigures Quality);

/// <summary>The runs with one number of Fisher samples.</summary>
/// <param name="Samples">The number.</param>
/// <param name="FisherMedianSeconds">Median time of the estimates.</param>
/// <param name="MeetsGoals">Whether every seed's result meets every goal.</param>
/// <param name="Differences">For each measure, how much worse than with the most samples (positive is worse), and the standard error of that over seeds.</param>
/// <param name="NotWorse">Whether no difference is above its standard error.</param>
/// <param name="Runs">One for each seed.</param>
internal sealed record SampleCount(long Samples, double FisherMedianSeconds, bool MeetsGoals, IReadOnlyDictionary<string, Figure> Differences, bool NotWorse, IReadOnlyList<ForgettingRun> Runs);

/// <summary>The limits that a result has to keep, from what the judge makes of grey.</summary>
internal sealed record Goals(double Probability, double Entropy, double Share, double ForgottenNegativeElbo, double RetainedRise, double RetainedAccuracy);

/// <summary>The whole training of the default options.</summary>
internal sealed record WholeTraining(double Seconds, long Steps, int Batch, Figure TestNegativeElbo);

/// <summary>Lethe.</summary>
/// <param name="Threads">Threads.</param>
/// <param name="FisherSeconds">Whole estimates over the most samples, one after another.</param>
/// <param name="Counts">Forgetting by number of Fisher samples.</param>
/// <param name="TrainingStep">Seconds a training step of the default options.</param>
/// <param name="TrainingSteps">Steps of the default options.</param>
/// <param name="Goals">What a result has to keep.</param>
/// <param name="Published">The peer's published result by the same measures.</param>
/// <param name="BaseAccuracy">Retained digits' samples of the base model judged as asked.</param>
/// <param name="WholeTraining">If it was asked for.</param>
internal sealed record OwnResult(
    int Threads, IReadOnlyList<double> FisherSeconds, IReadOnlyList<SampleCount> Counts, Rate TrainingStep, long TrainingSteps,
    Goals Goals, QualityFigures Published, Figure BaseAccuracy, WholeTraining? WholeTraining);

/// <summary>The peer's time divided by Lethe's; whole loops.</summary>
/// <param name="FisherSameSamples">Over the same number of samples, Lethe's median.</param>
/// <param name="FisherSameSamplesBest">The same with Lethe's fastest.</param>
/// <param name="FisherEqualQuality">With the fewest samples whose result is no worse; null if no number passes.</param>
/// <param name="FisherEqualQualitySamples">That number.</param>
/// <param name="Forgetting">Forgetting alone, median over seeds with the most Fisher samples.</param>
/// <param name="ForgettingWithFisher">Forgetting and the Fisher estimate, both sides.</param>
/// <param name="TrainingByRate">The peer's whole training against Lethe's default number of steps at its rate; says nothing of quality.</param>
/// <param name="TrainingWhole">Against Lethe's whole training, measured; null unless it was asked for.</param>
internal sealed record Ratios(
    double FisherSameSamples, double FisherSameSamplesBest, double? FisherEqualQuality, long? FisherEqualQualitySamples,
    double Forgetting, double ForgettingWithFisher, double TrainingByRate, double? TrainingWhole);
