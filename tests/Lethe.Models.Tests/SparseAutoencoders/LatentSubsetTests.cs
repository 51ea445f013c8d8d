using Lethe.Models.SparseAutoencoders;
using Lethe.Models.SparseAutoencoders.Files;
using Lethe.Torch;

namespace Lethe.Models.Tests.SparseAutoencoders;

public sealed class LatentSubsetTests
{
    [TorchTheory]
    [MemberData(nameof(SaeFilesTests.Layouts), MemberType = typeof(SaeFilesTests))]
    public void A_few_latents_are_encoded_and_edited_as_among_all(string layout)
    {
        using var sae = SaeFiles.Read(SaeFilesTests.Fixture(layout));
        var (x, z, _) = SaeFilesTests.Golden(layout);
        // The liveliest, out of order.
        long[] latents = [.. z.Sum(0L).TopK(5)[1].ToArray<long>()];
        using var subset = new LatentSubset(sae, latents);

        var own = subset.Encode(x);
        var all = sae.Encode(x);
        var indexes = Tensor.FromArray(latents);
        Assert.Equal(sae.LatentsCompete, layout == "saelens/topk");
        // float32 sums of 16 terms in another order.
        Assert.InRange((own - all.IndexSelect(1, indexes)).Abs().Max().Item(), 0, 1e-5);
        Assert.True(own.Gt(0.0).Any().Item() != 0);

        var edited = all.Clone().IndexCopyInPlace(1, indexes, own * -3.0);
        // Two more sums of 48 terms, values up to 30.
        Assert.InRange((sae.Edit(x, all, edited) - subset.Edit(x, own, own * -3.0)).Abs().Max().Item(), 0, 5e-5);
        Assert.Equal(5, subset.Own.Width);
    }

    [TorchFact]
    public void Latents_that_are_not_there_or_stand_twice_are_refused()
    {
        using var sae = SaeFiles.Read(SaeFilesTests.Fixture("saelens/standard"));
        string Refused(params long[] latents) => Assert.Throws<BadInputException>(() => new LatentSubset(sae, latents)).Message;
        Assert.Equal("The autoencoder has no latent 48; it has 0 to 47.", Refused(3, 48));
        Assert.Equal("Latent 3 is named twice; name each once.", Refused(3, 4, 3));
        Assert.Contains("at least one", Refused(), StringComparison.Ordinal);
    }
}
