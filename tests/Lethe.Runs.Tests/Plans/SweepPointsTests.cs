using Lethe.Evaluation;
using Lethe.Runs.Generative;
using Lethe.Runs.Plans;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs.Tests.Plans;

public sealed class SweepPointsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public SweepPointsTests() => TinyImages.Write(folder.Path);

    public void Dispose() => folder.Dispose();

    private IReadOnlyList<SweepRun> Points(string yaml, IReadOnlyList<string>? overrides = null, long? seed = null) =>
        SweepPoints.Of(PlanReader.Parse<SweepPlan>($"title: t\nplan: {TinyImages.PlanName}\n{yaml}", folder["sweep.yaml"]), overrides, seed);

    private static ImageUnlearnPlan Value(SweepRun point) => (ImageUnlearnPlan)point.Plan.Value;

    [Fact]
    public void Every_combination_is_run_with_every_seed_and_the_last_key_varies_fastest()
    {
        var points = Points("grid:\n  method.lambda: [10, 20]\n  method.strength: [0.5, 1]\nseeds: [0, 7]\n");

        Assert.Equal(
            ["lambda 10 strength 0.5 seed 0", "lambda 10 strength 0.5 seed 7", "lambda 10 strength 1 seed 0", "lambda 10 strength 1 seed 7", "lambda 20 strength 0.5 seed 0", "lambda 20 strength 0.5 seed 7", "lambda 20 strength 1 seed 0", "lambda 20 strength 1 seed 7"],
            points.Select(point => FormattableString.Invariant($"lambda {Value(point).Method.Lambda} strength {Value(point).Method.Strength} seed {point.Plan.Value.Seed}")));
        Assert.Equal("method.lambda=10, method.strength=0.5, seed 0", points[0].Words);
        Assert.StartsWith("lambda-10-strength-0.5-seed-0-", points[0].Name, StringComparison.Ordinal);
        Assert.Equal(8, points.Select(point => point.Name).Distinct().Count());
    }

    [Fact]
    public void Values_shared_by_all_points_come_from_the_sweep_and_from_the_command_line()
    {
        var point = Assert.Single(Points("set: {measure.samples: 60}\ngrid: {method.strength: [0.5]}\n", ["measure.draws=3"], seed: 5));

        Assert.Equal((60, 3, 5), (Value(point).Measure.Samples, Value(point).Measure.Draws, point.Plan.Value.Seed));
        Assert.Equal(0.5, Assert.Single(point.Options).Value);
    }

    [Fact]
    public void Paths_of_the_plan_underneath_stay_relative_to_that_plan() =>
        Assert.Equal(folder[TinyImages.PlanName], Assert.Single(Points("grid: {method.strength: [0.5]}\n")).Plan.Source);

    [Fact]
    public void A_whole_section_can_be_a_value_of_the_grid()
    {
        var points = Points("grid:\n  forget.0.surrogate:\n    - {kind: noise}\n    - {kind: label, target: 8}\n");

        Assert.IsType<NoisePlan>(Value(points[0]).Forget[0].Surrogate);
        Assert.IsType<LabelPlan>(Value(points[1]).Forget[0].Surrogate);
        Assert.Equal("""{"kind":"label","target":8}""", points[1].Options["forget.0.surrogate"]);
    }

    [Theory]
    [InlineData("grid: {method.strength: [0.5, 2]}\n", "sweep.yaml:3:31: 'method.strength' is 2; it must be from 0.001 to 1.")]
    [InlineData("grid: {method.strenght: [0.5]}\n", "unknown key 'strenght' in 'method'")]
    [InlineData("grid: {method..strength: [0.5]}\n", "a name in the path 'method..strength' is empty")]
    [InlineData("grid: {}\n", "'grid' has 0 items; it must have at least 1.")]
    [InlineData("grid: {method.strength: []}\n", "'grid.method.strength' has 0 items; it must have at least 1.")]
    [InlineData("grid: {method.strength: [0.5, 0.50]}\n", "the grid holds method.strength=0.5, seed 0 twice; list each value once.")]
    [InlineData("grid: {method.strength: [0.5]}\nset: {method.strength: 1}\n", "The grid varies this key; leave it out of one of the two.")]
    [InlineData("grid: {seed: [1, 2]}\n", "Seeds are listed under 'seeds', not in 'grid' or 'set'.")]
    [InlineData("grid: {method.strength: [0.5]}\nseeds: [1, 1]\n", "A seed stands there twice; list each once.")]
    [InlineData("grid: {method.strength: [0.5]}\nseeds: [-1]\n", "A seed is negative; seeds are whole numbers from 0.")]
    public void A_sweep_that_is_not_right_is_refused_before_anything_runs(string yaml, string sentence) =>
        Assert.Contains(sentence, Assert.Throws<UsageException>(() => Points(yaml)).Message, StringComparison.Ordinal);

    [Fact]
    public void The_command_line_does_not_set_what_the_grid_varies() =>
        Assert.Contains("is what the grid of", Assert.Throws<UsageException>(() => Points("grid: {method.strength: [0.5]}\n", ["method.strength=1"])).Message, StringComparison.Ordinal);

    [Fact]
    public void A_changed_plan_underneath_is_another_sweep()
    {
        var sweep = PlanReader.Parse<SweepPlan>($"title: t\nplan: {TinyImages.PlanName}\ngrid: {{method.strength: [0.5]}}\n", folder["sweep.yaml"]);
        var before = SweepPoints.Digest(sweep, SweepPoints.Of(sweep));
        File.AppendAllText(folder[TinyImages.PlanName], "seed: 3\n");

        Assert.NotEqual(before, SweepPoints.Digest(sweep, SweepPoints.Of(sweep)));
    }

    [Fact]
    public void A_plan_that_is_not_there_is_named() =>
        Assert.Equal($"{folder["none.yaml"]}: there is no such plan; give the path of a YAML file.",
            Assert.Throws<UsageException>(() => SweepPoints.Of(PlanReader.Parse<SweepPlan>("title: t\nplan: none.yaml\ngrid: {method.strength: [0.5]}\n", folder["sweep.yaml"]))).Message);

    [Theory]
    [InlineData(0, 3, new[] { 0, 3, 6 })]
    [InlineData(2, 3, new[] { 2, 5 })]
    public void Shards_take_every_nth_point(int index, int count, int[] points) =>
        Assert.Equal(points, Enumerable.Range(0, 7).Where(new Shard(index, count).Has));

    [Fact]
    public void The_front_holds_the_points_that_no_other_is_as_good_as()
    {
        SweepPoint Point(double share, double rise) => new ImageSweepPoint(new Dictionary<string, object?>(), 0, new Measure(0, 1), new Measure(share, 1), new Measure(0, 1), new Measure(rise, 1), false, "");

        var points = SweepPipeline.WithFront([Point(0.1, 0.3), Point(0.1, 0.2), Point(0.5, -0.1), Point(0.5, 0.25), Point(0.05, 0.8), Point(0.05, 0.8)]);

        // Of two that are the same neither beats the other.
        Assert.Equal([false, true, true, false, true, true], points.Select(point => point.OnFront));
    }
}
