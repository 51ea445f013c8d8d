using System.Buffers.Binary;
using System.CommandLine;
using System.Globalization;
using Lethe.Cli.Frame;
using Lethe.Formats;
using Lethe.Runs.Language.Tasks;
using Lethe.Torch;
using Spectre.Console;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe data check</c>: reads a data set through.</summary>
public sealed class DataCheckVerb : Verb
{
    private readonly Argument<string> name = Typed.Required("NAME|FILE|TASK", $"A data set of images ({string.Join(" or ", DatasetFiles.Names)}), a file of rows (.jsonl, .json, .csv, .txt, also .gz), or a task of evaluate (its name or YAML file).");

    private readonly Option<string?> folder = Typed.Text("--folder", "FOLDER", "Folder that holds the files of a data set of images; default: where it usually is.");

    private readonly Option<string?> data = Typed.Text("--data", "FOLDER", "What ${data} stands for in tasks; default: LETHE_DATA, else data/ of the shared folder.");

    /// <inheritdoc/>
    public override string Name => "check";

    /// <inheritdoc/>
    public override string Summary => "Is a data set whole, and is every row of a file or a task right?";

    /// <inheritdoc/>
    public override string Description =>
        "Reads every byte of a data set of images: sizes, checksums of the compressed files, labels in range, and how many images each class has. Of a file of rows, or of the data of a task, it names every bad row by "
        + "file and line: not JSON, a key missing, a value of the wrong type, an answer's index out of range, empty text, two equal answers, a row that asks what another one asked. Ends with 3 if anything is missing, "
        + "damaged or bad.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("data check fashion-mnist", "read Fashion-MNIST through"),
        new("data check mnist --folder ~/mnist", "the same for files of your own"),
        new("data check questions.jsonl", "every row of a file of questions and choices, of questions and answers, or of texts"),
        new("data check mmlu", "the rows that a task reads"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [name];

    /// <inheritdoc/>
    public override IReadOnlyList<Option> Options => [folder, data];

    /// <inheritdoc/>
    public override Task<Outcome> Run(Call call)
    {
        var asked = call.Value(name);
        if (!DatasetFiles.Names.Contains(asked) && Rows(asked, call) is { } rows)
            return Task.FromResult(new Outcome(rows, console => Show(console, rows), rows.Total > 0 ? ExitCodes.BadInput : ExitCodes.Ok));
        var found = DatasetFiles.Find(asked, call.Value(folder));
        DataPart[] parts = [Count(found, DatasetPart.Train), Count(found, DatasetPart.Test)];
        return Task.FromResult(new Outcome(new DataCheck(found.Name, found.Folder, parts), console => Show(console, found, parts)));
    }

    private RowCheckResult? Rows(string asked, Call call)
    {
        var catalog = new TaskCatalog(Path.Combine(Home.Folder, "tasks"), DataFolder.Find(call.Value(data)));
        if (catalog.Knows(asked) || asked.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase))
            return RowCheck.Task(catalog.Open(asked));
        if (File.Exists(asked))
            return RowCheck.File(asked);
        return asked.Contains('/', StringComparison.Ordinal) || Path.HasExtension(asked)
            ? throw new BadInputException($"{asked}: there is no such file; 'data check' takes a data set of images ({string.Join(", ", DatasetFiles.Names)}), a file of rows, or a task ({string.Join(", ", catalog.Names)}).")
            : null;
    }

    private static void Show(IAnsiConsole console, RowCheckResult rows)
    {
        var writer = console.Profile.Out.Writer;
        foreach (var finding in rows.Findings)
            writer.WriteLine(finding.ToString());
        if (rows.Total > rows.Findings.Count)
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"and {rows.Total - rows.Findings.Count} more"));
        foreach (var part in rows.Parts)
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{part.File}: {part.Rows} rows{(rows.Kind == "task" ? $", part {part.Part} of {rows.Name}" : $" of {rows.Kind}")}"));
        writer.WriteLine(rows.Total == 0 ? "Every row is right." : string.Create(CultureInfo.InvariantCulture, $"{rows.Total} of them bad."));
    }

    private static DataPart Count(Dataset found, DatasetPart part)
    {
        var read = found.Load(part);
        var classes = new long[found.LabelNames.Count];
        for (var labels = read.Labels.Bytes.Span; labels.Length > 0; labels = labels[sizeof(long)..])
            classes[BinaryPrimitives.ReadInt64LittleEndian(labels)]++;
        return new DataPart(part, read.Images.Shape[0], read.Images.Shape[1], read.Images.Shape[2], [.. classes.Select((count, label) => new DataClass(label, found.LabelNames[label], count))]);
    }

    private static void Show(IAnsiConsole console, Dataset found, IReadOnlyList<DataPart> parts)
    {
        console.Profile.Out.Writer.WriteLine($"{found.Title} in {found.Folder} is whole.");
        var table = new Table().Border(TableBorder.None).AddColumns("label", "class").AddColumn("train", Right).AddColumn("test", Right);
        foreach (var (train, test) in parts[0].Classes.Zip(parts[1].Classes))
            table.AddRow(new Text($"{train.Label}"), new Text(train.Name), new Text($"{train.Images}"), new Text($"{test.Images}"));
        table.AddRow(new Text(""), new Text("all"), new Text($"{parts[0].Images}"), new Text($"{parts[1].Images}"));
        console.Write(table);
    }

    private static void Right(TableColumn column) => column.RightAligned();
}

/// <summary>What <c>data check --json</c> prints.</summary>
/// <param name="Name">The data set's name in plans.</param>
/// <param name="Folder">Where it was found.</param>
/// <param name="Parts">What is in it.</param>
public sealed record DataCheck(string Name, string Folder, IReadOnlyList<DataPart> Parts)
{
    /// <summary>Version of this layout.</summary>
    public string Schema { get; init; } = "lethe.data-check/1";
}

/// <summary>One part of a data set.</summary>
/// <param name="Part">Which.</param>
/// <param name="Images">Number of images.</param>
/// <param name="Height">Pixels.</param>
/// <param name="Width">Pixels.</param>
/// <param name="Classes">How many images each class has.</param>
public sealed record DataPart(DatasetPart Part, long Images, long Height, long Width, IReadOnlyList<DataClass> Classes);

/// <summary>One class of a data set.</summary>
/// <param name="Label">Its label.</param>
/// <param name="Name">What the label means.</param>
/// <param name="Images">Number of images.</param>
public sealed record DataClass(long Label, string Name, long Images);
