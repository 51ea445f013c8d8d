using Lethe.Reports.Markup;

namespace Lethe.Reports.Tests.Markup;

public sealed class HtmlTests
{
    [Theory]
    [InlineData("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;")]
    [InlineData("\" onload='x'", "&quot; onload=&#39;x&#39;")]
    [InlineData("a & b &amp; c", "a &amp; b &amp;amp; c")]
    [InlineData("靴 – Schuh", "靴 – Schuh")]
    [InlineData("a\0b\u001b[2Jc\u0085", "a\uFFFDb\uFFFD[2Jc\uFFFD")]
    [InlineData("evil\u202Egnp.exe\u2066", "evil\uFFFDgnp.exe\uFFFD")]
    [InlineData("tab\tline\n", "tab\tline\n")]
    [InlineData("\uFFFE😀", "\uFFFD😀")]
    public void Text_is_escaped_for_elements_and_attributes(string text, string escaped) => Assert.Equal(escaped, Html.Escape(text));

    [Fact]
    public void A_lone_surrogate_becomes_the_replacement_character() => Assert.Equal("a\uFFFDb", Html.Escape("a" + '\uD800' + "b"));

    [Fact]
    public void Holes_of_an_interpolated_string_are_escaped_and_markup_in_them_is_not()
    {
        var inner = Html.Of($"<em>{"<&>"}</em>");
        Assert.Equal("<p title=\"&quot;\"><em>&lt;&amp;&gt;</em>7</p>", Html.Of($"<p title=\"{"\""}\">{inner}{7}</p>").ToString());
        Assert.Equal("<em>&lt;&amp;&gt;</em><em>&lt;&amp;&gt;</em>", Html.Of($"{new[] { inner, inner }}").ToString());
    }

    [Fact]
    public void Plain_text_has_the_words_without_the_markup() =>
        Assert.Equal("3 of <b> & 'c'", Html.Of($"<strong>3</strong> of {"<b> & 'c'"}").ToPlainText());

    [Fact]
    public void A_line_for_a_terminal_holds_no_line_end_and_no_escape() => Assert.Equal("a b \uFFFD[31m", Unwanted.OneLine("a\tb\n\u001b[31m"));
}
