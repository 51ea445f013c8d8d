using Lethe.Runs.Plans;

namespace Lethe.Runs.Tests.Plans;

public sealed class PlanHelpTests
{
    private sealed record Undescribed
    {
        public int Steps { get; init; }
    }

    [Fact]
    public void Help_lists_every_key_with_its_path_and_ends_where_kinds_hold_themselves()
    {
        var entries = PlanHelp.Entries(typeof(TestPlan));

        Assert.Equal("Step size. Above 0. Default 0.001: the paper's.", entries.First(entry => entry.Path == "optimizer.learning_rate").Description);
        Assert.Equal("The label to forget. From 0 to 9. Required.", entries.First(entry => entry.Path == "concepts.0.label").Description);
        Assert.Equal("A mixture of two.", entries.First(entry => entry.Path == "surrogate.kind=blend").Description);
        Assert.Contains(entries, entry => entry.Path == "surrogate.first.kind=label");
        Assert.DoesNotContain(entries, entry => entry.Path.StartsWith("surrogate.first.first.first", StringComparison.Ordinal));
        Assert.Contains("\nsurrogate.target: The other label. From 0 to 9. Required.\n", PlanHelp.Text(typeof(TestPlan)));
    }

    [Fact]
    public void A_key_that_says_nowhere_what_it_means_is_a_mistake_in_the_record() =>
        Assert.Contains("says nowhere what it means", Assert.Throws<NotSupportedException>(() => PlanSection.Of(typeof(Undescribed))).Message);
}
