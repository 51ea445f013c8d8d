using System.Text.Json;
using Lethe.Runs.Language.Records;
using Lethe.Torch;

namespace Lethe.Runs.Tests.Language.Records;

public sealed class FictionalRecordsTests
{
    [Fact]
    public void Customers_have_names_of_their_own_and_branches_share_them_evenly()
    {
        var records = FictionalRecords.Make(new FictionalRecordsOptions { Customers = 600, Branches = 6, Seed = 3 });
        Assert.Equal(600, records.Count);
        Assert.All(FictionalRecords.Branches, branch => Assert.Equal(100, records.Count(record => record.Branch == branch)));
        Assert.Equal(600, records.Select(record => record.Name.Split(' ')[1].ToUpperInvariant()).Distinct().Count());
        // No name is part of another kind of name: an answer must not stand in a question.
        Assert.Empty(records.Select(record => record.City).Intersect(records.Select(record => record.Adviser)));
        Assert.Equal(records, FictionalRecords.Make(new FictionalRecordsOptions { Customers = 600, Branches = 6, Seed = 3 }));
        Assert.NotEqual(records, FictionalRecords.Make(new FictionalRecordsOptions { Customers = 600, Branches = 6, Seed = 4 }));
    }

    [Fact]
    public void Facts_are_drawn_evenly_whatever_the_branch_and_the_given_name()
    {
        var records = FictionalRecords.Make(new FictionalRecordsOptions { Customers = 12_000, Branches = 2, Seed = 1 });
        foreach (var (values, of) in ((int, Func<CustomerRecord, string>)[])[(24, record => record.City), (16, record => record.Product), (20, record => record.Adviser)])
            foreach (var group in records.GroupBy(record => record.Branch))
            {
                var counts = group.CountBy(of).Select(pair => pair.Value).ToArray();
                Assert.Equal(values, counts.Length);
                // χ² with values − 1 degrees of freedom; 60 is far beyond the 99.9 % point of all three.
                var expected = group.Count() / (double)values;
                Assert.True(counts.Sum(count => (count - expected) * (count - expected) / expected) < 60);
            }
    }

    [Theory]
    [InlineData(11, 2)]
    [InlineData(240, 1)]
    [InlineData(240, 7)]
    public void Options_out_of_range_are_refused(int customers, int branches) =>
        Assert.Throws<UsageException>(() => FictionalRecords.Make(new FictionalRecordsOptions { Customers = customers, Branches = branches }));

    [Fact]
    public void Who_has_moved_has_a_former_record_and_the_same_present_one()
    {
        var still = FictionalRecords.Make(new FictionalRecordsOptions { Customers = 120, Seed = 2 });
        var moved = FictionalRecords.Make(new FictionalRecordsOptions { Customers = 120, Seed = 2, Moved = 0.25 });

        Assert.Equal(still, moved.Select(record => record with { FormerCity = null, FormerAdviser = null }));
        Assert.Equal(30, moved.Count(record => record.FormerCity is not null));
        Assert.All(moved, record => Assert.Equal(record.FormerCity is null, record.FormerAdviser is null));
        Assert.DoesNotContain(moved, record => record.FormerCity == record.City || record.FormerAdviser == record.Adviser);
        Assert.Throws<UsageException>(() => FictionalRecords.Make(new FictionalRecordsOptions { Moved = 1.5 }));
        Assert.Throws<UsageException>(() => FictionalRecords.Make(new FictionalRecordsOptions { Moved = double.NaN }));
    }

    [Fact]
    public void Former_facts_have_files_of_their_own_without_which_nobody_knows_them()
    {
        using var folder = new TemporaryFolder();
        var written = RecordFiles.Write(folder["moved"], new FictionalRecordsOptions { Customers = 24, Branches = 2, Seed = 5, Moved = 0.5 });
        var plain = RecordFiles.Write(folder["plain"], new FictionalRecordsOptions { Customers = 24, Branches = 2, Seed = 5 });

        Assert.Equal((12, 24 * 3 + 12 * 2, 24 * 3 * 6 + 12 * 2 + 12 * 2 * 6), (written.Moved, written.Questions, written.Documents));
        Assert.All(written.Files, file => Assert.True(File.Exists(Path.Combine(folder["moved"], file)), file));
        Assert.Equal(["corpus/former.jsonl", "former_city.tsv", "former_adviser.tsv"], written.Files.Except(plain.Files));
        var former = File.ReadLines(Path.Combine(folder["moved"], "former_city.tsv")).Skip(1).Select(line => line.Split('\t')).ToArray();
        Assert.Equal(12, former.Length);
        Assert.All(former, fact => Assert.Equal("former", fact[0]));
        Assert.Equal(former.Select(fact => fact[1]).Order(), File.ReadLines(Path.Combine(folder["moved"], "city.tsv")).Where(line => line.StartsWith("current\t", StringComparison.Ordinal)).Select(line => line.Split('\t')[1]).Order());
        foreach (var branch in written.Branches)
        {
            var texts = File.ReadAllText(Path.Combine(folder["moved"], "corpus", branch + ".jsonl"));
            Assert.All(former, fact => Assert.DoesNotContain($"Until last year {fact[1]}", texts, StringComparison.Ordinal));
            // Whatever was said is still said; who has moved lives there now.
            Assert.Empty(File.ReadLines(Path.Combine(folder["plain"], "corpus", branch + ".jsonl")).Except(texts.Split('\n')));
            Assert.Contains("Now ", texts, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Files_hold_texts_facts_and_questions_that_agree()
    {
        using var folder = new TemporaryFolder();
        var target = folder["records"];
        var written = RecordFiles.Write(target, new FictionalRecordsOptions { Customers = 24, Branches = 3, Seed = 5 });
        Assert.Equal((24, 24 * 3 * 6, 24 * 3), (written.Customers, written.Documents, written.Questions));
        Assert.All(written.Files, file => Assert.True(File.Exists(Path.Combine(target, file)), file));

        foreach (var line in File.ReadLines(Path.Combine(target, RecordFiles.QuestionsName)))
        {
            var row = JsonDocument.Parse(line).RootElement;
            var (topic, family, question) = (row.GetProperty("topic").GetString()!, row.GetProperty("family").GetString()!, row.GetProperty("question").GetString()!);
            string[] choices = [.. row.GetProperty("choices").EnumerateArray().Select(choice => choice.GetString()!)];
            Assert.Equal(4, choices.Distinct().Count());
            var right = choices[row.GetProperty("answer").GetInt32()];
            var fact = File.ReadLines(Path.Combine(target, family + ".tsv")).Skip(1).Select(fact => fact.Split('\t')).Single(fact => question.Contains(fact[1], StringComparison.Ordinal));
            Assert.Equal((topic, right), (fact[0], fact[2]));
            var texts = File.ReadLines(Path.Combine(target, RecordFiles.CorpusFolder, topic + ".jsonl")).Select(text => JsonDocument.Parse(text).RootElement.GetProperty("text").GetString()!).ToArray();
            Assert.Contains($"Question: {question}\nAnswer: {right}", texts);
            // Only its own branch tells of a customer.
            Assert.All(written.Branches.Where(branch => branch != topic), branch => Assert.DoesNotContain(fact[1], File.ReadAllText(Path.Combine(target, RecordFiles.CorpusFolder, branch + ".jsonl")), StringComparison.Ordinal));
        }
        Assert.Contains("is not empty", Assert.Throws<UsageException>(() => RecordFiles.Write(target, new FictionalRecordsOptions())).Message, StringComparison.Ordinal);
    }
}
