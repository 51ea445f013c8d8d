using System.Buffers.Binary;
using System.CommandLine;
using Lethe.Cli.Frame;
using Lethe.Formats;
using Spectre.Console;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe data check</c>: reads a data set through.</summary>
public sealed class DataCheckVerb : Verb
{
    private readonly Argument<string> name = Typed.Required("NAME", $"The data set: {string.Join(" or ", DatasetFiles.Names)}.");

    private readonly Option<string?> folder = Typed.Text("--folder", "FOLDER", "Folder that holds its files; default: where the data set usually is.");

    /// <inheritdoc/>
    public override string Name => "check";

    /// <inheritdoc/>
    public override string Summary => "Is a data set whole?";

    /// <inheritdoc/>
    public override string Description =>
        "Reads every byte of a data set: sizes, checksums of the compressed files, labels in range, and how many images each class has. Ends with 3 if it is missing or damaged, naming the file.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("data check fashion-mnist", "read Fashion-MNIST through"),
        new("data check mnist --folder ~/mnist", "the same for files of your own"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [name];

    /// <inheritdoc/>
    public override IReadOnlyList<Option> Options => [folder];

    /// <inheritdoc/>
    public override Task<Outcome> Run(Call call)
    {
        var found = DatasetFiles.Find(call.Value(name), call.Value(folder));
        DataPart[] parts = [Count(found, DatasetPart.Train), Count(found, DatasetPart.Test)];
        return Task.FromResult(new Outcome(new DataCheck(found.Name, found.Folder, parts), console => Show(console, found, parts)));
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
