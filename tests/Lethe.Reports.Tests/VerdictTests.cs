using Lethe.Evaluation;
using Lethe.Reports.Tests.Example;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Reports.Tests;

public sealed class VerdictTests
{
    private static readonly ImageUnlearnResult Result = ExampleRun.Result;

    private static ImageUnlearnResult WithSneaker(Func<ForgetResult, ForgetResult> change) =>
        Result with { Concepts = [Result.Concepts[0] with { Forget = change(Result.Concepts[0].Forget) }] };

    private static ImageUnlearnResult WithRetained(Func<RetainResult, RetainResult> change) => Result with { Retain = change(Result.Retain) };

    private static Verdict Of(ImageUnlearnResult result) => Verdict.Of(result, new VerdictRules());

    [Theory]
    [InlineData(0.0003, 10_000, ForgetOutcome.Forgotten)]
    [InlineData(0.0090, 10_000, ForgetOutcome.Undecided)] // its interval reaches 1.10 %, beyond 0.01 % + 1 point
    [InlineData(0, 100, ForgetOutcome.Undecided)] // none of a hundred: up to 3.7 % is possible
    [InlineData(0.2, 10_000, ForgetOutcome.Partly)]
    [InlineData(0.5, 10_000, ForgetOutcome.NotForgotten)] // more than half of 97 %
    public void The_share_with_its_interval_decides_whether_a_concept_is_forgotten(double share, long n, ForgetOutcome outcome) =>
        Assert.Equal(outcome, Of(WithSneaker(forget => forget with { Share = ExampleRun.Share(share, n) })).Forget);

    [Fact]
    public void A_judge_that_still_suspects_the_concept_keeps_it_from_counting_as_forgotten()
    {
        // Never the likeliest class, but at 0.3 where the surrogate gets 0.0387.
        var verdict = Of(WithSneaker(forget => forget with { Probability = ExampleRun.Mean(0.3, 10_000, 0.001) }));
        Assert.Equal(ForgetOutcome.Partly, verdict.Forget);
    }

    [Fact]
    public void A_concept_mapped_to_a_label_is_compared_with_the_base_models_samples_of_that_label()
    {
        var shirt = Of(Result).Concepts[1];
        Assert.Equal(Result.Confusion.Before[0][6], shirt.ReferenceShare);
        Assert.Equal(ForgetOutcome.Forgotten, shirt.Outcome);
    }

    [Fact]
    public void A_concept_turned_into_noise_is_compared_with_noise()
    {
        var high = Result with { Concepts = [Result.Concepts[0] with { FloorShare = ExampleRun.Share(0.12, 10_000), Forget = Result.Concepts[0].Forget with { Share = ExampleRun.Share(0.12, 10_000) } }] };
        Assert.Equal(ForgetOutcome.Forgotten, Of(high).Forget);
        Assert.Equal(ForgetOutcome.Partly, Of(high with { Concepts = [high.Concepts[0] with { FloorShare = null }] }).Forget);
    }

    [Fact]
    public void The_worst_concept_speaks_for_all()
    {
        var mixed = Result with { Concepts = [Result.Concepts[0] with { Forget = Result.Concepts[0].Forget with { Share = ExampleRun.Share(0.9, 10_000) } }, Result.Concepts[1]] };
        Assert.Equal(ForgetOutcome.NotForgotten, Of(mixed).Forget);
    }

    [Theory]
    [InlineData(0.9224, 80_000, RetainOutcome.Kept)]
    [InlineData(0.9060, 800, RetainOutcome.Undecided)] // 1.9 points lost, and up to 3.9 possible
    [InlineData(0.8960, 80_000, RetainOutcome.Noticeable)]
    [InlineData(0.8500, 80_000, RetainOutcome.Heavy)]
    [InlineData(0.9400, 80_000, RetainOutcome.Kept)]
    public void The_loss_of_accuracy_with_its_interval_decides_whether_the_rest_is_kept(double after, long n, RetainOutcome outcome) =>
        Assert.Equal(outcome, Of(WithRetained(retain => retain with { AccuracyAfter = ExampleRun.Share(after, n) })).Retain);

    [Fact]
    public void A_paired_change_of_accuracy_goes_before_the_difference_of_two_shares()
    {
        var few = WithRetained(retain => retain with { AccuracyAfter = ExampleRun.Share(0.906, 800) });
        Assert.Equal(RetainOutcome.Undecided, Of(few).Retain);
        Assert.Equal(RetainOutcome.Kept, Of(few with { Retain = few.Retain with { AccuracyChange = ExampleRun.Mean(-0.0185, 800, 0.0005) } }).Retain);
    }

    [Theory]
    [InlineData(-0.049, RetainOutcome.Kept)]
    [InlineData(-0.06, RetainOutcome.Noticeable)]
    [InlineData(-0.16, RetainOutcome.Heavy)]
    public void One_condition_that_loses_much_is_enough(double change, RetainOutcome outcome) =>
        Assert.Equal(outcome, Of(WithRetained(retain => retain with { WorstChange = change })).Retain);

    [Theory]
    [InlineData(2.0, 0.01, RetainOutcome.Kept)]
    [InlineData(2.3, 0.2, RetainOutcome.Undecided)]
    [InlineData(3.0, 0.01, RetainOutcome.Noticeable)]
    [InlineData(8.0, 0.01, RetainOutcome.Heavy)]
    public void A_rise_of_the_retained_bound_counts_relative_to_its_level(double rise, double error, RetainOutcome outcome)
    {
        // The retained conditions of the example stand at 235.33 nats on average, so one per cent is 2.35.
        Assert.Equal(235.325, Result.Classes.Where(c => c.Role == Roles.Retained).Average(c => c.Before.NegativeElbo.Value), 3);
        Assert.Equal(outcome, Of(WithRetained(retain => retain with { NegativeElboChange = ExampleRun.Mean(rise, 8_000, error) })).Retain);
    }

    [Theory]
    [InlineData(100L, 200L, TraceOutcome.Seen)]
    [InlineData(100L, null, TraceOutcome.Seen)]
    [InlineData(200L, 200L, TraceOutcome.NoneSeen)]
    [InlineData(null, 200L, TraceOutcome.NoneSeen)]
    [InlineData(null, null, TraceOutcome.NoneSeen)]
    public void Traces_are_seen_when_the_concept_comes_back_sooner_than_in_the_control(long? forgotten, long? control, TraceOutcome outcome)
    {
        var curve = Result.Relearning![1] with { StepsForgotten = forgotten, StepsControl = control };
        Assert.Equal(outcome, Of(Result with { Relearning = [curve] }).Traces);
    }

    [Fact]
    public void Real_images_that_are_explained_sooner_show_traces_that_samples_hide()
    {
        // A control that learned nothing but the mean image passes the judge early.
        var curve = Result.Relearning![0] with { StepsForgotten = 133, StepsControl = 30, ExplainedNats = 219, ExplainedForgotten = 150, ExplainedControl = 750 };
        Assert.Equal(TraceOutcome.Seen, Of(Result with { Relearning = [curve] }).Traces);
        Assert.Equal(TraceOutcome.NoneSeen, Of(Result with { Relearning = [curve with { ExplainedNats = null }] }).Traces);
    }

    [Fact]
    public void Without_relearning_nothing_is_said_of_traces() => Assert.Equal(TraceOutcome.NotTested, Of(Result with { Relearning = null }).Traces);

    [Fact]
    public void The_difference_of_two_independent_shares_has_the_root_of_their_summed_squares_as_error()
    {
        var change = Verdict.Change(new Measure(0.5, 100, 0.03), new Measure(0.4, 200, 0.04));
        Assert.Equal((-0.1, 0.05), (change.Value, change.StandardError!.Value), (a, b) => Math.Abs(a.Item1 - b.Item1) + Math.Abs(a.Item2 - b.Item2) < 1e-12);
        Assert.Equal(-0.1 - 1.959964 * 0.05, change.Interval!.Low, 12);
    }

    public static TheoryData<string, ImageUnlearnResult> Contradictions => new()
    {
        { "kind", Result with { Kind = "language" } },
        { "classes", Result with { Classes = [.. Result.Classes.Skip(1)] } },
        { "confusion.after", Result with { Confusion = Result.Confusion with { After = [[1]] } } },
        { "confusion.before", Result with { Confusion = Result.Confusion with { Before = [.. Result.Confusion.Before.Select(row => row.Take(9).ToArray())] } } },
        { "request.concepts.target", Result with { Request = Result.Request with { Concepts = [Result.Request.Concepts[0], Result.Request.Concepts[1] with { Target = 10 }] } } },
        { "request.retained", Result with { Request = Result.Request with { Retained = [-1] } } },
        { "does not ask for", Result with { Request = Result.Request with { Concepts = [Result.Request.Concepts[1]] } } },
        { "retained", Result with { Classes = [.. Result.Classes.Select(c => c with { Role = Roles.Free })] } },
        { "concepts is empty", Result with { Concepts = [] } },
        { "relearning", Result with { Relearning = [Result.Relearning![0] with { Label = 12 }] } },
    };

    [Theory]
    [MemberData(nameof(Contradictions))]
    public void A_result_that_contradicts_itself_is_refused_by_the_name_of_the_part(string part, ImageUnlearnResult result) =>
        Assert.Contains(part, Assert.Throws<BadInputException>(() => Of(result)).Message);
}
