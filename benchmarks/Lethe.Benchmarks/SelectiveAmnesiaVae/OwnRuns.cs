using System.Diagnostics;
using Lethe.Models.Generative;
using Lethe.Runs.Generative;
using Lethe.Torch;
using Lethe.Unlearning.Generative;

namespace Lethe.Benchmarks.SelectiveAmnesiaVae;

/// <summary>Lethe's runs, whole, with default options. On the torch thread.</summary>
internal static class OwnRuns
{
    public static OwnResult Run(BenchmarkOptions options, Action<string> say)
    {
        Engine.Threads = options.Threads;
        using var scope = new TensorScope();
        using var data = new DataSource(new DataPlan { Dataset = "mnist", Folder = options.Mnist }, "benchmark");
        using var published = Load(options, "vae");
        using var quality = new Quality(options, data);
        using var peersResult = Load(options, "vae_forgot_0");

        say("Lethe, Fisher information");
        var most = options.FisherSamples[^1];
        Fisher(published, Math.Min(most, 1_000), 0); // warm-up
        double[] fisherSeconds = [.. Enumerable.Range(0, options.FisherRounds).Select(round => Fisher(published, most, (ulong)round).Seconds)];

        say("Lethe, training rate");
        var trainingStep = TrainingRate(data, options);

        Forget(options, quality, Fisher(published, options.FisherSamples[0], 0), options.FisherSamples[0], 0); // warm-up
        var runs = new Dictionary<long, ForgettingRun[]>();
        foreach (var samples in options.FisherSamples)
        {
            say($"Lethe, forgetting with {samples} Fisher samples");
            runs[samples] = [.. options.Seeds.Select(seed => Forget(options, quality, Fisher(published, samples, seed), samples, seed))];
        }
        return new OwnResult(
            Engine.Threads, fisherSeconds, [.. options.FisherSamples.Select(samples => Comparison.Of(samples, runs[samples], runs[most], quality.Goals))],
            trainingStep, new LikelihoodTrainingOptions().Steps, quality.Goals, quality.Of(peersResult), quality.BaseAccuracy,
            options.WholeTraining ? TrainWhole(data, quality, options, say) : null);
    }

    private static (FisherInformation Information, double Seconds) Fisher(ConditionalVae model, long samples, ulong seed)
    {
        using var scope = new TensorScope();
        var start = Stopwatch.GetTimestamp();
        using var estimator = new FisherEstimator(model, new FisherOptions { Samples = samples }, seed);
        while (!estimator.Finished)
            estimator.Advance();
        var result = estimator.Result();
        return (result, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    private static ForgettingRun Forget(BenchmarkOptions options, Quality quality, (FisherInformation Information, double Seconds) fisher, long samples, ulong seed)
    {
        using var scope = new TensorScope();
        using var frozen = Load(options, "vae");
        using var model = Load(options, "vae");
        var method = new FixedSelectiveAmnesiaOptions();
        if (options.Quick)
            method = method with { ColumnSteps = 2, Steps = 3, CheckEvery = 2, ReplayPool = 200, ValidationSamples = 50 };
        var start = Stopwatch.GetTimestamp();
        using var forgetting = new SelectiveAmnesia(
            model, frozen, fisher.Information, [new ForgetTarget(Quality.Forgotten, new NoiseSurrogate(frozen))], Quality.Retained, method, seed);
        while (!forgetting.Finished)
            forgetting.Advance();
        forgetting.Finish();
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return new ForgettingRun(seed, samples, fisher.Seconds, seconds, forgetting.Step, forgetting.CriterionMet, quality.Of(model));
    }

    private static Rate TrainingRate(DataSource data, BenchmarkOptions options)
    {
        using var scope = new TensorScope();
        using var random = new RandomStream(1);
        using var model = new ConditionalVae(new ConditionalVaeOptions(), random);
        using var training = new LikelihoodTraining(model, data.Train, new LikelihoodTrainingOptions(), 1);
        for (var k = 0; k < options.TrainingWarmUp; k++)
            training.Advance();
        var start = Stopwatch.GetTimestamp();
        for (var k = 0; k < options.TrainingSteps; k++)
            training.Advance();
        return new Rate(Stopwatch.GetElapsedTime(start).TotalSeconds / options.TrainingSteps, options.TrainingSteps);
    }

    private static WholeTraining TrainWhole(DataSource data, Quality quality, BenchmarkOptions options, Action<string> say)
    {
        using var scope = new TensorScope();
        using var random = new RandomStream(1);
        using var model = new ConditionalVae(new ConditionalVaeOptions(), random);
        var plan = new LikelihoodTrainingOptions();
        if (options.Quick)
            plan = plan with { Steps = 5, WarmUp = 1 };
        say($"Lethe, whole training of {plan.Steps} steps");
        var start = Stopwatch.GetTimestamp();
        using var training = new LikelihoodTraining(model, data.Train, plan, 1);
        while (!training.Finished)
            training.Advance();
        training.Finish();
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return new WholeTraining(seconds, plan.Steps, plan.Batch, quality.TestNegativeElbo(model));
    }

    private static ConditionalVae Load(BenchmarkOptions options, string name) => ConditionalVae.FromState(ModelFiles.Read(options.Model(name)).Tensors);
}
