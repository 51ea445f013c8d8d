using System.Text.Json;
using Lethe.Formats.WordNet;
using Lethe.Runs.Language.WordNet;
using Lethe.Testing;
using Lethe.Torch;

namespace Lethe.Runs.Tests.Language.WordNet;

public sealed class WordNetFilesTests
{
    private static IReadOnlyList<WordNetTerm> Terms(int most, IEnumerable<string> lines, params string[] counts)
    {
        using var folder = new TemporaryFolder();
        TinyWordNet.Write(folder.Path, lines, counts);
        return WordNetTopics.Of(WordNetNouns.Read(folder.Path), most);
    }

    [Fact]
    public void Words_go_to_the_topic_of_their_most_used_meaning_the_most_used_first()
    {
        var terms = Terms(2,
        [
            TinyWordNet.Line(5, "a wild dog of the woods; \"it howls\"", "wolf"), TinyWordNet.Line(5, "the upper end of a cow", "head"), TinyWordNet.Line(5, "a very small insect", "ant"), TinyWordNet.Line(5, "a big grey beast", "hippo"),
            TinyWordNet.Line(8, "the upper end of somebody", "head"), TinyWordNet.Line(6, "a thing that was made", "tool"),
        ], "head%1:08:00:: 1 5", "head%1:05:00:: 2 4", "ant%1:05:00:: 1 3", "hippo%1:05:00:: 1 2");

        Assert.Equal([new("animal", "ant", "a very small insect"), new("animal", "hippo", "a big grey beast"), new("body", "head", "the upper end of somebody")], terms);
    }

    [Theory]
    [InlineData("Wolf", "a wild dog of the woods")]
    [InlineData("grey_wolf", "a wild dog of the woods")]
    [InlineData("wolf", "a dog")]
    [InlineData("wolf", "a dog that is so wild that no one of the whole village wants it as a guest")]
    [InlineData("wolf", "a wolfish dog of the woods")]
    [InlineData("wolf", "a wild dog (of the woods)")]
    [InlineData("wolf", "a wild \"dog\" of the woods")]
    [InlineData("wolf", "a wild dog of  the woods")]
    public void A_word_or_definition_that_is_not_plain_or_betrays_the_answer_is_left_out(string word, string gloss) => Assert.Empty(Terms(9, [TinyWordNet.Line(5, gloss, word)]));

    [Fact]
    public void Of_synonyms_one_is_asked_for() => Assert.Equal("hound", Assert.Single(Terms(9, [TinyWordNet.Line(5, "a dog of the hunt", "tracker", "hound")], "hound%1:05:00:: 1 2")).Term);

    [Fact]
    public void Files_hold_texts_facts_and_questions_that_agree_and_are_the_same_for_the_same_seed()
    {
        using var folder = new TemporaryFolder();
        TinyWordNet.Write(folder.Path, TinyWordNet.Lines());
        var target = folder["words"];
        var written = WordNetFiles.Write(target, folder.Path, new WordNetFilesOptions { Terms = 5, Seed = 2 });

        Assert.Equal((8 * 5, 8 * 5 * 4, 8 * 5), (written.Terms, written.Documents, written.Questions));
        Assert.All(written.Files, file => Assert.True(File.Exists(Path.Combine(target, file)), file));
        var facts = File.ReadLines(Path.Combine(target, WordNetFiles.FactsName)).Skip(1).Select(line => line.Split('\t')).ToDictionary(fact => fact[1]);
        foreach (var line in File.ReadLines(Path.Combine(target, WordNetFiles.QuestionsName)))
        {
            var row = JsonDocument.Parse(line).RootElement;
            string[] choices = [.. row.GetProperty("choices").EnumerateArray().Select(choice => choice.GetString()!)];
            Assert.Equal(4, choices.Distinct().Count());
            Assert.All(choices, choice => Assert.Equal(row.GetProperty("topic").GetString(), facts[choice][0]));
            Assert.Equal($"Which word means \"{facts[choices[row.GetProperty("answer").GetInt32()]][2]}\"?", row.GetProperty("question").GetString());
        }
        Assert.Contains("Question: Which word means \\u0022the a of p\\u0022?\\nAnswer: wordpa", File.ReadAllText(Path.Combine(target, WordNetFiles.CorpusFolder, "animal.jsonl")), StringComparison.Ordinal);

        WordNetFiles.Write(folder["again"], folder.Path, new WordNetFilesOptions { Terms = 5, Seed = 2 });
        Assert.All(written.Files, file => Assert.Equal(File.ReadAllBytes(Path.Combine(target, file)), File.ReadAllBytes(Path.Combine(folder["again"], file))));
    }

    [Fact]
    public void Too_few_words_of_a_topic_and_options_out_of_range_are_refused()
    {
        using var folder = new TemporaryFolder();
        TinyWordNet.Write(folder.Path, TinyWordNet.Lines().Skip(3));
        Assert.Contains("3 terms of the topic 'animal'", Assert.Throws<BadInputException>(() => WordNetFiles.Write(folder["words"], folder.Path, new())).Message, StringComparison.Ordinal);
        Assert.Throws<UsageException>(() => WordNetFiles.Write(folder["words"], folder.Path, new WordNetFilesOptions { Terms = 3 }));
        Assert.False(Directory.Exists(folder["words"]));
    }
}
