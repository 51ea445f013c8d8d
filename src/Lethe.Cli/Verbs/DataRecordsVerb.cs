using System.CommandLine;
using System.Globalization;
using Lethe.Cli.Frame;
using Lethe.Runs.Language.Records;
using Lethe.Torch;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe data records</c>: records of customers that do not exist, to try forgetting on.</summary>
public sealed class DataRecordsVerb : Verb
{
    private readonly Argument<string> folder = Typed.Required("FOLDER", "A new or empty folder for the files.");
    private readonly Option<long?> customers = Typed.Whole("--customers", "N", 12, 12_000, "Customers of all branches together; default: 240.");
    private readonly Option<long?> branches = Typed.Whole("--branches", "N", 2, 6, "Branches that share them evenly; default: 6.");
    private readonly Option<double?> moved = Typed.Parsed("--moved", "SHARE", ParseShare, "Share of the customers, 0 to 1, who have moved: they have a former city and adviser besides the present ones; default: 0.");

    /// <inheritdoc/>
    public override string Name => "records";

    /// <inheritdoc/>
    public override string Summary => "Writes records of customers that do not exist, to try forgetting on.";

    /// <inheritdoc/>
    public override string Description =>
        "Makes up a company's customers, in branches, with city, product and adviser, all drawn evenly, so that nothing can be guessed from a name. Writes corpus/BRANCH.jsonl (texts that a model learns them from), "
        + "FAMILY.tsv (topic, entity, value) and questions.jsonl (topic, question, choices, answer). A model trained without one branch's file never knew it: the control of every figure. Of customers who have moved, what was so is of the topic former, with texts of its own (corpus/former.jsonl), and what is so now of the topic current. --seed decides all of it.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples => [new("data records records --customers 240 --seed 0", "240 customers of six branches"), new("data records records --moved 0.5", "half of them have moved: their former records can be forgotten, and the present ones stay")];

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [folder];

    /// <inheritdoc/>
    public override IReadOnlyList<Option> Options => [customers, branches, moved];

    /// <inheritdoc/>
    public override Task<Outcome> Run(Call call)
    {
        var defaults = new FictionalRecordsOptions();
        var written = RecordFiles.Write(call.Value(folder), new FictionalRecordsOptions
        {
            Customers = (int)(call.Value(customers) ?? defaults.Customers), Branches = (int)(call.Value(branches) ?? defaults.Branches), Moved = call.Value(moved) ?? defaults.Moved, Seed = call.Global.Seed ?? 0,
        });
        return Task.FromResult(new Outcome(written, console => console.Profile.Out.Writer.WriteLine(
            $"{written.Customers} customers of {string.Join(", ", written.Branches)}: {written.Documents} texts, {written.Questions} questions{(written.Moved > 0 ? $"; {written.Moved} have moved" : "")}\n{string.Join('\n', written.Files.Select(file => Path.Combine(written.Folder, file)))}")));
    }

    private static double ParseShare(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var share) && share is >= 0 and <= 1
        ? share
        : throw new UsageException($"--moved is '{text}'; it takes a share from 0 to 1.");
}
