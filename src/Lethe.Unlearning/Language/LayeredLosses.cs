using Lethe.Torch;

namespace Lethe.Unlearning.Language;

/// <summary>A layer that is steered.</summary>
/// <param name="Layer">The layer, from 0.</param>
/// <param name="Targets">c; owned by whoever holds this.</param>
/// <param name="Scale">s: what squared differences are divided by, the mean of h₀² over positions and dimensions.</param>
internal sealed record SteeredLayer(int Layer, SteeringTargets Targets, double Scale);

/// <summary>Mean over layers of mean ‖h − c‖² / s: <see cref="SteeringLoss"/> with a target and a scale for each layer.</summary>
internal sealed class LayeredSteering(IReadOnlyList<SteeredLayer> layers) : IHiddenLoss
{
    public bool NeedsFrozen => false;

    public Tensor Loss(HiddenStates states) => LayeredLosses.Mean(layers, layer => HiddenDifference.MeanSquare(states.UpdatedAt(layer.Layer), layer.Targets.Of(states.Batch), states.Mask, PositionMean.Masked));

    public void Dispose() { }
}

/// <summary>Mean over layers of mean ‖h − h₀‖² / s.</summary>
internal sealed class LayeredRetention(IReadOnlyList<SteeredLayer> layers) : IHiddenLoss
{
    public bool NeedsFrozen => true;

    public Tensor Loss(HiddenStates states) => LayeredLosses.Mean(layers, layer => HiddenDifference.MeanSquare(states.UpdatedAt(layer.Layer), states.FrozenAt(layer.Layer), states.Mask, PositionMean.Masked));

    public void Dispose() { }
}

internal static class LayeredLosses
{
    public static Tensor Mean(IReadOnlyList<SteeredLayer> layers, Func<SteeredLayer, Tensor> each)
    {
        var sum = layers.Select(layer => each(layer) / layer.Scale).Aggregate((a, b) => a + b);
        return layers.Count == 1 ? sum : sum / layers.Count;
    }
}
