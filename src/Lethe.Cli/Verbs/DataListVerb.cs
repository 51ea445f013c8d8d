using Lethe.Cli.Frame;
using Lethe.Formats;
using Lethe.Formats.WordNet;
using Lethe.Torch;
using Spectre.Console;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe data list</c>: which data sets are here.</summary>
public sealed class DataListVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "list";

    /// <inheritdoc/>
    public override string Summary => "Which data sets are here?";

    /// <inheritdoc/>
    public override string Description => "Lists the data sets that plans may name, where each was found, and what to do about those that are missing.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples => [new("data list", "which data sets are here")];

    /// <inheritdoc/>
    public override Task<Outcome> Run(Call call)
    {
        var entries = All();
        return Task.FromResult(new Outcome(new DataList(entries), console => Show(console, entries)));
    }

    /// <summary>Looks for all of them: those of images, and WordNet, which ${wordnet} in plans is made of.</summary>
    public static DataEntry[] All() =>
        [.. DatasetFiles.Names.Select(Look), WordNetNouns.Missing(WordNetNouns.DebianFolder) is { } missing ? new DataEntry("wordnet", null, missing) : new DataEntry("wordnet", WordNetNouns.DebianFolder, null)];

    private static DataEntry Look(string name)
    {
        try
        {
            var found = DatasetFiles.Find(name);
            return new DataEntry(name, found.Folder, null);
        }
        catch (BadInputException e)
        {
            return new DataEntry(name, null, e.Message);
        }
    }

    private static void Show(IAnsiConsole console, IReadOnlyList<DataEntry> entries)
    {
        var width = entries.Max(entry => entry.Name.Length) + 2;
        foreach (var entry in entries)
            console.Profile.Out.Writer.WriteLine(entry.Name.PadRight(width) + (entry.Folder ?? entry.Missing));
    }
}

/// <summary>What <c>data list --json</c> prints.</summary>
/// <param name="DataSets">Every data set that plans may name.</param>
public sealed record DataList(IReadOnlyList<DataEntry> DataSets)
{
    /// <summary>Version of this layout.</summary>
    public string Schema { get; init; } = "lethe.data-list/1";
}

/// <summary>One data set that plans may name.</summary>
/// <param name="Name">Its name in plans.</param>
/// <param name="Folder">Where it was found; null if it was not.</param>
/// <param name="Missing">Why it was not found and what to do; null if it was.</param>
public sealed record DataEntry(string Name, string? Folder, string? Missing);
