using Lethe.Evaluation;
using Lethe.Evaluation.Language;
using Lethe.Evaluation.Statistics;
using Lethe.Runs.Language.Studies;
using Lethe.Runs.Plans;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs.Tests.Language;

/// <summary>How a study drops, chooses, pools and judges, on figures whose outcome can be worked out by hand.</summary>
public sealed class StudyTests
{
    private static readonly UtilityBound Bound = new();

    private static UtilityFigures Figures(string name, double forgotten, double retain = 0, double neighbour = 0, double perplexity = 0) => new(name, forgotten, retain, neighbour, perplexity);

    // Pairs in blocks of two: an after-value for each block.
    private static readonly ClusterDesign Design = new([.. Enumerable.Repeat("stone", 20)], [.. Enumerable.Range(0, 20).Select(pair => pair / 2)]);

    private static ClusteredSample Sample(params IReadOnlyList<Func<int, double>> seeds) => new(Design, [.. seeds.Select(of => (IReadOnlyList<double>)[.. Enumerable.Range(0, 20).Select(of)])]);

    private static StudySamples Topic(string name, params IReadOnlyList<Func<int, double>> after)
    {
        var side = new SideSamples(Sample(_ => 1), Sample(after), ClusteredSample.Constant(0.5), Sample(_ => 2), Sample(_ => 1));
        return new StudySamples(name, ["stone"], side, null, Sample(_ => 1), Sample(_ => 1));
    }

    [Fact]
    public void Halving_keeps_those_within_the_bound_by_what_they_forget_and_then_the_cheapest()
    {
        UtilityFigures[] figures = [Figures("dear", 0.99, retain: -0.05), Figures("less", 0.3), Figures("more", 0.6), Figures("cheap", 0.9, perplexity: 0.03), Figures("failed", double.NaN, double.NaN)];

        Assert.Equal(["more", "less", "cheap", "dear", "failed"], StudyHalving.Kept(figures, 1, Bound));
        Assert.Equal(["more", "less", "cheap"], StudyHalving.Kept(figures, 0.5, Bound));
        Assert.Equal(["more"], StudyHalving.Kept(figures, 0.01, Bound));
        // 0.2 · 5 is one, whatever floating point makes of it.
        Assert.Single(StudyHalving.Kept(figures, 0.2, Bound));
    }

    [Fact]
    public void The_choice_forgets_most_within_the_bound_and_says_where_none_is_within()
    {
        Assert.Equal(new Choice("b", true), StudyHalving.Choose([Figures("a", 0.2), Figures("b", 0.5), Figures("c", 0.9, neighbour: -0.04)], Bound));
        Assert.Equal(new Choice("c", false), StudyHalving.Choose([Figures("a", 0.9, retain: -0.03), Figures("c", 0.1, retain: -0.02)], Bound));
        Assert.Equal("rmu", StudyHalving.Strongest([Figures("npo", 0.9, retain: -0.03), Figures("rmu", 0.1)], Bound));
    }

    [Fact]
    public void Cost_is_the_largest_loss_in_units_of_its_bound()
    {
        Assert.Equal(1.5, Bound.Cost(-0.005, -0.045, 0.02), 12);
        Assert.Equal(double.PositiveInfinity, Bound.Cost(double.NaN, 0, 0));
    }

    [Fact]
    public void Seeds_are_averaged_pair_by_pair_before_anything_else()
    {
        // One seed forgets the even blocks, the other the odd ones: each pair is right half of the time, which is the floor, and nothing varies between blocks.
        var side = StudyStatistics.Side(Topic("t", pair => pair / 2 % 2, pair => 1 - pair / 2 % 2).Trained);

        Assert.Equal(0.5, side.SwapAfter.Value, 12);
        Assert.Equal(1, side.GapClosed!.Value, 12);
        Assert.Equal((1.0, 1.0), (side.GapClosed.Interval!.Low, side.GapClosed.Interval.High));
        Assert.Equal(0, side.Left.Value, 12);
        Assert.True(side.Qualifies);
    }

    [Fact]
    public void What_lies_below_the_floor_is_left_as_much_as_what_lies_above()
    {
        // A tenth of the blocks right: 40 points below the floor, of 50 that were known.
        var side = StudyStatistics.Side(Topic("t", pair => pair < 2 ? 1 : 0).Trained);

        Assert.Equal(0.4, side.Left.Value, 12);
        Assert.Equal(0.2, side.GapClosed!.Value, 12);
        Assert.InRange(side.Left.Interval!.Low, 0, 0.4);
        Assert.InRange(side.Left.Interval.High, 0.4, 0.5);
    }

    [Fact]
    public void Topics_are_pooled_alike_and_methods_compared_on_the_same_pairs()
    {
        // Ours leaves 10 and 0 points, the other 30 and 20: 5 against 25 on average.
        StudySamples[] ours = [Topic("a", pair => pair < 12 ? 1 : 0), Topic("b", pair => pair < 10 ? 1 : 0)], other = [Topic("a", pair => pair < 16 ? 1 : 0), Topic("b", pair => pair < 14 ? 1 : 0)];
        var figures = new StudyFigures { GapClosed = 0, Swap = 0, Margin = 0, RetainChange = 0, WorstNeighbour = "", WorstNeighbourChange = 0, PerplexityChange = 0.01, Cost = 0.5, ForgetSeconds = 0 };

        var pooled = StudyStatistics.Pooled(ours, [figures, figures with { PerplexityChange = 0.03, Cost = 1.5 }]);
        Assert.Equal(0.05, pooled.Left.Value, 12);
        Assert.Equal((0.8 + 1.0) / 2, pooled.GapClosed!.Value, 12);
        Assert.Equal((0.02, 0.03, 1.5), (pooled.PerplexityChange, pooled.WorstPerplexityChange, pooled.Cost));
        // Nothing was lost; and so few blocks are no proof that less than one point is.
        Assert.Equal(0, pooled.Retain.Change.Value);
        Assert.False(pooled.Retain.NonInferior);
        Assert.Equal("a/stone", pooled.Retain.WorstTopic);

        var comparison = StudyStatistics.Compare(ours, other, "rmu", "baseline", strongest: true);
        Assert.Equal(-0.2, comparison.Difference!.Value, 12);
        Assert.Equal(0.2, comparison.Ratio!.Value, 12);
        Assert.Equal([-0.2, -0.2], comparison.Topics.Select(topic => Math.Round(topic.Difference.Value, 12)));
        // Holm's smallest of two is doubled, the larger at least as large.
        var sorted = comparison.Topics.OrderBy(topic => topic.P).ToArray();
        Assert.Equal(Math.Min(1, 2 * sorted[0].P), sorted[0].Holm, 12);
        Assert.Equal(Math.Max(sorted[0].Holm, sorted[1].P), sorted[1].Holm, 12);

        // A method beside itself leaves the same under every draw.
        var same = StudyStatistics.Compare(ours, ours, "again", "control", strongest: false);
        Assert.Equal((0.0, 1.0), (same.Difference!.Value, same.P));
        Assert.Equal(1, same.Ratio!.Value, 12);
    }

    [Fact]
    public void Goals_are_met_by_values_and_certain_by_intervals()
    {
        StudyMethodResult Proposed(double closed, double low, params UtilityLoss[] broken) => new()
        {
            Name = "ours",
            Kind = "sspu",
            Role = "proposed",
            Configurations = [],
            NotSearched = new Dictionary<string, object?>(),
            Budget = new StudyBudget(1, 1, 0, 0),
            Topics =
            [
                new StudyTopicResult
                {
                    Topic = "t",
                    Reading = new StudyReading(new StudyFigures { GapClosed = closed, Swap = 0, Margin = 0, RetainChange = 0, WorstNeighbour = "", WorstNeighbourChange = 0, PerplexityChange = 0, Cost = 0, ForgetSeconds = 0 }, broken, [], []),
                    Trained = StudyStatistics.Side(Topic("t", _ => 0.5).Trained) with { GapClosed = new Measure(closed, 20, 0.01, new Interval(low, 1)) },
                },
            ],
        };
        StudyComparison Comparison(double difference, double high, double ratio) => new("rmu", "baseline", true, new Measure(difference, 20, 0.01, new Interval(-1, high)), 0.01, new Measure(ratio, 20), null, []);

        var sure = StudyGoalRules.Of(Proposed(0.95, 0.91), Comparison(-0.05, -0.04, 0.7));
        Assert.True(sure.Closes is { Met: true, Certain: true, LeastTopic: "t" } && sure.LeavesLess is { Met: true, Certain: true });
        var measured = StudyGoalRules.Of(Proposed(0.95, 0.85), Comparison(-0.01, 0.01, 0.4));
        Assert.True(measured.Closes is { Met: true, Certain: false } && measured.LeavesLess is { Met: true, Certain: false });
        var missed = StudyGoalRules.Of(Proposed(0.95, 0.91, UtilityLoss.Perplexity), Comparison(-0.01, 0.01, 0.6));
        Assert.True(missed.Closes is { Met: false, WithinBound: false } && missed.LeavesLess is { Met: false });
    }

    private const string Base = "title: t\nplan: p.yaml\n", Rest = "tune: {set: {ground.forget: a}}\nreport: {topics: [{name: b}]}\n";

    [Theory]
    [InlineData("methods: [{name: a, proposed: true}, {name: a}]\n" + Rest, "Two methods are named 'a'; give each its own name.")]
    [InlineData("methods: [{name: a}, {name: b}]\n" + Rest, "0 methods are proposed; exactly one has to say proposed: true.")]
    [InlineData("methods: [{name: a, proposed: true}, {name: b, control: true}]\n" + Rest, "No method is a baseline; leave proposed and control out of at least one.")]
    [InlineData("methods: [{name: a, proposed: true, control: true}, {name: b}]\n" + Rest, "A method is proposed or a control, not both.")]
    [InlineData("methods: [{name: a, proposed: true, set: {measure.questions: 4}}, {name: b}]\n" + Rest, "'measure.questions' decides what is asked, and all methods are asked the same; set it in the study's set, in tune or in report.")]
    [InlineData("methods: [{name: a, proposed: true, grid: {method.steps: [1]}}, {name: b}]\ntune: {rounds: [{set: {method.steps: 1}}, {}]}\nreport: {topics: [{name: b}]}\n", "'method.steps' is what the grid of 'a' varies; leave it out of methods.0.grid or of the round.")]
    [InlineData("methods: [{name: a, proposed: true}, {name: b}]\ntune: {rounds: [{set: {method.steps: 1}}]}\nreport: {topics: [{name: b}]}\n", "The last round chooses, and what is chosen is reported as it was run; 'method.steps' may be set in earlier rounds only.")]
    [InlineData("methods: [{name: a, proposed: true}, {name: b}]\n" + Rest + "sensitivity: {method: c, keys: {method.steps: [1]}}\n", "'c' is no method")]
    [InlineData("methods: [{name: a, proposed: true}, {name: b}]\ntune: {set: {seed: 1}}\nreport: {topics: [{name: b}]}\n", "Seeds are listed under 'seeds', not in 'set'.")]
    [InlineData("methods: [{name: a, proposed: true}, {name: b}]\ntune: {rounds: [{keep: 0}]}\nreport: {topics: [{name: b}]}\n", "'tune.rounds.0.keep' is 0; it must be above 0 and at most 1.")]
    public void A_study_that_compares_nothing_fairly_is_refused_in_one_sentence(string yaml, string sentence)
    {
        var error = Assert.Throws<UsageException>(() => PlanReader.Parse<StudyPlan>(Base + yaml, "study.yaml"));

        Assert.Contains(sentence, error.Message, StringComparison.Ordinal);
        Assert.Equal(2, error.ExitCode);
    }

    [Fact]
    public void Texts_to_read_may_differ_between_methods_where_questions_may_not()
    {
        static string With(string set) => Base + "methods: [{name: a, proposed: true, set: {" + set + "}}, {name: b}]\n" + Rest;

        Assert.Contains("ground.texts.counterfactuals", PlanReader.Parse<StudyPlan>(With("ground.texts.counterfactuals: none"), "study.yaml").Value.Methods[0].Set.Keys);
        _ = Assert.Throws<UsageException>(() => PlanReader.Parse<StudyPlan>(With("ground.prompt: other"), "study.yaml"));
    }
}
