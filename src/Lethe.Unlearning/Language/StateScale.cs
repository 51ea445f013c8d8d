namespace Lethe.Unlearning.Language;

/// <summary>How long the untouched model's hidden states are at a layer: what targets, losses and weights are measured by.</summary>
/// <param name="MedianNorm">Median norm over positions.</param>
/// <param name="MeanSquare">Mean of their squares over dimensions and over the positions whose states are not <see cref="Longest"/>.</param>
public sealed record StateScale(double MedianNorm, double MeanSquare)
{
    // Those of SmolLM2-135M at layer 15 are about 130 medians long (docs/sspu.md); a state of forget text that is steered is some medians long.
    private const double LongestMedians = 10;

    /// <summary>
    /// States longer than that, ten medians, are taken out of losses. A few positions of a real model, besides the first of a text, have states a hundred times as long as others (massive activations; Sun et al., 2024,
    /// arXiv 2402.17762): in a mean of squares one weighs as ten thousand others do, and whether a batch holds one would decide what a step does.
    /// </summary>
    public double Longest { get; private init; } = LongestMedians * MedianNorm;

    /// <summary>No scale: lengths are absolute, and all states count.</summary>
    public static StateScale One { get; } = new(1, 1) { Longest = double.PositiveInfinity };

    /// <summary>How far from a target a state may be to count: one that is not long is no farther than that, and stays so on its way there.</summary>
    /// <param name="targetNorm">Length of the target.</param>
    public double FarthestFrom(double targetNorm) => Longest + targetNorm;

    /// <summary>Reads the norms of states.</summary>
    /// <param name="norms">One for each position that counts; at least one.</param>
    /// <param name="size">D, dimensions of a state.</param>
    public static StateScale Of(IEnumerable<double> norms, long size)
    {
        double[] sorted = [.. norms.Order()];
        var scale = new StateScale((sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2, 0);
        return scale with { MeanSquare = sorted.Where(norm => norm <= scale.Longest).Average(norm => norm * norm) / size };
    }
}
