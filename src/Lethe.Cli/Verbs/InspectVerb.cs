using System.CommandLine;
using System.Globalization;
using Lethe.Cli.Frame;
using Lethe.Formats;
using Lethe.Reports;
using Lethe.Runs;
using Lethe.Runs.Generative;
using Lethe.Runs.Language.Corpora;
using Lethe.Runs.Results;
using Lethe.Runs.SparseAutoencoders;
using Lethe.Torch;
using Lethe.Unlearning.Generative;
using Spectre.Console;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe inspect</c>: which tensors a run moved, and how forgetting went.</summary>
public sealed class InspectVerb : Verb
{
    private readonly Argument<string> run = Typed.Required("RUN|SAE", "The folder of a finished run, or a sparse autoencoder: its folder or file, or the run that trained it.");
    private readonly Option<string?> model = Typed.Text("--model", "MODEL", "The language model that an autoencoder belongs to; default: that of the run that trained it.");
    private readonly Option<string[]> text = new("--text") { HelpName = "FILE[:FIELD,...]", Description = "Text that the model reads, with the fields that make a text where the file has rows; may be given several times; default: the evaluation text of the run that trained the autoencoder.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string?> latents = Typed.Text("--latents", "N,N,...", "Latents to show; default: twelve that are neither rare nor always active.");
    private readonly Option<string?> page = Typed.Text("--out", "FILE", "Where the page of cards goes; default: latents.html in the present folder.");
    private readonly Option<string?> language = Typed.Text("--language", "en|ja", "Language of the page of cards; default: en.");

    /// <inheritdoc/>
    public override string Name => "inspect";

    /// <inheritdoc/>
    public override string Summary => "Which tensors moved, by how much, and how forgetting went.";

    /// <inheritdoc/>
    public override string Description =>
        "Of a sparse autoencoder it writes a page of cards: where each latent is largest, how often it is active on each text, and which tokens it makes more likely.\n\nShows from a finished run how far each tensor moved (norm of the change, that over the norm of the tensor, the largest change of an element, and the change weighted with the Fisher information, "
        + "which is what had to stay), and what the validation samples said on the way: how far each concept's surrogates were above their floor, and how much the retained samples' bound had risen. Nothing is computed anew.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("inspect runs/quickstart", "what the demo changed"),
        new("inspect runs/quickstart --json", "the same as JSON"),
        new("inspect runs/stories-sae --latents 1,2,3", "cards of three latents of an autoencoder"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [run];

    /// <inheritdoc/>
    public override IReadOnlyList<Option> Options => [model, text, latents, page, language];

    /// <inheritdoc/>
    public override Task<Outcome> Run(Call call)
    {
        if (SaeInspection.IsSae(call.Value(run)))
            return InspectSae(call);
        var paths = new RunPaths(call.Value(run));
        if (UnlearnPipeline.ReadResult(paths) is LanguageUnlearnResult texts)
            return Task.FromResult(new Outcome(new LanguageInspection(texts.Run.Id, texts.Method.Name, texts.Method.Steps, texts.Method.MaximumSteps, texts.Method.StopReason, texts.Moved), console => Show(console, texts)));
        var result = UnlearnPipeline.ReadResult<ImageUnlearnResult>(paths, "one on images");
        var forgetting = GenerativeStages.ReadForgetting(Artefact.Open(paths, "forget"));
        return Task.FromResult(new Outcome(
            new Inspection(result.Run.Id, forgetting.Steps, forgetting.MaximumSteps, forgetting.StopReason, forgetting.StopDetail, result.Moved, forgetting.Readings),
            console => Show(console, result, forgetting)));
    }

    private async Task<Outcome> InspectSae(Call call)
    {
        var output = call.Value(page) ?? "latents.html";
        var inLanguage = ReportLanguages.Parse(call.Value(language) ?? "en");
        var request = new SaeInspectionRequest(call.Value(run), call.Value(model), [.. (call.Value(text) ?? []).Select(LanguageOptions.Text)], Numbers(call.Value(latents)));
        var result = await PlanVerb.OnEngine(call, null, context => SaeInspection.Run(request, context), anyDevice: true);
        AtomicFile.WriteAllText(output, LatentCards.Render(result, inLanguage));
        return new Outcome(result, console => console.Profile.Out.Writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{result.Architecture} of {result.Site}: {result.Width} latents, {result.DeadShare:P1} never active on {result.Corpora.Sum(corpus => corpus.Tokens)} tokens\n{result.Latents.Count} cards  {output}")));
    }

    private static long[] Numbers(string? list) => list is null ? [] : [.. list.Split(',').Select(word => long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        ? number
        : throw new UsageException($"--latents holds '{word}'; whole numbers with commas between them are needed."))];

    private static void Show(IAnsiConsole console, ImageUnlearnResult result, ForgettingRecord forgetting)
    {
        var moved = Columns("tensor", "shape", "norm", "relative", "largest", "Fisher-weighted");
        foreach (var tensor in result.Moved)
            moved.AddRow(Cells(tensor.Name, string.Join(" x ", tensor.Shape), Number(tensor.Norm), Number(tensor.Relative), Number(tensor.Largest), Number(tensor.FisherWeighted)));
        console.Write(moved);
        var writer = console.Profile.Out.Writer;
        writer.WriteLine($"\n{forgetting.Steps} of {forgetting.MaximumSteps} steps{(forgetting.StopDetail is { } why ? $": {why}" : "")}\n");
        if (forgetting.Readings.Count == 0)
            return;
        var readings = Columns(["step", .. result.Request.Concepts.Select(concept => $"above floor: {concept.Name}"), "retained rise"]);
        foreach (var reading in forgetting.Readings)
            readings.AddRow(Cells([Number(reading.Step), .. reading.Forget.Select(nats => nats is { } known ? Nats(known) : "-"), Nats(reading.Rise)]));
        console.Write(readings);
        writer.WriteLine("\nboth in nats an image, of generated samples; a surrogate without a known floor shows how far it fell since the reading before");
    }

    private static void Show(IAnsiConsole console, LanguageUnlearnResult result)
    {
        var moved = Columns("tensor", "shape", "norm", "relative", "largest");
        foreach (var tensor in result.Moved)
            moved.AddRow(Cells(tensor.Name, string.Join(" x ", tensor.Shape), Number(tensor.Norm), Number(tensor.Relative), Number(tensor.Largest)));
        console.Write(moved);
        console.Profile.Out.Writer.WriteLine($"\n{result.Method.Name}: {result.Method.Steps} of {result.Method.MaximumSteps} steps{(result.Method.StopReason is { } why ? $": {why}" : "")}");
    }

    private static Table Columns(params string[] titles)
    {
        var table = new Table().Border(TableBorder.None);
        foreach (var (k, title) in titles.Index())
            table.AddColumn(k == 0 ? new TableColumn(new Text(title)) : new TableColumn(new Text(title)).RightAligned());
        return table;
    }

    private static Text[] Cells(params string[] cells) => [.. cells.Select(cell => new Text(cell))];

    private static string Number(double value) => value.ToString("G4", CultureInfo.InvariantCulture);

    private static string Nats(double value) => value.ToString("0.00", CultureInfo.InvariantCulture);
}

/// <summary>What <c>inspect --json</c> prints.</summary>
/// <param name="Run">The run.</param>
/// <param name="Steps">Steps taken.</param>
/// <param name="MaximumSteps">Steps allowed.</param>
/// <param name="StopReason">A code of <see cref="StopReasons"/>; null if all steps were taken.</param>
/// <param name="StopDetail">The same in words.</param>
/// <param name="Moved">How far each tensor moved.</param>
/// <param name="Readings">What the validation samples said on the way.</param>
public sealed record Inspection(string Run, long Steps, long MaximumSteps, string? StopReason, string? StopDetail, IReadOnlyList<TensorMove> Moved, IReadOnlyList<ForgettingReading> Readings)
{
    /// <summary>Version of this layout.</summary>
    public string Schema { get; init; } = "lethe.inspect/1";
}

/// <summary>What <c>inspect --json</c> prints of a run on a language model.</summary>
/// <param name="Run">The run.</param>
/// <param name="Method">The method's kind.</param>
/// <param name="Steps">Steps taken.</param>
/// <param name="MaximumSteps">Steps allowed.</param>
/// <param name="StopReason">Why it stopped before; null if all steps were taken.</param>
/// <param name="Moved">How far each edited tensor moved.</param>
public sealed record LanguageInspection(string Run, string Method, long Steps, long MaximumSteps, string? StopReason, IReadOnlyList<LanguageTensorMove> Moved)
{
    /// <summary>Version of this layout.</summary>
    public string Schema { get; init; } = "lethe.inspect-language/1";
}
