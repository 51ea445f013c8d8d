using Lethe.Torch;

namespace Lethe.Unlearning.Language;

/// <summary>A layer that is steered.</summary>
/// <param name="Layer">The layer, from 0.</param>
/// <param name="Targets">c; owned by whoever holds this.</param>
/// <param name="Scale">How long states are there; squared differences are divided by s, their mean square.</param>
internal sealed record SteeredLayer(int Layer, SteeringTargets Targets, StateScale Scale);

/// <summary>Mean over layers of mean ‖h − c‖² / s: <see cref="SteeringLoss"/> with a target and a scale for each layer.</summary>
/// <param name="layers">The layers.</param>
/// <param name="from">Share of a text before which no position counts (<see cref="SubspaceProjectionOptions.ForgetFrom"/>).</param>
internal sealed class LayeredSteering(IReadOnlyList<SteeredLayer> layers, double from) : IHiddenLoss
{
    public bool NeedsFrozen => false;

    public Tensor Loss(HiddenStates states)
    {
        var mask = from > 0 ? states.Batch.Mask(states.Mask.DType, states.Mask.Device, from) : states.Mask;
        return LayeredLosses.Mean(layers, layer =>
            HiddenDifference.MeanSquare(states.UpdatedAt(layer.Layer), layer.Targets.Of(states.Batch), mask, PositionMean.Masked, layer.Scale.FarthestFrom(layer.Targets.Length)));
    }

    public void Dispose() { }
}

/// <summary>Mean over layers of mean ‖h − h₀‖² / s.</summary>
internal sealed class LayeredRetention(IReadOnlyList<SteeredLayer> layers) : IHiddenLoss
{
    public bool NeedsFrozen => true;

    public Tensor Loss(HiddenStates states) => LayeredLosses.Mean(layers, layer =>
    {
        var frozen = states.FrozenAt(layer.Layer);
        return HiddenDifference.MeanSquare(states.UpdatedAt(layer.Layer), frozen, HiddenDifference.WithoutLong(states.Mask, frozen, layer.Scale.Longest), PositionMean.Masked);
    });

    public void Dispose() { }
}

internal static class LayeredLosses
{
    public static Tensor Mean(IReadOnlyList<SteeredLayer> layers, Func<SteeredLayer, Tensor> each)
    {
        var sum = layers.Select(layer => each(layer) / layer.Scale.MeanSquare).Aggregate((a, b) => a + b);
        return layers.Count == 1 ? sum : sum / layers.Count;
    }
}
