using Lethe.Evaluation.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Runs.Guardrails;
using Lethe.Runs.Language.Tasks;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs.Language.Evaluation;

/// <summary>How a model is asked.</summary>
public sealed record LanguageEvaluationOptions
{
    /// <summary>First rows of each subtask that are asked; null asks all.</summary>
    public int? Limit { get; init; }

    /// <summary>Examples before each question; null for each task's own number.</summary>
    public int? Shots { get; init; }

    /// <summary>Tokens that the model reads at once; null for its own limit.</summary>
    public int? MaximumLength { get; init; }

    /// <summary>The type that it computes in.</summary>
    public DType DType { get; init; } = DType.Float32;

    /// <summary>Where results and samples are written; null writes nothing.</summary>
    public string? Output { get; init; }

    /// <summary>Folders of guardrails that the model runs behind, in the order in which they come at a site.</summary>
    public IReadOnlyList<string> Guardrails { get; init; } = [];
}

/// <summary>Measures a language model with tasks.</summary>
public static class LanguageEvaluation
{
    /// <summary>Measures. Call on the torch thread.</summary>
    /// <param name="path">The model: a Hugging Face directory, a GGUF file or a folder that holds one, a llama2.c file.</param>
    /// <param name="tasks">The tasks, at least one.</param>
    /// <param name="options">How it is asked.</param>
    /// <param name="context">Progress, clock, device, stopping.</param>
    /// <exception cref="BadInputException">The model or a row is not right.</exception>
    /// <exception cref="UsageException">An option is not right.</exception>
    public static LanguageResult Run(string path, IReadOnlyList<LanguageTask> tasks, LanguageEvaluationOptions options, RunContext context)
    {
        var started = context.Time.GetUtcNow();
        var from = context.Time.GetTimestamp();
        if (tasks.GroupBy(task => (task.Name, task.Only)).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new UsageException($"--tasks names '{twice.Key.Name}' twice; name each task once.");
        // Every row is read before the model is: a bad one shows at once.
        foreach (var task in tasks)
            task.Subtasks(options.Limit, options.Shots);
        if (options.Output is { } output)
            LmEvalFiles.Prepare(output);

        context.Progress.StageStarted("load");
        using var scope = new TensorScope();
        using var checkpoint = LanguageCheckpoint.Open(path);
        var encoding = new RequestEncoding(checkpoint.Tokenizer, checkpoint.Special.Bos ?? checkpoint.Special.Eos);
        using var model = checkpoint.Load(new LoadOptions { DType = options.DType, Device = context.Device });
        using var guard = ModelGuard.Set(model, options.Guardrails);
        context.Progress.StageFinished("load", Math.Round(context.Time.GetElapsedTime(from).TotalSeconds, 3));

        var scoring = new ScoringOptions { MaximumLength = options.MaximumLength };
        var scorer = new LanguageScorer(model, scoring);
        IReadOnlyList<int> ends = [.. (checkpoint.Special.Eos is { } eos ? checkpoint.Special.Stop.Prepend(eos) : checkpoint.Special.Stop).Distinct()];
        var asker = new TaskAsker(scorer, new GreedyAnswers(model, encoding, ends, scoring), encoding, context);
        var runs = tasks.Select(task => asker.Ask(task, options.Limit, options.Shots)).ToList();

        var result = new LanguageResult
        {
            Model = new LanguageModelFacts(path, checkpoint.Configuration.ModelType, model.LayerCount, scorer.MaximumLength, options.DType.ToString().ToLowerInvariant()) { Guardrails = guard.Facts },
            Run = context.Facts(Path.GetFileName(Path.TrimEndingDirectorySeparator(path)), started, 0),
            Tasks = [.. runs.Select(run => run.Result)],
            Seconds = Math.Round(context.Time.GetElapsedTime(from).TotalSeconds, 3),
        };
        return options.Output is { } folder ? result with { Files = LmEvalFiles.Write(folder, result, runs, options, encoding, checkpoint) } : result;
    }
}
