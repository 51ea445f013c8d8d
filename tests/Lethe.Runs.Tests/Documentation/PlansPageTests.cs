using System.Text;
using Lethe.Runs.Generative;
using Lethe.Runs.Guardrails;
using Lethe.Runs.Language.Studies;
using Lethe.Runs.Language.Topics;
using Lethe.Runs.Plans;

namespace Lethe.Runs.Tests.Documentation;

/// <summary>The key reference of docs/plans.md is made of the plan records.</summary>
public sealed class PlansPageTests
{
    private const string Begin = "<!-- Made of the plan records by PlansPageTests; LETHE_REFRESH_DOCS=1 ./test PlansPage makes it anew. -->\n";

    [Fact]
    public void The_key_reference_is_that_of_the_code()
    {
        var file = Path.Combine(Repository.Root, "docs", "plans.md");
        var page = File.ReadAllText(file);
        var begin = page.IndexOf(Begin, StringComparison.Ordinal);
        var reference = Begin + Reference();
        if (Environment.GetEnvironmentVariable("LETHE_REFRESH_DOCS") == "1")
        {
            page = (begin < 0 ? page : page[..begin]) + reference;
            File.WriteAllText(file, page);
            begin = page.IndexOf(Begin, StringComparison.Ordinal);
        }

        Assert.True(begin >= 0 && page[begin..] == reference, "docs/plans.md is out of date: run LETHE_REFRESH_DOCS=1 ./test PlansPage and commit what it wrote.");
    }

    private static string Reference()
    {
        var text = new StringBuilder();
        foreach (var (verb, type) in ((string, Type)[])[("train", typeof(TrainPlan)), ("unlearn", typeof(UnlearnPlan)), ("sweep", typeof(SweepPlan)), ("compare", typeof(StudyPlan)), ("guardrail calibrate", typeof(GuardrailPlan))])
        {
            text.Append($"\n## Keys of a plan of `{verb}`\n\n| key | meaning |\n| --- | --- |\n");
            foreach (var entry in PlanHelp.Entries(type))
                text.Append($"| `{entry.Path}` | {entry.Description.Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)} |\n");
        }
        text.Append("\n## Keys of a ground\n\nWhat a language model is to forget and how that is measured: [grounds.md](grounds.md).\n\n| key | meaning |\n| --- | --- |\n");
        foreach (var entry in PlanHelp.Entries(typeof(GroundPlan)))
            text.Append($"| `{entry.Path}` | {entry.Description.Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)} |\n");
        return text.ToString();
    }
}
