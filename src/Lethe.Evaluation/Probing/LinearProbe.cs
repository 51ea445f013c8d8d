using System.Globalization;
using Lethe.Evaluation.Statistics;
using Lethe.Torch;

namespace Lethe.Evaluation.Probing;

/// <summary>Options of <see cref="LinearProbe"/>.</summary>
public sealed record LinearProbeOptions
{
    /// <summary>Weight of ½|w|² beside the summed loss, for activations scaled to unit variance; above 0. 1 is scikit-learn's default.</summary>
    public double Penalty { get; init; } = 1;

    /// <summary>Share of the items of either kind that the probe is tested on and never fitted to, above 0 and below 1.</summary>
    public double TestShare { get; init; } = 0.5;

    /// <summary>Seed of the parting into fitted and tested items: the same labels and seed part alike, so that before and after pair up.</summary>
    public ulong Seed { get; init; }

    /// <summary>The fit ends when no component of the gradient exceeds this times the number of fitted items.</summary>
    public double Tolerance { get; init; } = 1e-9;

    /// <summary>Most Newton steps; 5 to 15 are usual.</summary>
    public int MaximumIterations { get; init; } = 100;
}

/// <summary>What a linear probe found.</summary>
/// <param name="Area">Area under the ROC curve on the tested items: 0.5 where nothing linear is left of the concept, 1 where it is told apart with certainty.</param>
/// <param name="Tested">Which items were tested.</param>
/// <param name="Scores">The log-odds of each tested item, in that order.</param>
/// <param name="Positive">Whether each tested item was one of the concept.</param>
/// <param name="Iterations">Newton steps of the fit.</param>
public sealed record LinearProbeResult(Measure Area, IReadOnlyList<int> Tested, IReadOnlyList<double> Scores, IReadOnlyList<bool> Positive, int Iterations)
{
    /// <summary>The change of the area from one probe to another of the same tested items, with the standard error of the paired difference.</summary>
    /// <param name="before">The probe before.</param>
    /// <param name="after">The probe after, with the same items, labels and seed.</param>
    public static Measure Change(LinearProbeResult before, LinearProbeResult after) => before.Tested.SequenceEqual(after.Tested)
        ? AreaUnderRoc.Change(before.Scores, after.Scores, before.Positive, Better.Lower)
        : throw new ArgumentException("the two probes were tested on different items, so their change cannot be paired");
}

/// <summary>
/// A linear probe (Alain and Bengio 2016, arXiv 1610.01644): L2-penalised logistic regression that tells one concept from the rest by the
/// activations of one layer, fitted by Newton's method in double precision. What it still finds, the model still represents.
/// </summary>
/// <remarks>
/// A model that is given the label beside the image carries it in its activations, so that a probe would read the label and not the image:
/// give every image one and the same label when the activations are taken.
/// </remarks>
public static class LinearProbe
{
    /// <summary>Fits and tests a probe.</summary>
    /// <param name="activations">(N, D), one row an item.</param>
    /// <param name="positive">Whether each item is of the concept; at least two of either kind.</param>
    /// <param name="options">How to part and fit.</param>
    /// <exception cref="RunFailedException">An activation is not finite, or the fit does not converge.</exception>
    /// <exception cref="UsageException">An option is out of its range.</exception>
    public static LinearProbeResult Fit(Tensor activations, IReadOnlyList<bool> positive, LinearProbeOptions? options = null)
    {
        options ??= new LinearProbeOptions();
        Validate(options);
        if (activations.Dimensions != 2 || activations.Size(0) != positive.Count)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"activations {activations} with {positive.Count} labels; a row for each label is needed"));
        var (fitted, tested) = Part(positive, options);

        using var noGrad = Autograd.NoGrad();
        using var scope = new TensorScope();
        var all = activations.Detach().To(DType.Float64);
        if (all.IsFinite().All().Item() == 0)
            throw new RunFailedException($"Activations {activations} hold a value that is not finite, so no probe can be fitted; look for the layer that produced it.");
        Tensor Rows(int[] items) => all.IndexSelect(0, Tensor.FromArray(items.Select(item => (long)item).ToArray()).To(all.Device));
        Tensor x = Rows(fitted), test = Rows(tested);
        // Centre and scale by the fitted items alone; a feature that never varies there says nothing and gets weight 0.
        var mean = x.Mean([0], keep: true);
        var deviation = x.Var([0], unbiased: false, keep: true).Sqrt();
        var scale = deviation.Reciprocal().MaskedFill(deviation.Le(1e-12), 0);
        x = WithOnes((x - mean) * scale);
        test = WithOnes((test - mean) * scale);

        var y = Tensor.FromArray(fitted.Select(item => positive[item] ? 1.0 : 0.0).ToArray()).To(all.Device);
        var (weights, iterations) = Newton(x, y, options);
        var scores = test.MatMul(weights).ToArray<double>();
        bool[] kinds = [.. tested.Select(item => positive[item])];
        return new LinearProbeResult(AreaUnderRoc.Of(scores, kinds, Better.Lower), tested, scores, kinds, iterations);
    }

    /// <summary>Parts the items of either kind at random, so that both parts hold both.</summary>
    private static (int[] Fitted, int[] Tested) Part(IReadOnlyList<bool> positive, LinearProbeOptions options)
    {
        var random = new SplitMix64(options.Seed);
        List<int> fitted = [], tested = [];
        foreach (var kind in new[] { true, false })
        {
            int[] items = [.. Enumerable.Range(0, positive.Count).Where(item => positive[item] == kind)];
            if (items.Length < 2)
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{items.Length} items {(kind ? "of the concept" : "of the rest")}; a probe needs at least two of either kind, one to fit and one to test"));
            var order = random.Permutation(items.Length);
            var tests = Math.Clamp((int)Math.Round(items.Length * options.TestShare), 1, items.Length - 1);
            tested.AddRange(order[..tests].Select(place => items[place]));
            fitted.AddRange(order[tests..].Select(place => items[place]));
        }
        return ([.. fitted.Order()], [.. tested.Order()]);
    }

    /// <summary>Minimises Σ log(1 + e^s) − y s + ½ penalty |w|², s = x w; the last weight is the offset and bears no penalty.</summary>
    internal static (Tensor Weights, int Iterations) Newton(Tensor x, Tensor y, LinearProbeOptions options)
    {
        var d = x.Size(1);
        var penalty = Tensor.Full([d], options.Penalty, DType.Float64, x.Device);
        penalty.Narrow(0, d - 1, 1).ZeroInPlace();
        // Softplus of libtorch is the identity above 20, off by 2e-9; the plain form is exact to the last bit.
        Tensor Loss(Tensor w)
        {
            var s = x.MatMul(w);
            return (s.Clamp(minimum: 0) + s.Abs().Neg().Exp().Log1p() - y * s).Sum() + (penalty * w.Square()).Sum() * 0.5;
        }

        var weights = Tensor.Zeros([d], DType.Float64, x.Device);
        var loss = Loss(weights).Item();
        for (var iteration = 0; iteration < options.MaximumIterations; iteration++)
        {
            using var scope = new TensorScope();
            var p = x.MatMul(weights).Sigmoid();
            var gradient = x.T().MatMul(p - y) + penalty * weights;
            if (gradient.Abs().Max().Item() <= options.Tolerance * x.Size(0))
                return (weights, iteration);
            var curvature = p * (1 - p);
            // A touch on the diagonal keeps the offset's row invertible where all p are 0 or 1.
            var hessian = (x * curvature.Unsqueeze(1)).T().MatMul(x) + (penalty + 1e-10).Diag();
            var step = hessian.Solve(gradient);
            var slope = gradient.Dot(step).Item();

            // Newton's step is downhill; halve it until it is also down (Armijo), which far from the optimum it may not be.
            var length = 1.0;
            var next = weights;
            var nextLoss = double.PositiveInfinity;
            for (var halving = 0; halving < 50 && !(nextLoss <= loss - 1e-4 * length * slope); halving++, length /= 2)
            {
                next = weights.Add(step, -length);
                nextLoss = Loss(next).Item();
            }
            if (!(nextLoss < loss))
                return (weights, iteration); // as low as rounding lets it go
            weights.CopyInPlace(next);
            loss = nextLoss;
        }
        throw new RunFailedException(string.Create(CultureInfo.InvariantCulture, $"The linear probe did not converge within {options.MaximumIterations} steps; raise its penalty ({options.Penalty}) or its maximum of steps."));
    }

    private static Tensor WithOnes(Tensor x) => Tensor.Cat([x, Tensor.Ones([x.Size(0), 1], DType.Float64, x.Device)], 1);

    private static void Validate(LinearProbeOptions options)
    {
        Check.Option(options.Penalty > 0 && double.IsFinite(options.Penalty), "penalty of the linear probe", options.Penalty, "above 0: without one, separable classes have no optimum");
        Check.Option(options.TestShare is > 0 and < 1, "tested share of the linear probe", options.TestShare, "above 0 and below 1");
        Check.Option(options.Tolerance > 0, "tolerance of the linear probe", options.Tolerance, "above 0");
        Check.Option(options.MaximumIterations >= 1, "maximum of iterations of the linear probe", options.MaximumIterations, "at least 1");
    }
}
