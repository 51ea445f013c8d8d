using Lethe.Models.Generative;
using Lethe.Torch;

namespace Lethe.Unlearning.Generative;

/// <summary>
/// The forgetting part of a batch: rows of all concepts, those with latents of their own first. Conditions and divergence weights are the
/// same at every step and made once.
/// </summary>
internal sealed class ForgettingBatch : IDisposable
{
    private readonly IReadOnlyList<ForgetTarget> targets;
    private readonly int[] pinned; // rows of each concept that are decoded from given latents
    private readonly int[] free; // and those that are decoded from the encoder's

    /// <summary>Shares the rows evenly among the concepts; the remainder goes to the first.</summary>
    public ForgettingBatch(IReadOnlyList<ForgetTarget> targets, int rows, bool generationLatents, IConditionalLikelihood model)
    {
        this.targets = targets;
        var device = model.TrainedParameters[0].Tensor.Device;
        pinned = new int[targets.Count];
        free = new int[targets.Count];
        for (var k = 0; k < targets.Count; k++)
        {
            var share = rows / targets.Count + (k < rows % targets.Count ? 1 : 0);
            pinned[k] = (generationLatents && model is ILatentGenerator ? targets[k].Surrogate.Latents : SurrogateLatents.None) switch
            {
                SurrogateLatents.Prior => share,
                // The other half teaches the encoder.
                SurrogateLatents.Paired => share / 2,
                _ => 0,
            };
            free[k] = share - pinned[k];
        }
        using var scope = new TensorScope();
        long[] labels = [.. Rows(pinned, k => (long)targets[k].Condition), .. Rows(free, k => (long)targets[k].Condition)];
        // With latents from the prior the encoder's target is the prior itself; with paired ones the free half trains it.
        double[] divergence = [.. Rows(pinned, k => targets[k].Surrogate.Latents == SurrogateLatents.Prior ? 1.0 : 0), .. Rows(free, _ => 1.0)];
        Conditions = TensorScope.Detach(Tensor.FromArray(labels, labels.Length).To(device));
        DivergenceWeights = TensorScope.Detach(Tensor.FromArray(divergence, divergence.Length).To(model.TrainedParameters[0].Tensor.DType).To(device));
    }

    /// <summary>(rows), int64.</summary>
    public Tensor Conditions { get; }

    /// <summary>(rows); for <see cref="ILatentGenerator"/>.</summary>
    public Tensor DivergenceWeights { get; }

    /// <summary>Images (rows, image shape), and latents of the first rows or null if no row has any; the caller's scope owns them.</summary>
    public (Tensor Images, Tensor? Latents) Draw(RandomStream random)
    {
        SurrogateDraw[] draws = [.. targets.Select((target, k) => target.Surrogate.Draw(pinned[k] + free[k], random))];
        Tensor[] first = [.. Slices(pinned, k => draws[k].Images.Narrow(0, 0, pinned[k]))];
        Tensor[] rest = [.. Slices(free, k => draws[k].Images.Narrow(0, pinned[k], free[k]))];
        Tensor[] latents = [.. Slices(pinned, k => draws[k].Latents!.Narrow(0, 0, pinned[k]))];
        return (Tensor.Cat([.. first, .. rest]), latents.Length > 0 ? Tensor.Cat(latents) : null);
    }

    public void Dispose()
    {
        Conditions.Dispose();
        DivergenceWeights.Dispose();
    }

    private static IEnumerable<T> Rows<T>(int[] counts, Func<int, T> value) => counts.SelectMany((count, k) => Enumerable.Repeat(value(k), count));

    private static IEnumerable<Tensor> Slices(int[] counts, Func<int, Tensor> slice) => Enumerable.Range(0, counts.Length).Where(k => counts[k] > 0).Select(slice);
}
