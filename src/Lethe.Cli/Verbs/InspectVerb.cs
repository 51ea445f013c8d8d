using System.CommandLine;
using System.Globalization;
using Lethe.Cli.Frame;
using Lethe.Runs;
using Lethe.Runs.Generative;
using Lethe.Runs.Results;
using Lethe.Unlearning.Generative;
using Spectre.Console;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe inspect</c>: which tensors a run moved, and how forgetting went.</summary>
public sealed class InspectVerb : Verb
{
    private readonly Argument<string> run = Typed.Required("RUN", "The folder of a finished run.");

    /// <inheritdoc/>
    public override string Name => "inspect";

    /// <inheritdoc/>
    public override string Summary => "Which tensors moved, by how much, and how forgetting went.";

    /// <inheritdoc/>
    public override string Description =>
        "Shows from a finished run how far each tensor moved (norm of the change, that over the norm of the tensor, the largest change of an element, and the change weighted with the Fisher information, "
        + "which is what had to stay), and what the validation samples said on the way: how far each concept's surrogates were above their floor, and how much the retained samples' bound had risen. Nothing is computed anew.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("inspect runs/quickstart", "what the demo changed"),
        new("inspect runs/quickstart --json", "the same as JSON"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [run];

    /// <inheritdoc/>
    public override Task<Outcome> Run(Call call)
    {
        var paths = new RunPaths(call.Value(run));
        var result = UnlearnPipeline.ReadResult(paths);
        var forgetting = GenerativeStages.ReadForgetting(Artefact.Open(paths, "forget"));
        return Task.FromResult(new Outcome(
            new Inspection(result.Run.Id, forgetting.Steps, forgetting.MaximumSteps, forgetting.StopReason, forgetting.StopDetail, result.Moved, forgetting.Readings),
            console => Show(console, result, forgetting)));
    }

    private static void Show(IAnsiConsole console, UnlearnResult result, ForgettingRecord forgetting)
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
