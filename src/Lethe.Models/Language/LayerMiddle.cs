using Lethe.Torch;

namespace Lethe.Models.Language;

/// <summary>A layer's state when all is done but the MLP's last matrix and what follows it.</summary>
/// <param name="Stream">The residual stream that the MLP is added to, (B, T, D).</param>
/// <param name="Neurons">What enters the MLP's last matrix, (B, T, width of the MLP).</param>
/// <param name="Attended">What attention adds, (B, T, D), where it is not in the stream yet because MLP and attention stand side by side (GPT-NeoX); else null.</param>
public sealed record LayerMiddle(Tensor Stream, Tensor Neurons, Tensor? Attended = null)
{
    /// <summary>Its tensors.</summary>
    public Tensor[] Tensors => Attended is null ? [Stream, Neurons] : [Stream, Neurons, Attended];

    /// <summary>The state of its <see cref="Tensors"/>.</summary>
    public static LayerMiddle Of(IReadOnlyList<Tensor> tensors) => new(tensors[0], tensors[1], tensors.Count > 2 ? tensors[2] : null);
}
