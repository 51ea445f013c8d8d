using System.Globalization;
using Lethe.Torch;

namespace Lethe.Unlearning.Language.Subspaces;

/// <summary>Which directions of a matrix's input an update may read first.</summary>
public enum InputOrder
{
    /// <summary>Those with the least energy on text that must stay: the choice of our first trials.</summary>
    LowEnergy,
    /// <summary>Those with the most energy on forget text for their energy on text that must stay: generalised eigenvectors of the two second moments.</summary>
    Contrast,
}

/// <summary>Text whose inputs to a matrix are protected.</summary>
/// <param name="Label">What it is: "retain", "neighbours", "look-alikes".</param>
/// <param name="Batches">The text.</param>
/// <param name="Weight">Weight of its mean energy beside that of other texts; above 0.</param>
public sealed record InputText(string Label, IReadOnlyList<TextBatch> Batches, double Weight = 1);

/// <summary>What a matrix may still read.</summary>
/// <param name="Matrix">Its name.</param>
/// <param name="Kept">Dimensions kept.</param>
/// <param name="Size">Dimensions that it reads.</param>
/// <param name="ProtectedEnergy">Share of the energy of protected text in them.</param>
/// <param name="ForgetEnergy">Share of the energy of forget text in them: what is left for the update to act on.</param>
public sealed record InputReading(string Matrix, int Kept, long Size, double ProtectedEnergy, double ForgetEnergy);

/// <summary>
/// P₀: the directions of what a matrix reads that text which must stay hardly uses. An update ΔW = B P₀ does to an input x only what B does to P₀ x, so text whose inputs have little energy there is changed little whatever B
/// becomes. In our first trials on SmolLM2-135M this mattered more than where an update writes (docs/sspu.md).
/// </summary>
public static class InputSubspace
{
    // Added to the protected energy of every direction, as a share of the mean: directions that protected text never uses do not have a ratio of any size.
    private const double Ridge = 1e-3;

    /// <summary>As many directions, in the order asked for, as together hold at most a share of the protected energy.</summary>
    /// <param name="guarded">Second moments of protected text, (D, D), float64, on the processor; so are the others.</param>
    /// <param name="forget">Those of forget text, (D, D); <see cref="InputOrder.Contrast"/> needs them.</param>
    /// <param name="energy">The share, above 0 and at most 1.</param>
    /// <param name="order">Which directions first.</param>
    /// <exception cref="BadInputException">Not one direction has so little energy.</exception>
    public static OrthonormalBasis Cut(Tensor guarded, Tensor forget, double energy, InputOrder order)
    {
        if (!(energy is > 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(energy), energy, "above 0 and at most 1 is allowed");
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var parts = guarded.Eigh(); // ascending
        var directions = order == InputOrder.LowEnergy ? parts[1] : Contrasted(parts, forget);
        var each = (guarded.Mm(directions) * directions).Sum(0L).ToArray<double>();
        // Rounding makes tiny energies negative.
        var total = each.Sum(value => Math.Max(0, value));
        var (kept, held) = (0, 0.0);
        while (kept < each.Length && held + Math.Max(0, each[kept]) <= energy * total * (1 + 1e-12))
            held += Math.Max(0, each[kept++]);
        if (kept == 0)
            throw new BadInputException(string.Create(CultureInfo.InvariantCulture, $"The input subspace has rank 0: the direction that comes first holds {Math.Max(0, each[0]) / total:P2} of the protected text's energy, and {energy:P2} is allowed. Raise the energy of the input projector."));
        return OrthonormalBasis.Trusted(directions.Narrow(1, 0, kept).Contiguous());
    }

    /// <summary>Share of the energy of second moments (D, D) that lies in a subspace.</summary>
    public static double Share(Tensor moments, OrthonormalBasis basis)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var all = moments.Diag().Sum().Item();
        return all == 0 ? 0 : (moments.Mm(basis.Columns) * basis.Columns).Sum().Item() / all;
    }

    // Generalised eigenvectors, the largest ratio of forget to protected energy first, made orthonormal one after another: any first r of them span what the first r eigenvectors span.
    private static Tensor Contrasted(Tensor[] guarded, Tensor forget)
    {
        var scale = (guarded[0].Clamp(0.0) + guarded[0].Clamp(0.0).Mean().Item() * Ridge).Rsqrt();
        var white = guarded[1] * scale; // columns of variance 1
        var ratios = white.T().Mm(forget).Mm(white).Eigh()[1].Flip(1);
        return white.Mm(ratios).Qr()[0];
    }
}
