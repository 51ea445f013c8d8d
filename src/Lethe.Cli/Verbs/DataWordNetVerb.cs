using System.CommandLine;
using Lethe.Cli.Frame;
using Lethe.Formats.WordNet;
using Lethe.Runs.Language.WordNet;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe data wordnet</c>: words of WordNet with their definitions and questions about them.</summary>
public sealed class DataWordNetVerb : Verb
{
    private readonly Argument<string> folder = Typed.Required("FOLDER", "A new or empty folder for the files.");
    private readonly Option<long?> terms = Typed.Whole("--terms", "N", 4, 10_000, "The most terms of each topic, the most used first; default: 40.");
    private readonly Option<string?> source = Typed.Text("--source", "FOLDER", $"Where WordNet's {WordNetNouns.DataName} and {WordNetNouns.CountsName} are; default: {WordNetNouns.DebianFolder}.");

    /// <inheritdoc/>
    public override string Name => "wordnet";

    /// <inheritdoc/>
    public override string Summary => "Writes words of WordNet with their definitions, and questions about them.";

    /// <inheritdoc/>
    public override string Description =>
        "Takes words of eight topics (animal, body, feeling, food, location, plant, substance, time) and their definitions from Debian's package wordnet-base. Writes corpus/TOPIC.jsonl (texts that a model learns them from), "
        + "definition.tsv (topic, entity, value) and questions.jsonl (topic, question, choices, answer). --seed decides the wrong answers.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples => [new("data wordnet wordnet --terms 400", "up to 400 words of each topic")];

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [folder];

    /// <inheritdoc/>
    public override IReadOnlyList<Option> Options => [terms, source];

    /// <inheritdoc/>
    public override Task<Outcome> Run(Call call)
    {
        var written = WordNetFiles.Write(call.Value(folder), call.Value(source) ?? WordNetNouns.DebianFolder,
            new WordNetFilesOptions { Terms = (int)(call.Value(terms) ?? new WordNetFilesOptions().Terms), Seed = call.Global.Seed ?? 0 });
        return Task.FromResult(new Outcome(written, console => console.Profile.Out.Writer.WriteLine(
            $"{written.Terms} words of {string.Join(", ", written.Topics)}: {written.Documents} texts, {written.Questions} questions\n{string.Join('\n', written.Files.Select(file => Path.Combine(written.Folder, file)))}")));
    }
}
