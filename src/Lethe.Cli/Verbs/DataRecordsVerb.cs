using System.CommandLine;
using Lethe.Cli.Frame;
using Lethe.Runs.Language.Records;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe data records</c>: records of customers that do not exist, to try forgetting on.</summary>
public sealed class DataRecordsVerb : Verb
{
    private readonly Argument<string> folder = Typed.Required("FOLDER", "A new or empty folder for the files.");
    private readonly Option<long?> customers = Typed.Whole("--customers", "N", 12, 12_000, "Customers of all branches together; default: 240.");
    private readonly Option<long?> branches = Typed.Whole("--branches", "N", 2, 6, "Branches that share them evenly; default: 6.");

    /// <inheritdoc/>
    public override string Name => "records";

    /// <inheritdoc/>
    public override string Summary => "Writes records of customers that do not exist, to try forgetting on.";

    /// <inheritdoc/>
    public override string Description =>
        "Makes up a company's customers, in branches, with city, product and adviser, all drawn evenly, so that nothing can be guessed from a name. Writes corpus/BRANCH.jsonl (texts that a model learns them from), "
        + "FAMILY.tsv (topic, entity, value) and questions.jsonl (topic, question, choices, answer). A model trained without one branch's file never knew it: the control of every figure. --seed decides all of it.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples => [new("data records records --customers 240 --seed 0", "240 customers of six branches")];

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [folder];

    /// <inheritdoc/>
    public override IReadOnlyList<Option> Options => [customers, branches];

    /// <inheritdoc/>
    public override Task<Outcome> Run(Call call)
    {
        var defaults = new FictionalRecordsOptions();
        var written = RecordFiles.Write(call.Value(folder), new FictionalRecordsOptions
        {
            Customers = (int)(call.Value(customers) ?? defaults.Customers), Branches = (int)(call.Value(branches) ?? defaults.Branches), Seed = call.Global.Seed ?? 0,
        });
        return Task.FromResult(new Outcome(written, console => console.Profile.Out.Writer.WriteLine(
            $"{written.Customers} customers of {string.Join(", ", written.Branches)}: {written.Documents} texts, {written.Questions} questions\n{string.Join('\n', written.Files.Select(file => Path.Combine(written.Folder, file)))}")));
    }
}
