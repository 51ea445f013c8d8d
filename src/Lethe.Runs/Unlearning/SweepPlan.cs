using System.ComponentModel.DataAnnotations;
using Lethe.Runs.Plans;

namespace Lethe.Runs;

/// <summary>A plan of <c>lethe sweep</c>: one plan of <c>lethe unlearn</c>, run at every point of a grid.</summary>
public sealed record SweepPlan : IPlanRules
{
    /// <summary>What this is for.</summary>
    [PlanKey("What this is for, in the words of whoever asks")]
    public required string Title { get; init; }

    /// <summary>The plan that is run at each point.</summary>
    [PlanKey("The plan of unlearn that is run at every point, relative to this one")]
    public required string Plan { get; init; }

    /// <summary>What all points share.</summary>
    [PlanKey("Values laid over that plan at every point, by the path of their key, such as relearn.enabled: false")]
    public IReadOnlyDictionary<string, PlanNode> Set { get; init; } = new SortedDictionary<string, PlanNode>(StringComparer.Ordinal);

    /// <summary>What is varied.</summary>
    [PlanKey("What is varied: for the path of each key, such as method.strength, the list of its values; with several keys every combination is run")]
    [MinLength(1)]
    public required IReadOnlyDictionary<string, IReadOnlyList<PlanNode>> Grid { get; init; }

    /// <summary>Repetitions.</summary>
    [PlanKey("Seeds: every combination is run with each of them; empty for the plan's own")]
    public IReadOnlyList<long> Seeds { get; init; } = [];

    /// <inheritdoc/>
    public IEnumerable<PlanProblem> Problems()
    {
        foreach (var path in Set.Keys.Where(Grid.ContainsKey))
            yield return new PlanProblem($"set.{path}", "The grid varies this key; leave it out of one of the two.");
        if (Grid.ContainsKey("seed") || Set.ContainsKey("seed"))
            yield return new PlanProblem("seeds", "Seeds are listed under 'seeds', not in 'grid' or 'set'.");
        if (Seeds.Distinct().Count() != Seeds.Count)
            yield return new PlanProblem("seeds", "A seed stands there twice; list each once.");
        if (Seeds.Any(seed => seed < 0))
            yield return new PlanProblem("seeds", "A seed is negative; seeds are whole numbers from 0.");
    }
}
