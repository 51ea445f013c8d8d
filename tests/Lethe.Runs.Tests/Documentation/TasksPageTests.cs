using System.Text;
using Lethe.Runs.Language.Tasks;
using Lethe.Runs.Plans;

namespace Lethe.Runs.Tests.Documentation;

/// <summary>docs/tasks.md against the tasks and the record that their files are read into.</summary>
public sealed class TasksPageTests
{
    private const string Begin = "<!-- Made of the task record by TasksPageTests; LETHE_REFRESH_DOCS=1 ./test TasksPage makes it anew. -->\n";

    private static string File { get; } = Path.Combine(Repository.Root, "docs", "tasks.md");

    [Fact]
    public void The_key_reference_is_that_of_the_code()
    {
        var page = System.IO.File.ReadAllText(File);
        var begin = page.IndexOf(Begin, StringComparison.Ordinal);
        var reference = Begin + Reference();
        if (Environment.GetEnvironmentVariable("LETHE_REFRESH_DOCS") == "1")
        {
            page = (begin < 0 ? page + "\n" : page[..begin]) + reference;
            System.IO.File.WriteAllText(File, page);
            begin = page.IndexOf(Begin, StringComparison.Ordinal);
        }

        Assert.True(begin >= 0 && page[begin..] == reference, "docs/tasks.md is out of date: run LETHE_REFRESH_DOCS=1 ./test TasksPage and commit what it wrote.");
    }

    [Fact]
    public void The_page_names_every_task_that_comes_with_Lethe()
    {
        var page = System.IO.File.ReadAllText(File);

        Assert.All(Directory.EnumerateFiles(Path.Combine(Repository.Root, "tasks"), "*.yaml"), file => Assert.Contains($"`{Path.GetFileNameWithoutExtension(file)}`", page, StringComparison.Ordinal));
    }

    private static string Reference()
    {
        var text = new StringBuilder("\n## Keys of a task's file\n\n| key | meaning |\n| --- | --- |\n");
        foreach (var entry in PlanHelp.Entries(typeof(TaskFile)))
            text.Append($"| `{entry.Path}` | {entry.Description.Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)} |\n");
        return text.ToString();
    }
}
