using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders.Reading;

/// <summary>Keeps, for every latent at once, the contexts in which it is largest, as they stream: a table of (best, K) numbers, whatever the corpus's size. A context counts once.</summary>
public sealed class TopContexts : IDisposable
{
    private readonly Tensor values; // (best, K), descending along each column
    private readonly Tensor contexts; // (best, K), int64; −1 where there is none

    /// <summary>Begins with nothing.</summary>
    /// <param name="width">Latents K.</param>
    /// <param name="best">Contexts kept for each latent.</param>
    /// <param name="device">Where the table lies.</param>
    public TopContexts(long width, int best, Device? device = null)
    {
        using var scope = new TensorScope();
        values = TensorScope.Detach(Tensor.Zeros([best, width], device: device));
        contexts = TensorScope.Detach(Tensor.Full([best, width], -1, DType.Int64, device));
    }

    /// <summary>Takes in the largest values of the latents in some contexts.</summary>
    /// <param name="largest">(B, K).</param>
    /// <param name="numbers">Numbers of the contexts, B.</param>
    public void Add(Tensor largest, ReadOnlySpan<int> numbers)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var given = Tensor.FromArray(numbers.ToArray().Select(number => (long)number).ToArray()).To(contexts.Device).Unsqueeze(1).Expand(numbers.Length, contexts.Size(1));
        var all = Tensor.Cat([values, largest.To(DType.Float32)]);
        var top = all.TopK(values.Size(0), 0);
        contexts.CopyInPlace(Tensor.Cat([contexts, given]).Gather(0, top[1]));
        values.CopyInPlace(top[0]);
    }

    /// <summary>The contexts of a latent, the largest value first; fewer than asked for where it was active in fewer.</summary>
    public IReadOnlyList<(int Context, double Value)> Of(long latent)
    {
        using var scope = new TensorScope();
        var found = values.Select(1, latent).ToArray<float>();
        return [.. contexts.Select(1, latent).ToArray<long>().Zip(found).Where(pair => pair.First >= 0 && pair.Second > 0).Select(pair => ((int)pair.First, (double)pair.Second))];
    }

    /// <summary>Frees the table.</summary>
    public void Dispose()
    {
        values.Dispose();
        contexts.Dispose();
    }
}
