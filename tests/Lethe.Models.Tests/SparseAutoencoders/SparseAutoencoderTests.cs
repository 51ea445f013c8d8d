using Lethe.Torch;
using Lethe.Models.SparseAutoencoders;
using Lethe.Models.SparseAutoencoders.Files;
using Lethe.Models.SparseAutoencoders.Reading;

namespace Lethe.Models.Tests.SparseAutoencoders;

public sealed class SparseAutoencoderTests
{
    [TorchTheory]
    [MemberData(nameof(SaeFilesTests.Layouts), MemberType = typeof(SaeFilesTests))]
    public void An_edit_keeps_the_error_term(string layout)
    {
        using var sae = SaeFiles.Read(SaeFilesTests.Fixture(layout));
        var (x, z, decoded) = SaeFilesTests.Golden(layout);
        // Without an edit x comes back to the bit.
        Assert.Equal(x.ToArray<float>(), sae.Edit(x, latents => latents).ToArray<float>());
        var edited = z.Clone();
        edited.Narrow(1, 5, 20).MulInPlace(-2.0);
        var expected = x + sae.Decode(edited, x) - decoded;
        Assert.InRange((expected - sae.Edit(x, _ => edited)).Abs().Max().Item(), 0, 2e-5); // two more sums of 48 terms, values up to 30
    }

    [TorchTheory]
    [MemberData(nameof(SaeFilesTests.Layouts), MemberType = typeof(SaeFilesTests))]
    public void Where_a_latent_is_active_it_is_its_pre_activation(string layout)
    {
        using var sae = SaeFiles.Read(SaeFilesTests.Fixture(layout));
        var (x, z, _) = SaeFilesTests.Golden(layout);
        var pre = sae.PreActivations(x);
        var active = z.Gt(0.0).To(DType.Float32);
        Assert.InRange(((pre - z) * active).Abs().Max().Item(), 0, 2e-5); // sums of 16 terms, values up to 30
        Assert.True(pre.Min().Item() < 0);
    }

    [TorchFact]
    public void An_autoencoder_knows_what_it_was_made_for()
    {
        using var sae = SaeFiles.Read(SaeFilesTests.Fixture("dictionary_learning/relu"));
        sae.Check("tiny", 16, 4);
        Assert.Contains("takes activations of size 16; tiny has size 64", Assert.Throws<BadInputException>(() => sae.Check("tiny", 64)).Message, StringComparison.Ordinal);
        Assert.Contains("belongs to layer 3; tiny is in a model with layers 0 to 2", Assert.Throws<BadInputException>(() => sae.Check("tiny", 16, 3)).Message, StringComparison.Ordinal);
        using var known = Architectures.Create(sae.Configuration with { ActivationNorm = 10 }, sae.StateDict(), "here");
        known.Check("tiny", 16, 4, 19.9);
        Assert.Contains("mean norm of 10; tiny has 60.5", Assert.Throws<BadInputException>(() => known.Check("tiny", 16, 4, 60.5)).Message, StringComparison.Ordinal);
        Assert.Contains("float32[2, 15]", Assert.Throws<BadInputException>(() => sae.Encode(Tensor.Zeros([2, 15]))).Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void Quality_adds_up_to_the_textbook_over_any_batches()
    {
        using var random = new RandomStream(1);
        // A mean far larger than the spread, where naive sums of squares lose all digits.
        var x = Tensor.Randn([50, 6], random) + 1000.0;
        var decoded = x + Tensor.Randn([50, 6], random) * 0.3;
        var z = Tensor.Randn([50, 9], random).Relu();
        z.Narrow(1, 4, 2).ZeroInPlace();
        using var quality = new ReconstructionQuality(6, 9);
        foreach (var (from, size) in new[] { (0, 1), (1, 20), (21, 29) })
            quality.Add(x.Narrow(0, from, size), z.Narrow(0, from, size), decoded.Narrow(0, from, size));
        var reading = quality.Read();
        var exact = x.To(DType.Float64);
        var expected = 1 - (exact - decoded.To(DType.Float64)).Square().Sum().Item() / (exact - exact.Mean(0L)).Square().Sum().Item();
        Assert.Equal(expected, reading.ExplainedVariance!.Value, 9);
        Assert.Equal(z.Ne(0.0).To(DType.Float64).Sum(1L).Mean().Item(), reading.ActiveLatents, 12);
        Assert.Equal(2.0 / 9, reading.DeadShare, 12);
        Assert.Equal(7, reading.Density.Latents.Sum());
        Assert.InRange(reading.Cosine, 0.999, 1);
        Assert.Equal(50, reading.Activations);
        using var still = new ReconstructionQuality(6, 9);
        still.Add(Tensor.Ones([3, 6]), z.Narrow(0, 0, 3), Tensor.Ones([3, 6]));
        Assert.Null(still.Read().ExplainedVariance);
    }

    [TorchFact]
    public void Latents_fall_into_the_bins_of_their_density() =>
        Assert.Equal([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1], DensityHistogram.Of([0, 1e-9, 0.00099, 0.11, 1]).Latents);
}
