using System.Collections;
using Lethe.Models.Language;
using Lethe.Models.SparseAutoencoders;
using Lethe.Models.SparseAutoencoders.Reading;
using Lethe.Torch;

namespace Lethe.Unlearning.Guardrails;

/// <summary>
/// What chosen latents do on texts, read once in a stream: for each sequence which positions fire (a bit each) and how large each latent becomes, over all the sums that means need. Every kind's threshold follows
/// from it without another pass.
/// </summary>
public sealed class FiringReading
{
    private readonly List<(BitArray Fires, float[] Largest)> sequences = [];
    private readonly double[] active, sum;
    private double norms;

    private FiringReading(int latents) => (active, sum) = (new double[latents], new double[latents]);

    /// <summary>Sequences read.</summary>
    public int Sequences => sequences.Count;

    /// <summary>Positions that count: all but each sequence's first.</summary>
    public long Positions { get; private set; }

    /// <summary>The most tokens of a sequence.</summary>
    public int Length { get; private set; }

    /// <summary>Positions at which one of the latents fires.</summary>
    public long Firings { get; private set; }

    /// <summary>Mean norm of the activations; NaN where no position counts.</summary>
    public double Norm => norms / Positions;

    /// <summary>Mean of each latent where it is active; null where it never is.</summary>
    public IReadOnlyList<double?> MeanActive => [.. sum.Zip(active, (total, count) => count == 0 ? null : (double?)(total / count))];

    internal IEnumerable<(BitArray Fires, float[] Largest)> All => sequences;

    /// <summary>Reads.</summary>
    /// <param name="model">The model, up to the site's layer at least. Its guard, if it has one, is part of what is read.</param>
    /// <param name="sae">An autoencoder that knows its site.</param>
    /// <param name="latents">The latents.</param>
    /// <param name="texts">Tokens of each sequence, with what the model's texts begin with; those of one token count nothing and are left out.</param>
    /// <param name="rows">Sequences that go through the model at a time.</param>
    /// <param name="advanced">Told after each batch how many sequences are done.</param>
    /// <exception cref="BadInputException">Model and autoencoder do not belong together, or a latent is not there, or no sequence counts.</exception>
    public static FiringReading Read(CausalLanguageModel model, SparseAutoencoder sae, IReadOnlyList<long> latents, IEnumerable<int[]> texts, int rows = 8, Action<int>? advanced = null)
    {
        var site = SpliceLoss.SiteOf(sae, model);
        using var subset = new LatentSubset(sae, latents);
        var reading = new FiringReading(latents.Count);
        using var noGrad = Autograd.NoGrad();
        foreach (var batch in texts.Where(text => text.Length > 1).Chunk(rows))
        {
            reading.Add(model, site, subset, batch);
            if (reading.Sequences == batch.Length)
                sae.Check($"site {site}", sae.InputSize, meanNorm: reading.Norm);
            advanced?.Invoke(reading.Sequences);
        }
        return reading.Sequences > 0 ? reading : throw new BadInputException("The text holds no sequence of two tokens or more; give more text.");
    }

    private void Add(CausalLanguageModel model, Site site, LatentSubset subset, int[][] batch)
    {
        using var scope = new TensorScope();
        // Padding at the end: nothing before it sees it.
        var length = batch.Max(text => text.Length);
        var ids = new long[batch.Length * length];
        for (var row = 0; row < batch.Length; row++)
            for (var k = 0; k < batch[row].Length; k++)
                ids[row * length + k] = batch[row][k];
        using var recorder = new SiteRecorder([site]);
        using (new TensorScope())
            model.Run(model.Embed(Tensor.FromArray(ids, batch.Length, length)), 0, site.Layer + 1, new ForwardContext { Sites = recorder });
        if (!recorder.Values.TryGetValue(site, out var value))
            throw new BadInputException($"{site} is not there in {model.Configuration.ModelType}: its attention and MLP run side by side.");
        for (var row = 0; row < batch.Length; row++)
        {
            using var inner = new TensorScope();
            var count = batch[row].Length - 1;
            var x = value.Select(0, row).Narrow(0, 1, count); // (T − 1, D)
            var z = subset.Encode(x); // (T − 1, k)
            var fires = z.Amax([1]).Gt(0.0).To(Device.Cpu).ToArray<bool>();
            sequences.Add((new BitArray(fires), z.Amax([0]).To(DType.Float32).To(Device.Cpu).ToArray<float>()));
            foreach (var (k, total) in z.To(DType.Float64).Sum(0L).ToArray<double>().Index())
                sum[k] += total;
            foreach (var (k, times) in z.Ne(0.0).To(DType.Float64).Sum(0L).ToArray<double>().Index())
                active[k] += times;
            norms += x.To(DType.Float32).Norm(2, [1]).To(DType.Float64).Sum().Item();
            Positions += count;
            Firings += fires.LongCount(fired => fired);
            Length = Math.Max(Length, batch[row].Length);
        }
    }
}
