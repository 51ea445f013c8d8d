using Lethe.Models.Language;
using Lethe.Torch;

namespace Lethe.Models.Tests.Language;

public sealed class SiteTests
{
    [Fact]
    public void Text_forms_and_hook_names_are_read_back()
    {
        foreach (var kind in Enum.GetValues<SiteKind>())
        {
            var site = new Site(7, kind);
            Assert.Equal(site, Site.Parse(site.ToString()));
            if (site.HookName is { } hook)
                Assert.Equal(site, Site.Parse(hook));
        }
        Assert.Equal(new Site(12, SiteKind.ResidualAfter), Site.Parse("blocks.12.hook_resid_post"));
        Assert.Equal(new Site(3, SiteKind.Heads), Site.Parse("blocks.3.attn.hook_z"));
        Assert.Equal("layers.0.residual_before", new Site(0, SiteKind.ResidualBefore).ToString());
        Assert.Null(new Site(0, SiteKind.MlpOutput).HookName);
    }

    [Theory]
    [InlineData("layers.7")]
    [InlineData("layers.-1.residual_after")]
    [InlineData("blocks.1.hook_q")]
    [InlineData("blocks.1.")]
    [InlineData("residual_after")]
    public void Other_texts_are_refused_with_what_is_allowed(string text) =>
        Assert.Contains("residual_before, heads, attention_output", Assert.Throws<UsageException>(() => Site.Parse(text)).Message, StringComparison.Ordinal);
}
