using Lethe.Models.Language.Generation;

namespace Lethe.Models.Tests.Language.Generation;

public sealed class StopStringsTests
{
    [Fact]
    public void However_a_text_is_cut_it_ends_before_the_first_stop_string()
    {
        const string Text = "abcabcab\n\nQuestion: no\n\nQ";
        foreach (var (stops, expected) in ((string[], string)[])[(["\n\nQ"], "abcabcab"), (["bcab", "zz"], "a"), (["abcabcabc"], Text), (["no", "ion"], "abcabcab\n\nQuest"), ([], Text), (["\n\nQu", "b\n"], "abcabca")])
        {
            var chance = new TokenChance(3);
            for (var trial = 0; trial < 200; trial++)
            {
                var filter = new StopStrings(stops);
                var given = "";
                for (var at = 0; at < Text.Length;)
                {
                    var length = Math.Min(Text.Length - at, 1 + (int)(chance.Next() * 6));
                    given += filter.Push(Text.Substring(at, length));
                    at += length;
                }
                given += filter.Finish();
                Assert.Equal(expected, given);
                Assert.Equal(expected != Text, filter.Stopped);
            }
        }
    }

    [Fact]
    public void Only_what_may_become_a_stop_string_waits()
    {
        var filter = new StopStrings(["END"]);
        Assert.Equal("one ", filter.Push("one E"));
        Assert.Equal("EN", filter.Push("NE"[..1] + "EN")[..2]);
        Assert.Equal("EN", filter.Finish());
    }
}
