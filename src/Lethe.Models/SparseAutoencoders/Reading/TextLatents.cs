using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders.Reading;

/// <summary>
/// What each of some texts makes of the latents of an autoencoder: sums over its tokens, so that corpora can be put together anew (halves, resamples, permuted labels) without
/// reading them again. Three numbers a text and latent.
/// </summary>
public sealed class TextLatents : IDisposable
{
    internal TextLatents(int texts, long width)
    {
        Tensor Zero()
        {
            using var scope = new TensorScope();
            return TensorScope.Detach(Tensor.Zeros([texts, width]));
        }
        (Sum, SumOfSquares, Active, Tokens) = (Zero(), Zero(), Zero(), new double[texts]);
    }

    /// <summary>Sums of given texts, as they might have been read.</summary>
    /// <param name="z">Latents of all tokens, (N, K).</param>
    /// <param name="text">The text that each token belongs to, N numbers from 0.</param>
    public static TextLatents Of(Tensor z, IReadOnlyList<int> text)
    {
        var result = new TextLatents(text.Max() + 1, z.Size(1));
        result.Add(z, text);
        return result;
    }

    /// <summary>Number of texts.</summary>
    public int Count => Tokens.Length;

    /// <summary>Number K of latents.</summary>
    public long Width => Sum.Size(1);

    /// <summary>Σ z, (texts, K) float32 on the processor.</summary>
    public Tensor Sum { get; }

    /// <summary>Σ z², (texts, K) float32.</summary>
    public Tensor SumOfSquares { get; }

    /// <summary>On how many tokens each latent was active, (texts, K) float32.</summary>
    public Tensor Active { get; }

    /// <summary>Tokens of each text that count.</summary>
    public double[] Tokens { get; }

    /// <summary>Takes in latents (N, K) of tokens that belong to these texts.</summary>
    internal void Add(Tensor z, IReadOnlyList<int> text)
    {
        if (text.Count == 0)
            return;
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var rows = Tensor.FromArray(text.Select(number => (long)number).ToArray());
        z = z.To(Device.Cpu).To(DType.Float32);
        Sum.IndexAddInPlace(0, rows, z);
        SumOfSquares.IndexAddInPlace(0, rows, z.Square());
        Active.IndexAddInPlace(0, rows, z.Ne(0.0).To(DType.Float32));
        foreach (var number in text)
            Tokens[number]++;
    }

    /// <summary>Frees the sums.</summary>
    public void Dispose()
    {
        Sum.Dispose();
        SumOfSquares.Dispose();
        Active.Dispose();
    }
}
