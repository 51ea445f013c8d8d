using System.Globalization;
using System.Text;

namespace Lethe.Benchmarks.SelectiveAmnesiaVae;

/// <summary>The result as Markdown tables, as docs/benchmarks.md takes them.</summary>
internal static class Table
{
    public static string Markdown(BenchmarkResult result)
    {
        var text = new StringBuilder();
        if (result.Quick)
            text.AppendLine("A smoke run of a few steps: no figure here means anything.\n");
        text.AppendLine(CultureInfo.InvariantCulture, $"{result.Machine.Processor}, {result.Machine.Cores} cores; libtorch {result.Machine.Libtorch ?? "not used"}; Lethe {result.Machine.Lethe}.\n");
        if (result is { Peer: { } peer, Lethe: { } own, Ratios: { } ratios })
            Ratio(text, peer, own, ratios);
        if (result.Lethe is { } lethe)
            QualityOf(text, lethe);
        if (result.Peer is { } measured)
            Settings(text, measured);
        return text.ToString();
    }

    private static void Ratio(StringBuilder text, PeerResult peer, OwnResult own, Ratios ratios)
    {
        var most = own.Counts[^1];
        var forgetting = Comparison.Median(most.Runs.Select(run => run.Seconds));
        var fisher = Comparison.Median(own.FisherSeconds);
        var training = own.TrainingStep.Seconds * own.TrainingSteps;
        text.AppendLine("| whole job | peer, extrapolated | Lethe | ratio | goal |\n| --- | --- | --- | --- | --- |");
        Row(text, $"Fisher, the same {most.Samples} samples", Seconds(peer.Fisher.WholeSeconds), $"{Seconds(fisher)} (median; best {Seconds(own.FisherSeconds.Min())})", ratios.FisherSameSamples, 60);
        if (ratios.FisherEqualQuality is { } equal)
            Row(text, $"Fisher at equal final quality ({ratios.FisherEqualQualitySamples} samples)", Seconds(peer.Fisher.WholeSeconds), Seconds(own.Counts.First(count => count.Samples == ratios.FisherEqualQualitySamples).FisherMedianSeconds), equal, 100);
        else
            text.AppendLine("| Fisher at equal final quality | | no number of samples passed | | 100 |");
        Row(text, "forgetting 0, without Fisher", Seconds(peer.Forgetting.WholeSeconds), $"{Seconds(forgetting)} ({most.Runs.Min(run => run.Steps)}–{most.Runs.Max(run => run.Steps)} steps)", ratios.Forgetting, 8);
        Row(text, "forgetting 0, with Fisher", Seconds(peer.Forgetting.WholeSeconds + peer.Fisher.WholeSeconds), Seconds(forgetting + fisher), ratios.ForgettingWithFisher, null);
        if (own.WholeTraining is { } whole && ratios.TrainingWhole is { } trained)
            Row(text, $"training (peer −ELBO 96.84, Lethe {Number(whole.TestNegativeElbo)})", Seconds(peer.Training.WholeSeconds), $"{Seconds(whole.Seconds)} ({whole.Steps} steps)", trained, 2);
        else
            Row(text, $"training by rate, {own.TrainingSteps} steps (bound not measured: --whole-training)", Seconds(peer.Training.WholeSeconds), Seconds(training), ratios.TrainingByRate, 2);
        text.AppendLine();
    }

    private static void QualityOf(StringBuilder text, OwnResult own)
    {
        text.AppendLine("| result of forgetting 0 | Fisher samples | Fisher | forgetting | steps | p | entropy | share | −ELBO of real zeros | retained rise | retained accuracy |");
        text.AppendLine("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        var goals = own.Goals;
        text.AppendLine(CultureInfo.InvariantCulture, $"| goal | | | | | ≤ {goals.Probability:F4} | ≥ {goals.Entropy:F4} | ≤ {goals.Share:F4} | ≥ {goals.ForgottenNegativeElbo:F1} | ≤ {goals.RetainedRise:F2} | ≥ {goals.RetainedAccuracy:F4} |");
        text.AppendLine($"| peer, published weights | 50000 | | | 10000 | {Cells(own.Published)} |");
        foreach (var run in own.Counts.SelectMany(count => count.Runs))
            text.AppendLine(CultureInfo.InvariantCulture, $"| Lethe, seed {run.Seed} | {run.FisherSamples} | {Seconds(run.FisherSeconds)} | {Seconds(run.Seconds)} | {run.Steps}{(run.CriterionMet ? "" : " (criterion not met)")} | {Cells(run.Quality)} |");
        text.AppendLine();
        text.AppendLine("| Fisher samples | worse than with the most samples by (standard error over seeds) | meets all goals | not worse |\n| --- | --- | --- | --- |");
        foreach (var count in own.Counts)
            text.AppendLine(CultureInfo.InvariantCulture, $"| {count.Samples} | {string.Join("; ", count.Differences.Select(entry => $"{entry.Key} {Number(entry.Value)}"))} | {count.MeetsGoals} | {count.NotWorse} |");
        text.AppendLine(CultureInfo.InvariantCulture, $"\nLethe's training step (128 images): {own.TrainingStep.Seconds * 1e3:F2} ms over {own.TrainingStep.Steps} steps, {own.Threads} thread(s).\n");
    }

    private static void Settings(StringBuilder text, PeerResult peer)
    {
        text.AppendLine("| peer's setting | Fisher sample | forgetting step | training step | loader's batch, apart |\n| --- | --- | --- | --- | --- |");
        foreach (var setting in peer.Settings)
            text.AppendLine(CultureInfo.InvariantCulture, $"| torch {setting.Torch}, {setting.Threads} thread(s), {setting.WaitPolicy} | {Milliseconds(setting.FisherSample)} | {Milliseconds(setting.ForgettingStep)} | {Milliseconds(setting.TrainingStep)} | {Milliseconds(setting.LoaderBatch)} |");
    }

    private static string Cells(QualityFigures q) => string.Join(" | ", Number(q.Probability), Number(q.Entropy), Number(q.Share), Number(q.ForgottenNegativeElbo), Number(q.RetainedRise), Number(q.RetainedAccuracy));

    private static string Number(Figure figure) => figure.StandardError is { } error
        ? string.Create(CultureInfo.InvariantCulture, $"{figure.Value:F4} ± {error:F4}")
        : figure.Value.ToString("F4", CultureInfo.InvariantCulture);

    private static string Seconds(double seconds) => string.Create(CultureInfo.InvariantCulture, $"{seconds:F2} s");

    private static string Milliseconds(Rate rate) => string.Create(CultureInfo.InvariantCulture, $"{rate.Seconds * 1e3:F2} ms ({rate.Steps})");

    private static void Row(StringBuilder text, string job, string peer, string lethe, double ratio, double? goal) =>
        text.AppendLine(CultureInfo.InvariantCulture, $"| {job} | {peer} | {lethe} | {ratio:F1} | {goal} |");
}
