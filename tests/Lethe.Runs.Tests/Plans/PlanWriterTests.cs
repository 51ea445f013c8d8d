using Lethe.Runs.Plans;

namespace Lethe.Runs.Tests.Plans;

public sealed class PlanWriterTests
{
    [Fact]
    public void A_resolved_plan_spells_out_every_default_with_meaning_bounds_and_reason()
    {
        var plan = PlanReader.Parse<TestPlan>("title: Forget\nconcepts:\n- label: 3\n- label: 4\n  surrogate: {kind: label, target: 8}", "p.yaml");

        Assert.Equal("""
            # What the plan is for. Required.
            title: Forget
            # Seed of every random stream. Default 1: any number will do.
            seed: 1
            # How the new is weighed against the old. From 0 to 1. Default 0.5.
            strength: 0.5
            # Images in a batch. At least 1. Default 64.
            batch_size: 64
            # Whether to attack the result. Default true.
            attack: true
            # The colour of the chart. One of: red, deep_blue. Default deep_blue.
            colour: deep_blue
            # Steps; chosen by the criterion if null. From 1 to 10. Default null.
            steps: null
            # A comment. Default null.
            comment: null
            # The data set. One of: mnist, fashion-mnist. Default mnist.
            data: mnist
            # Labels to keep. From 0 to 9. At most 4 items.
            retain: []
            # The optimizer.
            optimizer:
              # Step size. Above 0. Default 0.001: the paper's.
              learning_rate: 0.25
              # Decay of the first moment. At least 0 and below 1. Default 0.9.
              beta: 0.9
            # The schedule; none if null.
            schedule: null
            # What to forget.
            concepts:
              # The label to forget. From 0 to 9. Required.
              - label: 3
                # What takes its place. One of: noise, label, blend.
                surrogate:
                  kind: noise
                  # Width of the noise. From 0 to 10. Default 1.
                  spread: 1
              - label: 4
                surrogate:
                  kind: label
                  target: 8
            # What takes its place by default. One of: noise, label, blend.
            surrogate:
              kind: noise
              # Width of the noise. From 0 to 10. Default 1.
              spread: 2
            # Values to try, by the path of their key.
            grid: {}

            """, plan.Resolved);
    }

    [Fact]
    public void Any_plan_reads_back_as_it_was_written()
    {
        var random = new Random(11);
        for (var i = 0; i < 500; i++)
        {
            var plan = new Plan<TestPlan>(RandomPlan(random), "made");

            var again = PlanReader.Parse<TestPlan>(plan.Resolved, "again.yaml");

            Assert.Equal(CanonicalJson.Of(plan.Value), CanonicalJson.Of(again.Value));
            Assert.Equal(plan.Digest, again.Digest);
            Assert.Equal(plan.Resolved, again.Resolved);
            Assert.Empty(plan.DifferencesFrom(again.Resolved, "again.yaml"));
        }
    }

    [Fact]
    public void Differences_name_the_keys_with_both_values_and_an_older_plan_lacks_only_defaults()
    {
        var plan = PlanReader.Parse<TestPlan>("title: a\nstrength: 0.1\noptimizer: {beta: 0.2}", "p.yaml");

        Assert.Equal(["concepts is [{\"label\":1,\"surrogate\":{\"kind\":\"noise\",\"spread\":1}}] there and [] here", "optimizer.beta is 0.9 there and 0.2 here", "strength is 0.5 there and 0.1 here"],
            plan.DifferencesFrom("title: a\nconcepts: [{label: 1}]", "old.yaml").Select(difference => difference.ToString()));
        Assert.Empty(plan.DifferencesFrom("title: a\nstrength: 0.1\noptimizer: {beta: 0.2}\nseed: 1", "old.yaml"));
    }

    private static TestPlan RandomPlan(Random random) => new()
    {
        Title = Text(random),
        Seed = random.NextInt64(long.MinValue, long.MaxValue),
        Strength = random.NextDouble(),
        BatchSize = random.Next(1, int.MaxValue),
        Attack = random.Next(2) == 0,
        Colour = (Colour)random.Next(2),
        Steps = random.Next(2) == 0 ? null : random.Next(1, 11),
        Comment = random.Next(2) == 0 ? null : Text(random),
        Data = random.Next(2) == 0 ? "mnist" : "fashion-mnist",
        Retain = [.. Enumerable.Range(0, random.Next(5)).Select(_ => random.Next(10))],
        Optimizer = Optimizer(random),
        Schedule = random.Next(2) == 0 ? null : Optimizer(random),
        Concepts = [.. Enumerable.Range(0, random.Next(4)).Select(_ => new TestConcept { Label = random.Next(5), Surrogate = Surrogate(random, 2) })],
        Surrogate = Surrogate(random, 3),
        Grid = new SortedDictionary<string, IReadOnlyList<PlanNode>>(Enumerable.Range(0, random.Next(3)).ToDictionary(
            i => i + Text(random),
            _ => (IReadOnlyList<PlanNode>)[.. Enumerable.Range(0, random.Next(3)).Select(_ => (PlanNode)new PlanScalar(new PlanPlace("made", 1, 1), Text(random), Quoted: true))]), StringComparer.Ordinal),
    };

    private static TestOptimizer Optimizer(Random random) => new() { LearningRate = Math.Exp(40 * random.NextDouble() - 20), Beta = random.NextDouble() };

    private static TestSurrogate Surrogate(Random random, int depth) => random.Next(depth > 0 ? 3 : 2) switch
    {
        0 => new NoiseSurrogate { Spread = 10 * random.NextDouble() },
        1 => new LabelSurrogate { Target = random.Next(5, 10) },
        _ => new BlendSurrogate { First = Surrogate(random, depth - 1), Second = Surrogate(random, depth - 1) },
    };

    /// <summary>Texts that YAML would like to read as something else.</summary>
    private static string Text(Random random)
    {
        string[] awkward = ["", " ", "null", "~", "true", "No", "1", "-1", "1e5", "0x1F", ".5", ".inf", "- a", "a: b", "a #b", "#", "{}", "[x", "*a", "&a", "!t", "|", ">", "'", "\"", "\\", "%", "@", "`", "a\nb", "a\r\nb", "\t", "---", "...", "a, b", "?", "=", "<<", "é漢字🙂", "\u0000\u0007\u0085\u2028\uFEFF", " lead", "trail ", "Plain words", "path/to_file-1.yaml", "2026-01-01", "key:", "a:b"];
        return random.Next(3) == 0
            ? string.Concat(Enumerable.Range(0, random.Next(6)).Select(_ => awkward[random.Next(awkward.Length)]))
            : awkward[random.Next(awkward.Length)];
    }
}
