using System.Text.Json;
using Lethe.Runs.Plans;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs;

/// <summary>
/// One unlearning run from plan to result, whatever forgets: the run's folder, its stages' runner, model/ and result.json. Each stage is an
/// artefact that is not computed twice; "after" is measured from the exported files.
/// </summary>
public static class UnlearnPipeline
{
    /// <summary>Runs a plan. Call on the torch thread.</summary>
    /// <returns>The result, which is also result.json in the folder, and the folder.</returns>
    /// <exception cref="UsageException">The plan asks for what cannot be.</exception>
    /// <exception cref="BadInputException">A model or data that the plan names are missing or damaged.</exception>
    /// <exception cref="RunCancelledException">The user stopped it.</exception>
    public static (UnlearnResult Result, RunPaths Paths) Run(Plan<UnlearnPlan> plan, RunContext context)
    {
        var started = context.Time.GetUtcNow();
        using var scope = new TensorScope();
        TrainedPlans.Train(plan.Value.Models, plan.Source, context, () => plan.Value.CheckAhead(plan.Source));
        // Everything that can be refused is refused before the folder is made.
        using var unlearner = plan.Value.Unlearner(plan.Source, context);
        var path = context.RunFolder ?? Path.Combine(context.RunsFolder, RunFolder.NameFor(plan.Source, plan));
        using var folder = context.Open(path, plan, unlearner.Estimate.DiskBytes);
        Preflight.Check(unlearner.Estimate, path, ThisMachine.Instance, context.Progress);
        using var runner = context.Runner(folder, path);
        var result = unlearner.Unlearn(new UnlearnRun(plan.Value, runner, folder.Paths, context, started));
        // Written once: a run that is found complete keeps the times of the invocation that completed it.
        if (Reread(folder.Paths.Result, result) is { } kept)
            result = kept;
        else
            folder.WriteResult(result);
        runner.Complete();
        return (result, folder.Paths);
    }

    /// <summary>Reads result.json of a finished run.</summary>
    /// <exception cref="BadInputException">The folder holds no finished run of unlearning.</exception>
    public static UnlearnResult ReadResult(RunPaths paths)
    {
        if (!File.Exists(paths.Result))
            throw new BadInputException($"{paths.Root}: there is no result.json; it is no run, or one that is not finished. Run its plan again to finish it.");
        try
        {
            return Deserialize(File.ReadAllBytes(paths.Result)) ?? throw new BadInputException($"{paths.Result} is no result of unlearning that this version of Lethe knows.");
        }
        catch (JsonException error)
        {
            throw new BadInputException($"{paths.Result}: the result cannot be read: {error.Message}", error);
        }
    }

    /// <summary>Reads result.json of a finished run of one kind.</summary>
    /// <param name="paths">The run.</param>
    /// <param name="wanted">What is wanted, to finish the sentence "… is a run of another kind than …".</param>
    /// <exception cref="BadInputException">The folder holds no finished run, or one of another kind.</exception>
    public static T ReadResult<T>(RunPaths paths, string wanted) where T : UnlearnResult => ReadResult(paths) is var result && result is T of
        ? of
        : throw new BadInputException($"{paths.Root} is a run of another kind ({result.Kind}) than {wanted}.");

    private static UnlearnResult? Deserialize(byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
            return null;
        // Results of the first versions are of images and say so.
        var kind = document.RootElement.TryGetProperty("kind", out var named) ? named.GetString() : ImageUnlearnResult.KindName;
        return kind switch
        {
            ImageUnlearnResult.KindName => document.Deserialize<ImageUnlearnResult>(ResultJson.Options),
            LanguageUnlearnResult.KindName => document.Deserialize<LanguageUnlearnResult>(ResultJson.Options),
            _ => null,
        };
    }

    private static UnlearnResult? Reread(string path, UnlearnResult now)
    {
        if (!File.Exists(path) || now.Cost.Cached.Count < now.Cost.Seconds.Count)
            return null;
        try
        {
            // What an earlier version left may differ although every stage was found: a run killed between its last stage and its result.
            return Deserialize(File.ReadAllBytes(path)) is { } kept && Findings(kept) == Findings(now) ? kept : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // All but when and how long, as JSON.
    private static string Findings(UnlearnResult result) => JsonSerializer.Serialize<object>(result with
    {
        Run = result.Run with { Started = default, Finished = default, Lethe = "" },
        Cost = new CostResult(new Dictionary<string, double>(), [], 0),
    }, ResultJson.Options);
}
