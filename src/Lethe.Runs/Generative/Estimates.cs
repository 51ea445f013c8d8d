namespace Lethe.Runs.Generative;

/// <summary>What a run is expected to take, from what was measured on two cores of a common server processor (docs/benchmarks.md).</summary>
internal static class Estimates
{
    // Multiply-adds of one image through the paper's model, forward; training takes three times as much.
    private const double FlopPerImage = 2 * 1.08e6;
    private const double FlopPerSecond = 60e9;

    public static RunEstimate Of(ImageUnlearnPlan plan)
    {
        var images = Training(plan.Base)
            + (plan.Relearn.Enabled ? plan.Forget.Count * (Training(plan.Relearn.Control ?? plan.Base) + 2.0 * plan.Relearn.Steps * 256) : 0)
            + plan.Fisher.Samples
            + (double)(plan.Method.Steps + plan.Method.ColumnSteps) * (plan.Method.ForgetBatch + plan.Method.ReplayBatch);
        var seconds = 3 * images * FlopPerImage / FlopPerSecond
            + (plan.Judge is TrainedJudge judge ? judge.Training.Epochs * 15 : 0)
            + 15; // reading two models
        return new RunEstimate(TimeSpan.FromSeconds(seconds), 1L << 30, Disk(plan), "at about 60 GFLOP/s, nothing found in the cache");
    }

    // Models of 4 MiB, Fisher information for each condition, checkpoints of twice three models, readings.
    public static long Disk(ImageUnlearnPlan plan) => (150L + 10 * plan.Forget.Count) << 20;

    private static double Training(ModelPlan plan) => plan is TrainedModel trained ? (double)trained.Training.Steps * trained.Training.Batch : 0;
}
