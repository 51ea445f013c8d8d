using Lethe.Evaluation.Statistics;

namespace Lethe.Benchmarks.SelectiveAmnesiaVae;

/// <summary>Whether a result with fewer Fisher samples is as good as with the most.</summary>
internal static class Comparison
{
    // Positive is worse.
    private static readonly (string Name, Func<QualityFigures, double> Value, double Worse)[] Measures =
    [
        ("probability", figures => figures.Probability.Value, 1),
        ("entropy", figures => figures.Entropy.Value, -1),
        ("share", figures => figures.Share.Value, 1),
        ("forgotten_negative_elbo", figures => figures.ForgottenNegativeElbo.Value, -1),
        ("retained_rise", figures => figures.RetainedRise.Value, 1),
        ("retained_accuracy", figures => figures.RetainedAccuracy.Value, -1),
    ];

    public static SampleCount Of(long samples, ForgettingRun[] runs, ForgettingRun[] most, Goals goals)
    {
        var differences = Measures.ToDictionary(measure => measure.Name, measure => Difference(runs, most, measure.Value, measure.Worse));
        return new SampleCount(samples, Median(runs.Select(run => run.FisherSeconds)), runs.All(run => Keeps(run.Quality, goals)),
            differences, differences.Values.All(figure => figure.Value <= (figure.StandardError ?? 0)), runs);
    }

    public static Ratios? Ratios(PeerResult? peer, OwnResult? own)
    {
        if (peer is null || own is null)
            return null;
        var most = own.Counts[^1];
        var enough = own.Counts.FirstOrDefault(count => count.MeetsGoals && count.NotWorse);
        var forgetting = Median(most.Runs.Select(run => run.Seconds));
        return new Ratios(
            peer.Fisher.WholeSeconds / Median(own.FisherSeconds), peer.Fisher.WholeSeconds / own.FisherSeconds.Min(),
            enough is null ? null : peer.Fisher.WholeSeconds / enough.FisherMedianSeconds, enough?.Samples,
            peer.Forgetting.WholeSeconds / forgetting,
            (peer.Forgetting.WholeSeconds + peer.Fisher.WholeSeconds) / (forgetting + Median(own.FisherSeconds)),
            peer.Training.WholeSeconds / (own.TrainingStep.Seconds * own.TrainingSteps),
            own.WholeTraining is { } whole ? peer.Training.WholeSeconds / whole.Seconds : null);
    }

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static bool Keeps(QualityFigures quality, Goals goals) =>
        quality.Probability.Value <= goals.Probability && quality.Entropy.Value >= goals.Entropy && quality.Share.Value <= goals.Share
        && quality.ForgottenNegativeElbo.Value >= goals.ForgottenNegativeElbo && quality.RetainedRise.Value <= goals.RetainedRise
        && quality.RetainedAccuracy.Value >= goals.RetainedAccuracy;

    // Seeds draw different Fisher samples too, so the two sets of runs are independent: standard errors add in squares.
    private static Figure Difference(ForgettingRun[] runs, ForgettingRun[] most, Func<QualityFigures, double> value, double worse)
    {
        var few = Mean.Of([.. runs.Select(run => value(run.Quality))]);
        var all = Mean.Of([.. most.Select(run => value(run.Quality))]);
        double? error = few.StandardError is { } a && all.StandardError is { } b ? Math.Sqrt(a * a + b * b) : null;
        return new Figure(worse * (few.Value - all.Value), error);
    }
}
