using Lethe.Torch;

namespace Lethe.Unlearning.Language.Subspaces;

/// <summary>How two subspaces lie to each other (Björck and Golub 1973): from sines where angles are small, because a cosine near 1 has lost half of its digits.</summary>
public static class PrincipalAngles
{
    /// <summary>The angles in radians, 0 to π/2, the smallest first; as many as the smaller subspace has dimensions.</summary>
    public static double[] Between(OrthonormalBasis a, OrthonormalBasis b)
    {
        Require(a, b);
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var (large, small) = a.Rank >= b.Rank ? (a.Columns, b.Columns) : (b.Columns, a.Columns);
        var inner = large.T().Mm(small);
        var cosines = inner.Svd()[1].ToArray<double>();                                // largest first
        var sines = (small - large.Mm(inner)).Svd()[1].ToArray<double>().Reverse().ToArray(); // smallest first
        return [.. cosines.Zip(sines, (cosine, sine) => cosine * cosine < 0.5 ? Math.Acos(cosine) : Math.Asin(Math.Min(1, sine)))];
    }

    /// <summary>‖U₁ᵀ U₂‖², the sum of the squared cosines: 0 where the subspaces are orthogonal, the smaller rank where one holds the other; k₁ k₂ / D on average for random ones.</summary>
    public static double Overlap(OrthonormalBasis a, OrthonormalBasis b)
    {
        Require(a, b);
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        return a.Columns.T().Mm(b.Columns).Square().Sum().Item();
    }

    private static void Require(OrthonormalBasis a, OrthonormalBasis b)
    {
        if (a.Size != b.Size)
            throw new ArgumentException($"Subspaces of spaces of {a.Size} and {b.Size} dimensions have no angles between them.", nameof(b));
    }
}
