using Lethe.Models.SparseAutoencoders;
using Lethe.Models.SparseAutoencoders.Reading;
using Lethe.Torch;
using Lethe.Unlearning.Language;

namespace Lethe.Unlearning.Tests.Language;

public sealed class CrispTests
{
    private static readonly CrispOptions Options = new() { Steps = 30, LearningRate = 1e-2, EditedLayers = [1, 2], Beta = 0.5 };

    [Fact]
    public void Latents_are_chosen_by_how_much_more_they_fire_on_forget_text_whatever_the_amount_of_retain_text()
    {
        // Latent 0 fires everywhere, 1 and 3 on forget text, 2 on retain text, 4 never; 1 is as active in sum on both.
        var forget = new LatentReading(100, [90, 40, 1, 30, 0], [90, 40, 1, 60, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]);
        LatentReading Retain(double times) => new((long)(100 * times), [.. new double[] { 90, 5, 50, 1, 0 }.Select(one => one * times)], [.. new double[] { 90, 39, 50, 1, 0 }.Select(one => one * times)], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]);
        foreach (var times in new[] { 1.0, 20 })
        {
            var chosen = SalientLatents.Choose(null!, forget, Retain(times), new CrispOptions());
            Assert.Equal([3L], chosen.Latents);
            Assert.Equal([2.0], chosen.Means);
        }
        Assert.Equal([1L, 3L], SalientLatents.Choose(null!, forget, Retain(1), new CrispOptions { LeastRatio = 0.99, Candidates = 2 }).Latents);
    }

    [TorchFact]
    public void An_autoencoder_that_does_not_tell_the_texts_apart_is_refused()
    {
        using var sae = Autoencoder(2, 1);
        var reading = new LatentReading(10, [5, 5], [5, 5], [0, 0], [0, 0]);
        Assert.Contains("does not tell them apart", Assert.Throws<RunFailedException>(() => SalientLatents.Choose(sae, reading, reading, new CrispOptions())).Message);
        using var elsewhere = Autoencoder(2, 1, "layers.2.mlp_output");
        Assert.Contains("what leaves a layer", Assert.Throws<BadInputException>(() => new SalientLatents(elsewhere, [0], [1]).Layer).Message);
    }

    [TorchFact]
    public void The_forget_loss_is_what_the_formula_says()
    {
        using var model = LanguageBench.Model();
        using var cache = SliceCache.Of(model, LanguageBench.Slice(LanguageBench.Tiny, 1, 2));
        using var sae = Autoencoder(2, 1);
        using var loss = new SalientActivationLoss([new(sae, [3, 7], [0.5, 2])], push: 5);
        var batch = LanguageBench.Texts(1, 3).At(0);
        var states = cache.States(batch, frozen: true);
        var z = sae.Encode(states.Frozen).ToArray<float>();
        var mask = states.Mask.ToArray<float>();
        var pre = (states.Frozen - sae.DecoderBias).MatMul(sae.Encoder).ToArray<float>(); // b_enc is 0
        var expected = 0.0;
        for (var row = 0; row < batch.Rows; row++)
        {
            var (sum, count) = (0.0, 0.0);
            for (var t = row * batch.Length; t < (row + 1) * batch.Length; t++)
            {
                count += mask[t];
                foreach (var (latent, mean) in new[] { (3, 0.5), (7, 2.0) })
                    sum += mask[t] * Math.Max(0, pre[t * 16 + latent] + (z[t * 16 + latent] > 0 ? 5 * mean : 0)) / 2;
            }
            expected += sum / count / batch.Rows;
        }
        Assert.Equal(expected, loss.Loss(states).Item(), 1e-4 * expected);
        Assert.True(expected > 0.1);
    }

    [TorchFact]
    public void Salient_latents_fall_silent_on_forget_text()
    {
        using var model = LanguageBench.Model();
        using var sae = Autoencoder(2, 1);
        var salient = new SalientLatents(sae, [3, 7], [1, 1]);
        using var cache = SliceCache.Of(model, new()
        {
            Weights = LayerWeights.Of(model.NamedParameters().Select(entry => entry.Name), Options.EditedLayers, Options.Matrices), Reads = [2],
        });
        Assert.Equal(14, cache.Names.Count);
        var (forget, retain, coherence) = (LanguageBench.Texts(1, 6), LanguageBench.Texts(2, 6), LanguageBench.Texts(3, 3));
        double Active() => forget.Batches.Sum(batch => sae.Encode(cache.Updated(batch)[0]).IndexSelect(2, Tensor.FromArray(salient.Latents.ToArray())).Sum(2).Mul(batch.Mask(DType.Float32, Device.Cpu)).Sum().Item());
        double before;
        using (Autograd.NoGrad())
            before = Active();
        using var loop = Crisp.Create(cache, forget, retain, coherence, [salient], Options, seed: 1);
        Assert.Equal(cache.Originals.Sum(weight => 4 * (weight.Size(0) + weight.Size(1))), loop.ParameterCount);
        var measured = LanguageBench.Finish(loop);
        using var off = Autograd.NoGrad();
        Assert.True(Active() < 0.5 * before, $"{Active()} of {before}");
        Assert.All(measured, step => Assert.Equal(step["loss"], 0.5 * step["forget"] + 0.5 * step["retain"] + step["further"], 1e-9));
        Assert.True(measured[^1]["further"] > 0);
    }

    [TorchFact]
    public void The_slice_reaches_from_two_layers_below_the_first_autoencoder_to_the_last()
    {
        using var checkpoint = LanguageBench.Checkpoint("llama");
        using var sae = Autoencoder(2, 1);
        var slice = Crisp.Slice(checkpoint.Weights, [new(sae, [1], [1])], new CrispOptions());
        Assert.Equal((21, 2), (slice.Weights.Count, slice.Reads.Single()));
        Assert.Contains("model.layers.0.self_attn.q_proj.weight", slice.Weights);
    }

    /// <summary>A random ReLU autoencoder of 16 latents.</summary>
    private static SparseAutoencoder Autoencoder(int layer, ulong seed, string? site = null)
    {
        using var random = new RandomStream(seed);
        HostArray Draw(params long[] shape) => Tensor.Randn(shape, random).ToHost();
        var size = LanguageBench.Tiny.HiddenSize;
        return Architectures.Create(new() { Architecture = "standard", InputSize = size, Width = 16, Site = new(site ?? $"layers.{layer}.residual_after", layer) },
            new Dictionary<string, HostArray> { ["W_enc"] = Draw(size, 16), ["W_dec"] = Draw(16, size), ["b_dec"] = Draw(size), ["b_enc"] = Tensor.Zeros([16]).ToHost() }, "here");
    }
}
