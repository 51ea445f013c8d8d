using System.CommandLine;
using Lethe.Cli.Frame;
using Lethe.Cli.Reporting;
using Lethe.Reports;
using Lethe.Runs;
using Lethe.Runs.Generative;
using Lethe.Runs.Language.Evaluation;
using Lethe.Runs.Language.Tasks;
using Lethe.Runs.Language.Unlearning;
using Lethe.Torch;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe evaluate</c>: measures a run's model, or another one, again with fresh noise; or a language model with tasks.</summary>
public sealed class EvaluateVerb : Verb
{
    private readonly Argument<string> measured = Typed.Required("RUN|MODEL", "The folder of a finished run on images, whose base model, judge and plan are used; with --tasks a language model: a Hugging Face directory, a GGUF file, a llama2.c file.");
    private readonly Option<string?> model = Typed.Text("--model", "MODEL", "For a run: the model to measure: a safetensors file, a torch checkpoint, a model folder or a run; default: the one that RUN exported.");
    private readonly Option<long?> samples = Typed.Whole("--samples", "N", 10, 1_000_000, "For a run: samples of each forgotten condition; default: the plan's.");
    private readonly Option<string?> planFolder = Typed.Text("--plan-folder", "FOLDER", "For a run: what relative paths in its plan are relative to; default: none, and a plan that has such asks for it.");
    private readonly Option<string?> tasks = Typed.Text("--tasks", "NAME,…", "Tasks to ask a language model, by name or YAML file, separated by commas; default: none.");
    private readonly Option<long?> limit = Typed.Whole("--limit", "N", 1, 10_000_000, "With --tasks: only the first rows of each task or subtask; default: all.");
    private readonly Option<long?> shots = Typed.Whole("--shots", "N", 0, 100, "With --tasks: examples before each question; default: each task's own number.");
    private readonly Option<long?> maximumLength = Typed.Whole("--max-length", "N", 2, 10_000_000, "With --tasks: tokens that the model reads at once; default: its own limit.");
    private readonly Option<DType?> dtype = Typed.Parsed("--dtype", "float32|bfloat16", ParseType, "With --tasks: the type that weights are kept in; default: float32.");
    private readonly Option<string?> data = Typed.Text("--data", "FOLDER", "With --tasks: what ${data} stands for in tasks; default: LETHE_DATA, else data/ of the shared folder.");
    private readonly Option<string[]> guardrail = LanguageOptions.Guardrails();
    private readonly Option<string?> output = Typed.Text("--output", "FOLDER", "With --tasks: where results and samples are written in lm-evaluation-harness's layout; default: nowhere.");

    /// <inheritdoc/>
    public override string Name => "evaluate";

    /// <inheritdoc/>
    public override string Summary => "Measures a run's model, or any other, again; or a language model with tasks.";

    /// <inheritdoc/>
    public override string Description =>
        "Measures forgetting and keeping again: the base model and the judge that RUN keeps, verified by their digests, the model's file, and fresh noise. --seed chooses the noise; the run's own seed "
        + "gives the run's own figures; without it the seed is the run's plus 1. Nothing is written. Probes and relearning are not repeated. A run on a language model is asked its plan's questions again, which has no noise.\n\n"
        + "With --tasks it asks a language model, by the rules of lm-evaluation-harness: multiple choice, TruthfulQA, GSM8K, perplexity, and tasks of your own (docs/tasks.md).";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("evaluate runs/quickstart", "do the figures hold with other noise?"),
        new("evaluate runs/quickstart --model elsewhere/model.safetensors --json", "another model against the run's base, as JSON"),
        new("evaluate runs/quickstart --samples 100000 --seed 7", "more samples, noise of your choice"),
        new("evaluate MODEL --tasks mmlu,truthfulqa_mc1 --limit 100 --output results", "a language model, first hundred questions of each subject"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [measured];

    /// <inheritdoc/>
    public override IReadOnlyList<Option> Options => [model, samples, planFolder, tasks, limit, shots, maximumLength, dtype, data, guardrail, output];

    /// <inheritdoc/>
    public override Task<Outcome> Run(Call call)
    {
        var language = call.Value(tasks) is not null;
        foreach (var option in language ? (Option[])[model, samples, planFolder] : [limit, shots, maximumLength, dtype, data, guardrail, output])
            if (call.Parsed.GetResult(option) is { Implicit: false })
                throw new UsageException(language ? $"{option.Name} belongs to the evaluation of a run on images; leave it out with --tasks." : $"{option.Name} belongs to the evaluation of a language model; name its tasks with --tasks.");
        return language ? Language(call) : Images(call);
    }

    private async Task<Outcome> Images(Call call)
    {
        if (!Directory.Exists(Path.Combine(call.Value(measured), "stages")) && LooksLikeLanguageModel(call.Value(measured)))
            throw new UsageException($"{call.Value(measured)} is a language model; name what to ask it with --tasks, for example --tasks mmlu.");
        var paths = new RunPaths(call.Value(measured));
        if (LanguageRunEvaluation.IsRun(paths))
            return await LanguageRun(call, paths);
        await using var progress = call.Progress();
        var result = await Task.Run(() => Engine.Run(() =>
        {
            PlanVerb.Setup(call);
            return EvaluationPipeline.Run(
                new RunPaths(call.Value(measured)),
                new EvaluationOptions { Model = call.Value(model), Samples = (int?)call.Value(samples), Seed = call.Global.Seed, PlanFolder = call.Value(planFolder) },
                new RunContext { Progress = progress.Sink, Cancellation = call.Stop });
        }));
        return new Outcome(result, console =>
        {
            console.Profile.Out.Writer.Write(TextSummary.Render(result, ReportLanguage.English));
            console.Profile.Out.Writer.WriteLine($"\nmeasured  {result.Evaluation!.Model} with seed {result.Run.Seed}");
        });
    }

    private async Task<Outcome> LanguageRun(Call call, RunPaths paths)
    {
        if (call.Value(samples) is not null)
            throw new UsageException($"--samples counts images; {paths.Root} is a run on a language model, which is asked the plan's questions again. Leave it out.");
        var result = await PlanVerb.OnEngine(call, null, context => LanguageRunEvaluation.Run(paths, call.Value(model), call.Value(planFolder), context), anyDevice: true);
        return new Outcome(result, console =>
        {
            console.Profile.Out.Writer.Write(TextSummary.Render(result, ReportLanguage.English));
            console.Profile.Out.Writer.WriteLine($"\nmeasured  {result.Evaluation!.Model}");
        });
    }

    private async Task<Outcome> Language(Call call)
    {
        var names = call.Value(tasks)!.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (names.Length == 0)
            throw new UsageException("--tasks is empty; name at least one task, for example --tasks mmlu.");
        var catalog = new TaskCatalog(Path.Combine(Home.Folder, "tasks"), DataFolder.Find(call.Value(data)));
        LanguageTask[] opened = [.. names.Select(catalog.Open)];
        var options = new LanguageEvaluationOptions
        {
            Limit = (int?)call.Value(limit),
            Shots = (int?)call.Value(shots),
            MaximumLength = (int?)call.Value(maximumLength),
            DType = call.Value(dtype) ?? DType.Float32,
            Output = call.Value(output),
            Guardrails = call.Value(guardrail) ?? [],
        };
        await using var progress = call.Progress();
        var result = await Task.Run(() => Engine.Run(() =>
        {
            Engine.Threads = call.Global.ThreadsOrCores;
            var device = call.Global.Device ?? Device.Cpu;
            Engine.Require(device);
            return LanguageEvaluation.Run(call.Value(measured), opened, options, new RunContext { Progress = progress.Sink, Cancellation = call.Stop, Device = device });
        }));
        return new Outcome(result, console => TaskTable.Show(console, result, options.Output));
    }

    private static bool LooksLikeLanguageModel(string path) => path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".bin", StringComparison.OrdinalIgnoreCase)
        || Directory.Exists(path) && (File.Exists(Path.Combine(path, "config.json")) || Directory.EnumerateFiles(path, "*.gguf").Any());

    private static DType ParseType(string text) => text switch
    {
        "float32" => DType.Float32,
        "bfloat16" => DType.BFloat16,
        _ => throw new UsageException($"--dtype is '{text}'; it must be float32 or bfloat16."),
    };
}
