using System.Buffers.Binary;
using System.CommandLine;
using System.Globalization;
using Lethe.Cli.Frame;
using Lethe.Formats;
using Lethe.Runs.Language.Tasks;
using Lethe.Runs.Language.Topics;
using Lethe.Torch;
using Spectre.Console;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe data check</c>: reads a data set through.</summary>
public sealed class DataCheckVerb : Verb
{
    private readonly Argument<string> name = Typed.Required("NAME|FILE|TASK|PLAN", $"A data set of images ({string.Join(" or ", DatasetFiles.Names)}), a file of rows (.jsonl, .json, .csv, .txt, also .gz), a task of evaluate (its name or YAML file), or a plan with a ground.");

    private readonly Option<string?> folder = Typed.Text("--folder", "FOLDER", "Folder that holds the files of a data set of images; default: where it usually is.");

    private readonly Option<string?> data = Typed.Text("--data", "FOLDER", "What ${data} stands for in tasks; default: LETHE_DATA, else data/ of the shared folder.");

    private readonly Option<string?> retain = Typed.Text("--retain", "FILE", "Texts to retain, which FILE, then texts to forget, is compared with: rows as of FILE, or .tsv; default: none.");

    private readonly Option<string?> test = Typed.Text("--test", "FILE", "Questions or texts to test with, compared in the same way; default: none.");

    /// <inheritdoc/>
    public override string Name => "check";

    /// <inheritdoc/>
    public override string Summary => "Is a data set whole, and is every row of a file or a task right?";

    /// <inheritdoc/>
    public override string Description =>
        "Reads every byte of a data set of images: sizes, checksums of the compressed files, labels in range, and how many images each class has. Of a file of rows, or of the data of a task, it names every bad row by "
        + "file and line: not JSON, a key missing, a value of the wrong type, an answer's index out of range, empty text, two equal answers, a row that asks what another one asked. Of a plan with a ground, or of FILE with --retain "
        + "or --test, it says what the texts to forget, to retain and to test with have in common: entities, whole texts, runs of eight words. Ends with 3 if anything is missing, damaged or bad, or if forget "
        + "and retain text are the same.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("data check fashion-mnist", "read Fashion-MNIST through"),
        new("data check mnist --folder ~/mnist", "the same for files of your own"),
        new("data check questions.jsonl", "every row of a file of questions and choices, of questions and answers, or of texts"),
        new("data check mmlu", "the rows that a task reads"),
        new("data check forget.jsonl --retain retain.jsonl --test questions.jsonl", "what texts to forget, to retain and to test with have in common"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [name];

    /// <inheritdoc/>
    public override IReadOnlyList<Option> Options => [folder, data, retain, test];

    /// <inheritdoc/>
    public override Task<Outcome> Run(Call call)
    {
        var asked = call.Value(name);
        if (Overlap(asked, call.Value(retain), call.Value(test)) is { } overlap)
            return Task.FromResult(new Outcome(overlap, console => Show(console, overlap), overlap.Same ? ExitCodes.BadInput : ExitCodes.Ok));
        if (!DatasetFiles.Names.Contains(asked) && Rows(asked, call) is { } rows)
            return Task.FromResult(new Outcome(rows, console => Show(console, rows), rows.Total > 0 ? ExitCodes.BadInput : ExitCodes.Ok));
        var found = DatasetFiles.Find(asked, call.Value(folder));
        DataPart[] parts = [Count(found, DatasetPart.Train), Count(found, DatasetPart.Test)];
        return Task.FromResult(new Outcome(new DataCheck(found.Name, found.Folder, parts), console => Show(console, found, parts)));
    }

    private static OverlapResult? Overlap(string asked, string? retain, string? test)
    {
        if (retain is not null || test is not null)
            return OverlapCheck.Of(asked, retain, test);
        var plan = asked.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) ? OverlapCheck.Find(asked) : null;
        return plan is null ? null : OverlapCheck.Of(Ground.Read(plan, asked), asked);
    }

    private static void Show(IAnsiConsole console, OverlapResult overlap)
    {
        var writer = console.Profile.Out.Writer;
        if (overlap.Ground is { } ground)
        {
            var topics = new Table().Border(TableBorder.None).AddColumns("topic", "role").AddColumn("entities", Right).AddColumn("trained", Right).AddColumn("texts", Right).AddColumn("questions", Right)
                .AddColumn("validation", Right).AddColumn("test trained", Right).AddColumn("test unseen", Right).AddColumn("guessed by letters", Right);
            foreach (var topic in ground.Topics)
                topics.AddRow([.. ((object[])[topic.Topic, topic.Role, topic.Entities, topic.Trained, topic.Texts, topic.Questions, topic.ValidationTrained + topic.ValidationUnseen, topic.TestTrained, topic.TestUnseen, topic.GuessedByLetters is { } guessed ? string.Create(CultureInfo.InvariantCulture, $"{guessed:P0}") : ""]).Select(cell => new Text(FormattableString.Invariant($"{cell}")))]);
            console.Write(topics);
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{ground.ForgetTexts} texts to forget, {ground.RetainTexts} to retain ({ground.Counterfactuals} of them counterfactual). Left out: {ground.Duplicates} duplicates, {ground.Ambiguous} questions with several right answers, {ground.Shared} entities that retain topics share with the topic to forget, {ground.OtherQuestions} questions of other families. {ground.Joined} questions are about a fact of the statement files, {ground.Unjoined} are not."));
            writer.WriteLine();
        }
        var table = new Table().Border(TableBorder.None).AddColumns("of", "in").AddColumn("shared entities", Right).AddColumn("identical texts", Right).AddColumn("shared runs of 8 words", Right);
        foreach (var pair in overlap.Pairs)
            table.AddRow(new Text(pair.First), new Text(pair.Second), new Text(FormattableString.Invariant($"{pair.SharedEntities}")), new Text(FormattableString.Invariant($"{pair.Identical}")), new Text(string.Create(CultureInfo.InvariantCulture, $"{pair.FirstGrams:P1} / {pair.SecondGrams:P1}")));
        console.Write(table);
        if (overlap.Same)
            writer.WriteLine("Forget and retain text are the same: every text of one stands in the other, and nothing can be forgotten that is retained. Take other texts to retain.");
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
