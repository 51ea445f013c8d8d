using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;

namespace Lethe.Models.Language.Layers;

/// <summary>
/// Rotary positions (Su et al., arXiv 2104.09864) in the "rotate half" arrangement of transformers: dimension i of a head turns together with
/// dimension i + size/2, by position · θ^(−2i/size).
/// </summary>
internal sealed class RotaryEmbedding : Module
{
    private readonly float[] frequencies;
    private readonly DType type;
    private readonly Device device;
    private Tensor? cosines, sines;

    /// <param name="configuration">Base, share and scaling.</param>
    /// <param name="type">Type that the model computes in.</param>
    /// <param name="device">Where.</param>
    public RotaryEmbedding(LanguageModelConfiguration configuration, DType type, Device device)
    {
        (this.type, this.device) = (type, device);
        Size = (int)(configuration.HeadSize * configuration.RotaryShare);
        frequencies = new float[Size / 2];
        for (var i = 0; i < frequencies.Length; i++)
            frequencies[i] = (float)Scale(1 / Math.Pow(configuration.RopeTheta, 2.0 * i / Size), configuration.RopeScaling);
    }

    /// <summary>How many dimensions of a head turn.</summary>
    public int Size { get; }

    /// <summary>Cosines and signed sines of positions start … start+count−1, (1, count, 1, size) each.</summary>
    public (Tensor Cosines, Tensor Sines) At(long start, long count)
    {
        Grow(start + count);
        return (cosines!.Narrow(0, start, count).View(1, count, 1, Size), sines!.Narrow(0, start, count).View(1, count, 1, Size));
    }

    /// <summary>Cosines and signed sines of positions (B, T), (B, T, 1, size) each.</summary>
    public (Tensor Cosines, Tensor Sines) At(Tensor positions)
    {
        Grow((long)positions.Max().Item() + 1);
        var flat = positions.Reshape(-1);
        long[] shape = [positions.Size(0), positions.Size(1), 1, Size];
        return (cosines!.IndexSelect(0, flat).View(shape), sines!.IndexSelect(0, flat).View(shape));
    }

    /// <summary>Turns heads (B, T, heads, head size), whose first <see cref="Size"/> dimensions are in the tables.</summary>
    public Tensor Turn(Tensor x, Tensor cos, Tensor sin)
    {
        if (x.Size(-1) == Size)
            return (x * cos).Addcmul(x.Roll(Size / 2, -1), sin);
        var turned = x.Narrow(-1, 0, Size);
        return Tensor.Cat([(turned * cos).Addcmul(turned.Roll(Size / 2, -1), sin), x.Narrow(-1, Size, x.Size(-1) - Size)], -1);
    }

    private static double Scale(double frequency, RopeScaling? scaling)
    {
        if (scaling is null)
            return frequency;
        if (scaling.Kind == RopeScalingKind.Linear)
            return frequency / scaling.Factor;
        var wavelength = 2 * Math.PI / frequency;
        if (wavelength < scaling.OriginalPositions / scaling.HighFrequencyFactor)
            return frequency;
        if (wavelength > scaling.OriginalPositions / scaling.LowFrequencyFactor)
            return frequency / scaling.Factor;
        var smooth = (scaling.OriginalPositions / wavelength - scaling.LowFrequencyFactor) / (scaling.HighFrequencyFactor - scaling.LowFrequencyFactor);
        return (1 - smooth) * frequency / scaling.Factor + smooth * frequency;
    }

    // Twice as long each time, so that a growing text does not make tables at every token.
    private void Grow(long positions)
    {
        if (cosines is not null && cosines.Size(0) >= positions)
            return;
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var count = Math.Max(positions, 2 * (cosines?.Size(0) ?? 64));
        // In float32, as transformers does, whatever the model computes in; float64 models get float64 tables.
        var exact = type == DType.Float64 ? DType.Float64 : DType.Float32;
        var angles = Tensor.Arange(0, count, type: exact).Outer(Tensor.FromArray(frequencies).To(exact)); // (count, size/2)
        var (cos, sin) = (angles.Cos(), angles.Sin());
        Replace(ref cosines, Tensor.Cat([cos, cos], -1));
        Replace(ref sines, Tensor.Cat([-sin, sin], -1));
    }

    private void Replace(ref Tensor? table, Tensor by)
    {
        table?.Dispose();
        table = Constant(by.To(type).To(device));
    }
}
