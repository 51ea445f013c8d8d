using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Lethe.Runs.Plans;

namespace Lethe.Runs.Tests.Plans;

public enum Colour { Red, DeepBlue }

/// <summary>A plan with every kind of key.</summary>
public sealed record TestPlan
{
    [PlanKey("What the plan is for")]
    public required string Title { get; init; }

    [PlanKey("Seed of every random stream", Why = "any number will do")]
    public long Seed { get; init; } = 1;

    [PlanKey("How the new is weighed against the old"), Range(0.0, 1.0)]
    public double Strength { get; init; } = 0.5;

    [PlanKey("Images in a batch"), Range(1, int.MaxValue)]
    public int BatchSize { get; init; } = 64;

    [PlanKey("Whether to attack the result")]
    public bool Attack { get; init; } = true;

    [Description("The colour of the chart")]
    public Colour Colour { get; init; } = Colour.DeepBlue;

    [PlanKey("Steps; chosen by the criterion if null"), Range(1, 10)]
    public int? Steps { get; init; }

    [PlanKey("A comment")]
    public string? Comment { get; init; }

    [PlanKey("The data set"), AllowedValues("mnist", "fashion-mnist")]
    public string Data { get; init; } = "mnist";

    [PlanKey("Labels to keep"), Range(0, 9), Length(0, 4)]
    public IReadOnlyList<int> Retain { get; init; } = [];

    [PlanKey("The optimizer")]
    public TestOptimizer Optimizer { get; init; } = new() { LearningRate = 0.25 };

    [PlanKey("The schedule; none if null")]
    public TestOptimizer? Schedule { get; init; }

    [PlanKey("What to forget")]
    public IReadOnlyList<TestConcept> Concepts { get; init; } = [];

    [PlanKey("What takes its place by default")]
    public TestSurrogate Surrogate { get; init; } = new NoiseSurrogate { Spread = 2 };

    [PlanKey("Values to try, by the path of their key")]
    public IReadOnlyDictionary<string, IReadOnlyList<PlanNode>> Grid { get; init; } = new SortedDictionary<string, IReadOnlyList<PlanNode>>(StringComparer.Ordinal);
}

public sealed record TestOptimizer
{
    [PlanKey("Step size", Why = "the paper's"), Range(0.0, double.PositiveInfinity, MinimumIsExclusive = true)]
    public double LearningRate { get; init; } = 0.001;

    [PlanKey("Decay of the first moment"), Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Beta { get; init; } = 0.9;
}

public sealed record TestConcept : IPlanRules
{
    [PlanKey("The label to forget"), Range(0, 9)]
    public required int Label { get; init; }

    [PlanKey("What takes its place")]
    public TestSurrogate Surrogate { get; init; } = new NoiseSurrogate();

    public IEnumerable<PlanProblem> Problems()
    {
        if (Surrogate is LabelSurrogate { Target: var target } && target == Label)
            yield return new PlanProblem("surrogate.target", $"label {Label} cannot be replaced by itself; choose another label.");
    }
}

[PlanKind("noise", typeof(NoiseSurrogate), "Uniform noise")]
[PlanKind("label", typeof(LabelSurrogate), "Samples of another label")]
[PlanKind("blend", typeof(BlendSurrogate), "A mixture of two")]
public abstract record TestSurrogate;

public sealed record NoiseSurrogate : TestSurrogate
{
    [PlanKey("Width of the noise"), Range(0.0, 10.0)]
    public double Spread { get; init; } = 1;
}

public sealed record LabelSurrogate : TestSurrogate
{
    [PlanKey("The other label"), Range(0, 9)]
    public required int Target { get; init; }
}

public sealed record BlendSurrogate : TestSurrogate
{
    [PlanKey("The first")]
    public required TestSurrogate First { get; init; }

    [PlanKey("The second")]
    public required TestSurrogate Second { get; init; }
}
