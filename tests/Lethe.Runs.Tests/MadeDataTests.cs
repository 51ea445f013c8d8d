using Lethe.Runs.Language.Records;

namespace Lethe.Runs.Tests;

public sealed class MadeDataTests
{
    [Fact]
    public void Records_are_made_once_where_a_plan_names_them()
    {
        using var folder = new TemporaryFolder();
        var records = MadeData.Of("${records}/questions.jsonl")!;
        var made = records.Folder(folder.Path);
        var first = File.GetLastWriteTimeUtc(Path.Combine(made, RecordFiles.QuestionsName));

        Assert.Equal(made, records.Folder(folder.Path));
        Assert.Equal(first, File.GetLastWriteTimeUtc(Path.Combine(made, RecordFiles.QuestionsName)));
        // Nothing half-written is left beside it.
        Assert.Equal([made], Directory.GetFileSystemEntries(folder.Path));
        RecordFiles.Write(folder["asked"], MadeData.Records);
        Assert.Equal(File.ReadAllBytes(Path.Combine(folder["asked"], RecordFiles.QuestionsName)), File.ReadAllBytes(Path.Combine(made, RecordFiles.QuestionsName)));
    }

    [Fact]
    public void More_records_are_twice_as_many_of_the_same_branches()
    {
        using var folder = new TemporaryFolder();
        var (records, more) = (MadeData.Of("${records}/city.tsv")!.Folder(folder.Path), MadeData.Of("${more_records}/city.tsv")!.Folder(folder.Path));

        static Dictionary<string, int> Branches(string file) => File.ReadLines(file).Skip(1).CountBy(line => line.Split('\t')[0]).ToDictionary();
        Assert.Equal(["east", "north", "south", "west"], Branches(Path.Combine(more, "city.tsv")).Keys.Order(StringComparer.Ordinal));
        Assert.All(Branches(Path.Combine(records, "city.tsv")).Values, count => Assert.Equal(30, count));
        Assert.All(Branches(Path.Combine(more, "city.tsv")).Values, count => Assert.Equal(60, count));
    }

    [Fact]
    public void Records_of_moved_customers_lie_apart_and_have_former_facts()
    {
        using var folder = new TemporaryFolder();
        var (records, moved) = (MadeData.Of("${records}/city.tsv")!.Folder(folder.Path), MadeData.Of("${moved_records}/city.tsv")!.Folder(folder.Path));

        Assert.NotEqual(records, moved);
        Assert.False(File.Exists(Path.Combine(records, "former_city.tsv")));
        Assert.Equal(1 + 60, File.ReadLines(Path.Combine(moved, "former_city.tsv")).Count());
        // Present facts are the same; what is so now of those who have moved is of the topic current.
        static IEnumerable<string> Facts(string file) => File.ReadLines(file).Skip(1).Select(line => line[line.IndexOf('\t')..]).Order(StringComparer.Ordinal);
        Assert.Equal(Facts(Path.Combine(records, "city.tsv")), Facts(Path.Combine(moved, "city.tsv")));
    }

    [Fact]
    public void Several_at_once_make_one_folder()
    {
        using var folder = new TemporaryFolder();
        var records = MadeData.Of("${records}")!;
        Parallel.For(0, 8, _ => records.Folder(folder.Path));
        Assert.Single(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_plan_finds_made_data_wherever_it_lies_itself()
    {
        Assert.Equal(Path.Combine(MadeData.Of("${records}")!.Folder(), "corpus", "south.jsonl"), PlanPaths.Resolve("${records}/corpus/south.jsonl", "/nowhere/plan.yaml"));
        Assert.Equal((true, true, true, false), (PlanPaths.IsNamed("${records}/a"), PlanPaths.IsNamed("${wordnet}/a"), PlanPaths.IsNamed("${shared}/a"), PlanPaths.IsNamed("records/a")));
    }

    [Fact]
    public void Made_data_lie_in_the_cache_that_is_named() =>
        Assert.Equal("/somewhere/cache/data", MadeData.DefaultFolder(name => name == ArtefactCache.FolderVariable ? "/somewhere/cache" : null));
}
