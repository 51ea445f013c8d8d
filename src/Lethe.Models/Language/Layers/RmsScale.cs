using Lethe.Torch;

namespace Lethe.Models.Language.Layers;

/// <summary>Divides each vector by its root mean square, then multiplies it by w, or, in Gemma, by 1 + w (Zhang and Sennrich, arXiv 1910.07467).</summary>
/// <param name="Weight">(size).</param>
/// <param name="Epsilon">Added to the mean square.</param>
/// <param name="PlusOne">Whether the weight is the factor less one.</param>
internal sealed record RmsScale(Tensor Weight, double Epsilon, bool PlusOne = false)
{
    /// <summary>x (…, size) → the same shape. 16-bit x is normalised in float32; Llama rounds before the factor, Gemma after it, each as its library does.</summary>
    public Tensor Forward(Tensor x)
    {
        var narrow = x.DType is DType.Float16 or DType.BFloat16;
        var wide = narrow ? x.To(DType.Float32) : x;
        var normal = wide * wide.Square().Mean(-1, keep: true).AddInPlace(Epsilon).Rsqrt();
        if (PlusOne)
            return (normal * (Weight.To(wide.DType) + 1.0)) is var scaled && narrow ? scaled.To(x.DType) : scaled;
        return (narrow ? normal.To(x.DType) : normal) * (Weight.DType == x.DType ? Weight : Weight.To(x.DType));
    }
}
