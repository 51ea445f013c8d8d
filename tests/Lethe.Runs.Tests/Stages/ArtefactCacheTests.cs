using Lethe.Torch;

namespace Lethe.Runs.Tests.Stages;

public sealed class ArtefactCacheTests
{
    private static string Folder(string run, params (string Name, string Value)[] variables) =>
        ArtefactCache.DefaultFolder(run, name => variables.FirstOrDefault(variable => variable.Name == name).Value);

    [Fact]
    public void The_cache_lies_where_the_variable_says_else_beside_runs_else_in_the_users_cache()
    {
        Assert.Equal("/x/y", Folder("/data/runs/a", ("LETHE_CACHE", "/x/y")));
        Assert.Equal("/data/cache", Folder("/data/runs/a"));
        Assert.Equal("/data/cache", Folder("/data/runs/a/", ("XDG_CACHE_HOME", "/c")));
        Assert.Equal("/c/lethe", Folder("/data/elsewhere/a", ("XDG_CACHE_HOME", "/c"), ("HOME", "/home/u")));
        Assert.Equal("/home/u/.cache/lethe", Folder("/data/elsewhere/a", ("HOME", "/home/u")));
    }

    [Fact]
    public void A_cache_that_cannot_be_written_is_refused_with_the_variable_to_set()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["file"], "");

        Assert.EndsWith("Set LETHE_CACHE to a folder that can.", Assert.Throws<UsageException>(() => new ArtefactCache(folder["file"])).Message);
    }
}
