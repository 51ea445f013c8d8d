using Lethe.Torch;

namespace Lethe.Unlearning.Language;

/// <summary>What a loss over hidden states is given: what leaves the layers that are read, with the edited weights and, if it asked for them, with the untouched ones.</summary>
public sealed class HiddenStates
{
    private readonly IReadOnlyList<int> layers;
    private readonly IReadOnlyList<Tensor> updated;
    private readonly IReadOnlyList<Tensor>? frozen;

    internal HiddenStates(IReadOnlyList<int> layers, IReadOnlyList<Tensor> updated, IReadOnlyList<Tensor>? frozen, Tensor mask, TextBatch batch, long step)
    {
        (this.layers, this.updated, this.frozen) = (layers, updated, frozen);
        (Mask, Batch, Step) = (mask, batch, step);
    }

    /// <summary>The layers that are read, ascending.</summary>
    public IReadOnlyList<int> Layers => layers;

    /// <summary>What leaves the last of the layers read, (B, T, D); gradients flow into it.</summary>
    public Tensor Updated => updated[^1];

    /// <summary>The same in the untouched model.</summary>
    /// <exception cref="InvalidOperationException">The loss did not ask for it (<see cref="IHiddenLoss.NeedsFrozen"/>).</exception>
    public Tensor Frozen => FrozenAll[^1];

    /// <summary>1 at positions that count, else 0: (B, T), in the type of the hidden states.</summary>
    public Tensor Mask { get; }

    /// <summary>The batch.</summary>
    public TextBatch Batch { get; }

    /// <summary>Steps done before this one: a loss that draws numbers makes their seed of it, so that a resumed run draws the same.</summary>
    public long Step { get; }

    /// <summary>What leaves one of the layers read, (B, T, D).</summary>
    public Tensor UpdatedAt(int layer) => updated[Place(layer)];

    /// <summary>The same in the untouched model.</summary>
    public Tensor FrozenAt(int layer) => FrozenAll[Place(layer)];

    private IReadOnlyList<Tensor> FrozenAll => frozen ?? throw new InvalidOperationException("The loss reads the untouched model's hidden states without having asked for them (NeedsFrozen).");

    private int Place(int layer) => layers.Index().Where(entry => entry.Item == layer).Select(entry => (int?)entry.Index).FirstOrDefault()
        ?? throw new ArgumentOutOfRangeException(nameof(layer), layer, $"layers {string.Join(", ", layers)} are read");
}

/// <summary>A loss over hidden states of a batch.</summary>
public interface IHiddenLoss : IDisposable
{
    /// <summary>Whether it reads the untouched model's hidden states; they are then computed once for each batch and kept.</summary>
    bool NeedsFrozen { get; }

    /// <summary>A scalar, differentiable with respect to the updated hidden states.</summary>
    Tensor Loss(HiddenStates states);
}

/// <summary>Over which positions a mean goes.</summary>
public enum PositionMean
{
    /// <summary>Over those that the mask counts: first within each row, then over the rows.</summary>
    Masked,
    /// <summary>Over all, padding and first tokens included, as RMU's released code does.</summary>
    All,
}

/// <summary>Mean squared differences of hidden states, in the two forms that are in use.</summary>
public static class HiddenDifference
{
    /// <summary>Mean over dimensions and positions of (h − target)².</summary>
    /// <param name="hidden">(B, T, D).</param>
    /// <param name="target">(B, T, D), or what broadcasts to it, such as (D).</param>
    /// <param name="mask">(B, T).</param>
    /// <param name="mean">Over which positions.</param>
    /// <param name="farthest">Masked positions that are farther than that from the target do not count.</param>
    public static Tensor MeanSquare(Tensor hidden, Tensor target, Tensor mask, PositionMean mean, double farthest = double.PositiveInfinity)
    {
        var squares = (hidden - target).Square();
        if (mean == PositionMean.All)
            return squares.Mean();
        var each = squares.Mean(-1);
        var counted = UpTo(mask, each, farthest * farthest / hidden.Size(-1));
        // A row of which no position counts adds nothing.
        return (each * counted).Sum(1).Div(counted.Sum(1).Clamp(1)).Mean();
    }

    /// <summary>The mask without the positions of states that are longer than <see cref="StateScale.Longest"/>, which says why.</summary>
    /// <param name="mask">(B, T).</param>
    /// <param name="states">(B, T, D).</param>
    /// <param name="longest">The longest that counts.</param>
    public static Tensor WithoutLong(Tensor mask, Tensor states, double longest) => double.IsPositiveInfinity(longest) ? mask : UpTo(mask, states.Norm(2, [-1]), longest);

    private static Tensor UpTo(Tensor mask, Tensor values, double most) => double.IsPositiveInfinity(most) ? mask : mask * values.Detach().Le(most).To(mask.DType);
}

/// <summary>Mean squared distance of the hidden states from one target: what steers forget text away.</summary>
public sealed class SteeringLoss : IHiddenLoss
{
    private readonly Tensor target;
    private readonly PositionMean mean;
    private readonly double divisor;
    private readonly double farthest;

    /// <param name="target">(D); taken over.</param>
    /// <param name="mean">Over which positions.</param>
    /// <param name="divisor">What the mean is divided by, such as the mean square of the untouched hidden states, which makes the loss independent of their scale; above 0.</param>
    /// <param name="farthest">Masked positions that are farther than that from the target do not count.</param>
    public SteeringLoss(Tensor target, PositionMean mean, double divisor = 1, double farthest = double.PositiveInfinity)
    {
        (this.target, this.mean, this.farthest) = (TensorScope.Detach(target), mean, farthest);
        this.divisor = divisor > 0 && double.IsFinite(divisor) ? divisor : throw new ArgumentOutOfRangeException(nameof(divisor), divisor, "above 0");
    }

    /// <summary>The target, (D).</summary>
    public Tensor Target => target;

    /// <inheritdoc/>
    public bool NeedsFrozen => false;

    /// <inheritdoc/>
    public Tensor Loss(HiddenStates states) => HiddenDifference.MeanSquare(states.Updated, target, states.Mask, mean, farthest) / divisor;

    /// <inheritdoc/>
    public void Dispose() => target.Dispose();
}

/// <summary>Mean squared distance of the hidden states from those of the untouched model: what holds retain text in place. Over several layers it is their mean.</summary>
/// <param name="mean">Over which positions.</param>
/// <param name="divisor">What the mean is divided by; above 0.</param>
/// <param name="longest">States that were longer than that do not count.</param>
public sealed class RetentionLoss(PositionMean mean, double divisor = 1, double longest = double.PositiveInfinity) : IHiddenLoss
{
    private readonly double divisor = divisor > 0 && double.IsFinite(divisor) ? divisor : throw new ArgumentOutOfRangeException(nameof(divisor), divisor, "above 0");

    /// <inheritdoc/>
    public bool NeedsFrozen => true;

    /// <inheritdoc/>
    public Tensor Loss(HiddenStates states)
    {
        Tensor[] each = [.. states.Layers.Select(layer => HiddenDifference.MeanSquare(
            states.UpdatedAt(layer), states.FrozenAt(layer), HiddenDifference.WithoutLong(states.Mask, states.FrozenAt(layer), longest), mean) / divisor)];
        return each.Length == 1 ? each[0] : Tensor.Stack(each).Mean();
    }

    /// <inheritdoc/>
    public void Dispose() { }
}
