using Lethe.Torch;

namespace Lethe.Models.Language.Layers;

/// <summary>Layer norm with factor and shift (Ba et al., arXiv 1607.06450), as GPT-2 and GPT-NeoX have it.</summary>
/// <param name="Weight">(size).</param>
/// <param name="Bias">(size).</param>
/// <param name="Epsilon">Added to the variance.</param>
internal sealed record LayerScale(Tensor Weight, Tensor Bias, double Epsilon)
{
    /// <summary>x (…, size) → the same shape.</summary>
    public Tensor Forward(Tensor x) => x.LayerNorm([Weight.Size(0)], Weight.To(x.DType), Bias.To(x.DType), Epsilon);
}
