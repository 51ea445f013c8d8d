using Lethe.Formats.WordNet;
using Lethe.Testing;

namespace Lethe.Formats.Tests.WordNet;

public sealed class WordNetNounsTests
{
    // The layout's parts, one at a time.
    private const string Good = "00001740 05 n 02 grey_wolf 0 Wolf 1 001 @ 00001740 n 0000 | a wild dog; \"it howls\"  ";

    private static IReadOnlyList<WordNetNoun> Read(string line, params string[] counts)
    {
        using var folder = new TempFolder();
        TinyWordNet.Write(folder.Path, [line], counts);
        return WordNetNouns.Read(folder.Path);
    }

    [Fact]
    public void A_line_gives_words_gloss_file_and_how_often_each_word_was_found_with_this_meaning()
    {
        var noun = Assert.Single(Read(Good, "wolf%1:05:01:: 2 7", "grey_wolf%2:05:00:: 1 9", "wolf%1:08:01:: 1 5"));
        Assert.Equal((5, "a wild dog; \"it howls\""), (noun.File, noun.Gloss));
        Assert.Equal(["grey wolf", "Wolf"], noun.Words);
        Assert.Equal([0, 7], noun.Counts);
    }

    [Theory]
    [InlineData("00001740 05 n 01 wolf 0 000 a wild dog", "' | ' is missing")]
    [InlineData("00001740 xx n 01 wolf 0 000 | a wild dog", "'xx'")]
    [InlineData("00001740 45 n 01 wolf 0 000 | a wild dog", "'45'")]
    [InlineData("00001740 05 v 01 wolf 0 000 | a wild dog", "'v'")]
    [InlineData("00001740 05 n 00 000 | a wild dog", "no word")]
    [InlineData("00001740 05 n ff wolf 0 000 | a wild dog", "ends before the number of pointers")]
    [InlineData("00001740 05 n -1 wolf 0 000 | a wild dog", "'-1'")]
    [InlineData("00001740 05 n 01 wolf g 000 | a wild dog", "'g'")]
    [InlineData("00001740 05 n 01  0 000 | a wild dog", "empty word")]
    [InlineData("00001740 05 n 01 wolf 0 999 | a wild dog", "7 fields", "4003")]
    [InlineData("00001740 05 n 01 wolf 0 000 @ | a wild dog", "8 fields", "7")]
    [InlineData("00001740 | a wild dog", "ends before")]
    public void A_damaged_line_is_refused_in_one_sentence_that_names_it(string line, params string[] words) => Check.Refused(() => Read(line), ["data.noun", "line 2", .. words]);

    [Theory]
    [InlineData("wolf%1:05:01:: 2")]
    [InlineData("wolf%1:05:01:: 2 many")]
    [InlineData("wolf%1:05:01:: 2 -1")]
    public void A_damaged_count_is_refused(string line) => Check.Refused(() => Read(Good, line), "cntlist.rev", "line 1");

    [Fact]
    public void What_is_missing_is_named_with_the_package_that_has_it()
    {
        using var folder = new TempFolder();
        Check.Refused(() => WordNetNouns.Read(folder.Path), folder.Path, "data.noun is missing", "apt install wordnet-base");
        TinyWordNet.Write(folder.Path, []);
        Check.Refused(() => WordNetNouns.Read(folder.Path), "data.noun", "holds no noun");
        File.Delete(Path.Combine(folder.Path, "cntlist.rev"));
        Check.Refused(() => WordNetNouns.Read(folder.Path), "cntlist.rev is missing");
    }

    [Fact]
    public void Bytes_changed_at_random_are_read_or_refused()
    {
        var random = new Random(3);
        for (var i = 0; i < 300; i++)
        {
            var letters = Good.ToCharArray();
            letters[random.Next(letters.Length)] = (char)random.Next(32, 127);
            try
            {
                Assert.InRange(Read(new string(letters)).Count, 0, 1);
            }
            catch (BadInputException e)
            {
                Assert.Contains("data.noun", e.Message, StringComparison.Ordinal);
            }
        }
    }
}
