using Lethe.Models.SparseAutoencoders;
using Lethe.Torch;
using Lethe.Unlearning.Language.Features;

namespace Lethe.Unlearning.Language.Subspaces;

/// <summary>Where the two subspaces come from; all but the first are controls of equal rank.</summary>
public enum SubspaceSource
{
    /// <summary>Decoder directions of relevant and irrelevant latents.</summary>
    Autoencoder,
    /// <summary>Random subspaces.</summary>
    Random,
    /// <summary>Principal directions of forget text and of retain text.</summary>
    Principal,
}

/// <summary>Makes the subspaces of a site.</summary>
public static class SiteSubspaces
{
    /// <summary>Spans of the decoder directions of chosen latents.</summary>
    /// <exception cref="BadInputException">One of them spans nothing.</exception>
    public static SubspacePair OfLatents(SparseAutoencoder sae, LatentChoice choice, double tolerance = OrthonormalBasis.DefaultTolerance)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        Tensor Rows(IReadOnlyList<int> latents) => sae.Decoder.IndexSelect(0, Tensor.FromArray(latents.Select(latent => (long)latent).ToArray()).To(sae.Decoder.Device));
        return SubspacePair.Of(Rows(choice.Relevant), Rows(choice.Irrelevant), tolerance);
    }

    /// <summary>Random subspaces of the ranks of a pair, orthogonal to each other.</summary>
    public static SubspacePair Random(SubspacePair like, ulong seed)
    {
        using var scope = new TensorScope();
        using var random = new RandomStream(RandomStream.ChildSeed(seed, "subspaces"));
        var drawn = OrthonormalBasis.Random(like.Relevant.Size, like.Relevant.Rank + like.Irrelevant.Rank, random);
        return Split(drawn, like.Relevant.Rank);
    }

    /// <summary>The directions in which forget text varies most as the relevant subspace, and those in which retain text does, without the former, as the irrelevant one; of the ranks of a pair.</summary>
    /// <param name="like">The pair whose ranks are taken.</param>
    /// <param name="forget">Covariance of forget text at the site, (D, D).</param>
    /// <param name="retain">Covariance of retain text there, (D, D).</param>
    public static SubspacePair Principal(SubspacePair like, Tensor forget, Tensor retain)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        using var relevant = OrthonormalBasis.Principal(forget, like.Relevant.Rank);
        // What retain text does outside of the relevant subspace, so that the rank is kept.
        var outside = Tensor.Eye(relevant.Size, DType.Float64) - relevant.Projector();
        using var irrelevant = OrthonormalBasis.Principal(outside.Mm(retain.To(DType.Float64)).Mm(outside), like.Irrelevant.Rank);
        return SubspacePair.Of(relevant, irrelevant);
    }

    private static SubspacePair Split(OrthonormalBasis basis, int first)
    {
        using var both = basis;
        using var scope = new TensorScope();
        return SubspacePair.Of(both.Columns.T().Narrow(0, 0, first), both.Columns.T().Narrow(0, first, both.Rank - first));
    }
}
