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

    /// <summary>What was lost in units of this bound: the largest of the three losses, each over what is allowed of it. Up to 1 all are within; negative where nothing was lost; infinite where a figure is not a number.</summary>
    public double Cost(double retainChange, double worstNeighbourChange, double perplexityChange)
    {
        double[] losses = [retainChange / RetainChange, worstNeighbourChange / WorstNeighbourChange, perplexityChange / PerplexityChange];
        return losses.Any(double.IsNaN) ? double.PositiveInfinity : losses.Max();
    }

    /// <summary>The same of a configuration.</summary>
    public double Cost(UtilityFigures figures) => Cost(figures.RetainChange, figures.WorstNeighbourChange, figures.PerplexityChange);
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
        return new UtilityChoice(Ordered(verdicts.Where(MayBeChosen).Select(verdict => verdict.Figures)).FirstOrDefault(), verdicts);
    }

    /// <summary>
    /// All of them, the best first: those that may be chosen in the order in which <see cref="Choose"/> takes them, then those that broke a bound or say nothing of forgetting, the cheapest first.
    /// It is by this order that successive halving drops configurations.
    /// </summary>
    /// <param name="configurations">The configurations; at least one.</param>
    /// <param name="bound">What they may cost.</param>
    public static IReadOnlyList<UtilityVerdict> Ranked(IReadOnlyList<UtilityFigures> configurations, UtilityBound? bound = null)
    {
        var limits = bound ?? new UtilityBound();
        var verdicts = Choose(configurations, limits).Verdicts;
        var within = Ordered(verdicts.Where(MayBeChosen).Select(verdict => verdict.Figures)).Select(figures => verdicts.First(verdict => ReferenceEquals(verdict.Figures, figures)));
        var outside = verdicts.Where(verdict => !MayBeChosen(verdict)).OrderBy(verdict => limits.Cost(verdict.Figures)).ThenByDescending(verdict => verdict.Figures.Forgotten).ThenBy(verdict => verdict.Figures.Name, StringComparer.Ordinal);
        return [.. within, .. outside];
    }

    private static bool MayBeChosen(UtilityVerdict verdict) => verdict.Broken.Count == 0 && !double.IsNaN(verdict.Figures.Forgotten);

    private static IEnumerable<UtilityFigures> Ordered(IEnumerable<UtilityFigures> figures) =>
        figures.OrderByDescending(own => own.Forgotten).ThenByDescending(own => own.RetainChange).ThenByDescending(own => own.WorstNeighbourChange)
            .ThenBy(own => own.PerplexityChange).ThenBy(own => own.Name, StringComparer.Ordinal);

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
