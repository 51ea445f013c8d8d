namespace Lethe.Evaluation.Language;

/// <summary>What a configuration of a method did on validation entities.</summary>
/// <param name="Name">Its name; ties in everything else go to the first by name.</param>
/// <param name="Forgotten">How much is forgotten, higher is more; gap closed.</param>
/// <param name="RetainChange">Change of the mean over retain topics of accuracy, share of 1; negative is a loss.</param>
/// <param name="WorstNeighbourChange">Change of the accuracy of the neighbour that lost most, share of 1.</param>
/// <param name="PerplexityChange">Relative change of perplexity: 0.02 is 2 % more.</param>
public sealed record UtilityFigures(string Name, double Forgotten, double RetainChange, double WorstNeighbourChange, double PerplexityChange);

/// <summary>What a configuration may cost.</summary>
public sealed record UtilityBound
{
    /// <summary>Least change of the mean over retain topics, share of 1.</summary>
    public double RetainChange { get; init; } = -0.01;

    /// <summary>Least change of the worst neighbour, share of 1.</summary>
    public double WorstNeighbourChange { get; init; } = -0.03;

    /// <summary>Largest relative change of perplexity.</summary>
    public double PerplexityChange { get; init; } = 0.02;
}

/// <summary>A bound that a configuration broke.</summary>
public enum UtilityLoss
{
    /// <summary>The mean over retain topics fell too far.</summary>
    Retain,
    /// <summary>The worst neighbour fell too far.</summary>
    Neighbour,
    /// <summary>Perplexity rose too far.</summary>
    Perplexity,
}

/// <summary>A configuration, judged.</summary>
/// <param name="Figures">Its figures.</param>
/// <param name="Broken">The bounds that it broke; none if it may be chosen.</param>
public sealed record UtilityVerdict(UtilityFigures Figures, IReadOnlyList<UtilityLoss> Broken);

/// <summary>What is chosen.</summary>
/// <param name="Chosen">The most forgetting configuration within the bound; null where every one breaks it.</param>
/// <param name="Verdicts">All of them, in the order given.</param>
public sealed record UtilityChoice(UtilityFigures? Chosen, IReadOnlyList<UtilityVerdict> Verdicts);

/// <summary>
/// Methods are compared at equal utility: each takes its most forgetting configuration within one bound, so that none looks better by costing more. A figure that is not a number
/// breaks its bound.
/// </summary>
public static class EqualUtility
{
    /// <summary>
    /// Chooses. Ties in forgetting go to the higher <see cref="UtilityFigures.RetainChange"/>, then the higher <see cref="UtilityFigures.WorstNeighbourChange"/>, then the lower
    /// perplexity, then the name, so that the choice does not depend on the order.
    /// </summary>
    /// <param name="configurations">The configurations of one method; at least one.</param>
    /// <param name="bound">What they may cost.</param>
    public static UtilityChoice Choose(IReadOnlyList<UtilityFigures> configurations, UtilityBound? bound = null)
    {
        Statistics.Check.AtLeast(configurations.Count, 1, "configurations");
        bound ??= new UtilityBound();
        UtilityVerdict[] verdicts = [.. configurations.Select(figures => new UtilityVerdict(figures, [.. Broken(figures, bound)]))];
        return new UtilityChoice(verdicts.Where(verdict => verdict.Broken.Count == 0 && !double.IsNaN(verdict.Figures.Forgotten)).Select(verdict => verdict.Figures)
            .OrderByDescending(figures => figures.Forgotten).ThenByDescending(figures => figures.RetainChange).ThenByDescending(figures => figures.WorstNeighbourChange)
            .ThenBy(figures => figures.PerplexityChange).ThenBy(figures => figures.Name, StringComparer.Ordinal).FirstOrDefault(), verdicts);
    }

    // A bound written as 0.03 and a change computed as 0.97 − 1 differ in the last bit; that is no loss.
    private const double Slack = 1e-12;

    private static IEnumerable<UtilityLoss> Broken(UtilityFigures figures, UtilityBound bound)
    {
        if (!(figures.RetainChange >= bound.RetainChange - Slack))
            yield return UtilityLoss.Retain;
        if (!(figures.WorstNeighbourChange >= bound.WorstNeighbourChange - Slack))
            yield return UtilityLoss.Neighbour;
        if (!(figures.PerplexityChange <= bound.PerplexityChange + Slack))
            yield return UtilityLoss.Perplexity;
    }
}
