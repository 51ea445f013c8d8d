using System.ComponentModel.DataAnnotations;
using Lethe.Runs.Plans;
using Lethe.Torch;

namespace Lethe.Runs.KillTarget;

/// <summary>The plan of the toy pipeline.</summary>
public sealed record ToyPlan
{
    [PlanKey("Seed of all noise")]
    public long Seed { get; init; }

    [PlanKey("Steps of the longest training loop"), Range(1, 1_000_000)]
    public long Steps { get; init; } = 80;
}

/// <summary>A small pipeline with everything that a real one has: a stage that counts, loops with checkpoints, two loops in one stage, a stage of this run only, a result.</summary>
public static class ToyPipeline
{
    private static readonly EnvironmentFacts Facts = new("float64", "cpu", 1, "none");

    /// <summary>Runs it in a folder.</summary>
    /// <param name="runFolder">The run's folder.</param>
    /// <param name="cacheFolder">The shared cache.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="tick">Called after every piece of work.</param>
    /// <param name="progress">Who is told.</param>
    public static void Run(string runFolder, string cacheFolder, Plan<ToyPlan> plan, Action<string> tick, IProgressSink progress)
    {
        using var folder = RunFolder.Open(runFolder, plan, neededBytes: 1 << 16);
        using var runner = new StageRunner(folder, new StageRunnerOptions
        {
            Cache = new ArtefactCache(cacheFolder),
            Progress = progress,
            Training = new TrainingDriverOptions { CheckpointInterval = TimeSpan.FromMilliseconds(2), CheckpointShare = 1 },
        });
        var (seed, steps) = (plan.Value.Seed, plan.Value.Steps);

        var data = runner.Run(Stage("data", new { seed }), work =>
        {
            for (var part = 0; part < 20; part++)
            {
                File.WriteAllBytes(work.PathOf($"parts/{part}.bin"), [.. Enumerable.Range(0, 100).Select(i => (byte)(i * part + seed))]);
                work.Report(part + 1, 20);
                tick($"data {part}");
            }
        });
        var train = runner.Run(Stage("train", new { seed, steps }, data.As("data")), work =>
        {
            var loop = new ToyLoop(seed, 500, steps, onStep: step => tick($"train {step}"));
            work.Train(loop);
            File.WriteAllBytes(work.PathOf("weights.bin"), loop.Bytes());
        });
        var relearn = runner.Run(Stage("relearn", new { seed, steps }, train.As("model")), work =>
        {
            foreach (var (name, offset) in new[] { ("control", 1), ("forgotten", 2) })
            {
                var loop = new ToyLoop(seed + offset, 300, steps, stopBelow: 1, onStep: step => tick($"{name} {step}"));
                var outcome = work.Train(loop, name);
                work.Measure(outcome.Steps, [("final", loop.Weights[^1])], name + "-end");
                File.WriteAllBytes(work.PathOf($"{name}.bin"), loop.Bytes());
            }
        });
        runner.Run(Stage("export", null, relearn.As("model")) with { Shared = false }, work =>
        {
            tick("export begins");
            work.WriteJson("model.json", new { weights = CanonicalJson.Sha256(File.ReadAllBytes(train.PathOf("weights.bin"))) });
            tick("export ends");
        });
        folder.WriteResult(new { train = train.Content, relearn = relearn.Content });
        tick("result");
        runner.Complete();
    }

    private static Stage Stage(string name, object? options, params StageInput[] inputs) =>
        new() { Name = name, Method = "toy-" + name, Version = 1, Options = options, Inputs = inputs, Environment = Facts };
}
