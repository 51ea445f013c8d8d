using Lethe.Models.Generative;
using Lethe.Torch;

namespace Lethe.Unlearning.Generative;

/// <summary>Samples of a frozen model, made once and drawn from by index: generative replay without a forward pass at every step.</summary>
/// <param name="Images">(N, image shape).</param>
/// <param name="Conditions">(N), int64.</param>
public sealed record SamplePool(Tensor Images, Tensor Conditions) : IDisposable
{
    // Large enough to keep two cores busy, small enough that the hidden layers stay in cache.
    private const long Chunk = 2_000;

    /// <summary>Number of samples.</summary>
    public long Count => Conditions.Size(0);

    /// <summary>Makes a pool; the conditions take turns, so that each has its share. The caller's scope owns the tensors.</summary>
    /// <param name="model">The model that the samples come from.</param>
    /// <param name="conditions">Which conditions.</param>
    /// <param name="n">Samples in all.</param>
    /// <param name="random">Where they come from.</param>
    public static SamplePool Generate(IConditionalLikelihood model, IReadOnlyList<int> conditions, long n, RandomStream random)
    {
        using var scope = new TensorScope();
        var labels = new long[n];
        for (var k = 0L; k < n; k++)
            labels[k] = conditions[(int)(k % conditions.Count)];
        var all = Tensor.FromArray(labels, n).To(random.Device);
        Tensor[] parts = [.. all.Split(Math.Min(Chunk, Math.Max(1, n))).Select(part => model.Sample(part, random))];
        return new SamplePool(scope.Keep(Tensor.Cat(parts)), scope.Keep(all));
    }

    /// <summary>A batch, drawn with replacement.</summary>
    public (Tensor Images, Tensor Conditions) Draw(long n, RandomStream random)
    {
        using var scope = new TensorScope();
        var chosen = Tensor.RandInt(0, Count, [n], random);
        return (scope.Keep(Images.IndexSelect(0, chosen)), scope.Keep(Conditions.IndexSelect(0, chosen)));
    }

    /// <summary>Out of all scopes: whoever holds the pool disposes it.</summary>
    public SamplePool Detached() => new(TensorScope.Detach(Images), TensorScope.Detach(Conditions));

    /// <summary>Frees the samples.</summary>
    public void Dispose()
    {
        Images.Dispose();
        Conditions.Dispose();
    }
}
