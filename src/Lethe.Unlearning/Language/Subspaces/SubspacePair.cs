using Lethe.Torch;

namespace Lethe.Unlearning.Language.Subspaces;

/// <summary>
/// The relevant subspace, in which what is to be forgotten shows, and the irrelevant one, in which it does not. As the paper builds them they overlap: two random ones of 100
/// dimensions in 2,304 share 4.3. Here the irrelevant one has had the relevant directions taken out, so that the two are orthogonal.
/// </summary>
public sealed class SubspacePair : IDisposable
{
    private SubspacePair(OrthonormalBasis relevant, OrthonormalBasis irrelevant, double overlap, double[] angles) =>
        (Relevant, Irrelevant, OverlapBefore, AnglesBefore) = (relevant, irrelevant, overlap, angles);

    /// <summary>The relevant subspace.</summary>
    public OrthonormalBasis Relevant { get; }

    /// <summary>The irrelevant subspace, orthogonal to the relevant one.</summary>
    public OrthonormalBasis Irrelevant { get; }

    /// <summary>‖U₁ᵀU₂‖² of the subspaces as their directions span them, before one was taken out of the other.</summary>
    public double OverlapBefore { get; }

    /// <summary>Principal angles of those, radians, the smallest first.</summary>
    public IReadOnlyList<double> AnglesBefore { get; }

    /// <summary>Makes both.</summary>
    /// <param name="relevantRows">Directions, such as decoder rows of the chosen latents, (n, D).</param>
    /// <param name="irrelevantRows">The other directions, (m, D).</param>
    /// <param name="tolerance">Singular values up to this share of the largest count as 0.</param>
    /// <exception cref="BadInputException">One of them spans nothing; the irrelevant ones also where the relevant ones span them.</exception>
    public static SubspacePair Of(Tensor relevantRows, Tensor irrelevantRows, double tolerance = OrthonormalBasis.DefaultTolerance)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var relevant = OrthonormalBasis.Of(relevantRows, tolerance, "relevant directions");
        try
        {
            using var raw = OrthonormalBasis.Of(irrelevantRows, tolerance, "irrelevant directions");
            var rest = relevant.Remove(irrelevantRows.To(Device.Cpu).To(DType.Float64));
            // Held against the directions as they were: what is left of one that lies in the relevant subspace is rounding, not a direction.
            var irrelevant = OrthonormalBasis.Of(rest, tolerance, "irrelevant directions without the relevant ones", raw.SingularValues[0]);
            return new(relevant, irrelevant, PrincipalAngles.Overlap(relevant, raw), PrincipalAngles.Between(relevant, raw));
        }
        catch
        {
            relevant.Dispose();
            throw;
        }
    }

    /// <summary>Two bases as they are, for controls; the second loses what it shares with the first.</summary>
    public static SubspacePair Of(OrthonormalBasis relevant, OrthonormalBasis irrelevant, double tolerance = OrthonormalBasis.DefaultTolerance)
    {
        using var scope = new TensorScope();
        return Of(relevant.Columns.T(), irrelevant.Columns.T(), tolerance);
    }

    /// <summary>A basis of both together; its rank is the sum of the two.</summary>
    public OrthonormalBasis Both()
    {
        using var scope = new TensorScope();
        return OrthonormalBasis.Trusted(Tensor.Cat([Relevant.Columns, Irrelevant.Columns], 1));
    }

    /// <summary>What the pair is, for a result file.</summary>
    public SubspaceReading Read() => new(Relevant.Rank, Irrelevant.Rank, Relevant.Size, OverlapBefore, AnglesBefore, PrincipalAngles.Overlap(Relevant, Irrelevant));

    /// <summary>Frees both.</summary>
    public void Dispose()
    {
        Relevant.Dispose();
        Irrelevant.Dispose();
    }
}

/// <summary>Numbers of a pair of subspaces.</summary>
/// <param name="RelevantRank">Dimensions of the relevant one.</param>
/// <param name="IrrelevantRank">Dimensions of the irrelevant one.</param>
/// <param name="Size">Dimensions of the space.</param>
/// <param name="OverlapBefore">‖U₁ᵀU₂‖² before the relevant directions were taken out of the irrelevant ones; k₁k₂/D for random ones.</param>
/// <param name="AnglesBefore">Principal angles then, radians, the smallest first.</param>
/// <param name="Overlap">‖U₁ᵀU₂‖² of what is used; 0 but for rounding.</param>
public sealed record SubspaceReading(int RelevantRank, int IrrelevantRank, long Size, double OverlapBefore, IReadOnlyList<double> AnglesBefore, double Overlap);
