using System.Globalization;
using Lethe.Torch;

namespace Lethe.Unlearning.Language.Subspaces;

/// <summary>
/// An orthonormal basis U (D, k) of a linear subspace, in float64. Rank is found by singular values, because QR without pivoting, which the SSPU paper uses (arXiv 2505.24428), hides
/// rows that nearly repeat each other.
/// </summary>
public sealed class OrthonormalBasis : IDisposable
{
    /// <summary>Singular values below this share of the largest count as 0. Rows come from float32 files, whose rounding is 6e-8 of a number.</summary>
    public const double DefaultTolerance = 1e-6;

    private OrthonormalBasis(Tensor columns, double[] singularValues) => (Columns, SingularValues) = (TensorScope.Detach(columns), singularValues);

    /// <summary>U, (D, k) float64; owned by the basis.</summary>
    public Tensor Columns { get; }

    /// <summary>Size D of the space.</summary>
    public long Size => Columns.Size(0);

    /// <summary>Dimensions k of the subspace.</summary>
    public int Rank => (int)Columns.Size(1);

    /// <summary>All singular values of what the basis was made from, the largest first, so also those that were counted as 0; all 1 where it was made from no rows.</summary>
    public IReadOnlyList<double> SingularValues { get; }

    /// <summary>The span of rows.</summary>
    /// <param name="rows">(n, D), real numbers; n may be more or less than D.</param>
    /// <param name="tolerance">Singular values up to this share of the largest count as 0; 0 or more and below 1.</param>
    /// <param name="what">What the rows are, for the error: "relevant directions".</param>
    /// <exception cref="BadInputException">The rows span nothing (there are none, or all are 0), or a number is not finite.</exception>
    public static OrthonormalBasis Of(Tensor rows, double tolerance = DefaultTolerance, string what = "directions") => Of(rows, tolerance, what, 0);

    /// <summary>A random subspace: the control of equal rank that a claim for a chosen one needs.</summary>
    /// <param name="size">Size D of the space.</param>
    /// <param name="rank">Dimensions k, 1 to D.</param>
    /// <param name="random">Decides it; every direction is as likely as every other.</param>
    public static OrthonormalBasis Random(long size, int rank, RandomStream random)
    {
        Require(rank, size);
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var drawn = Tensor.Randn([size, rank], random, DType.Float64).To(Device.Cpu).Qr()[0];
        return new(drawn.Contiguous(), [.. Enumerable.Repeat(1.0, rank)]);
    }

    /// <summary>The directions in which activations vary most: the other control of equal rank.</summary>
    /// <param name="covariance">(D, D) symmetric; see <see cref="SecondMoments.Covariance"/>.</param>
    /// <param name="rank">Dimensions k, 1 to D.</param>
    public static OrthonormalBasis Principal(Tensor covariance, int rank)
    {
        var size = covariance.Size(0);
        Require(rank, size);
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var vectors = covariance.To(Device.Cpu).To(DType.Float64).Eigh()[1]; // ascending
        return new(vectors.Narrow(1, size - rank, rank).Flip(1).Contiguous(), [.. Enumerable.Repeat(1.0, rank)]);
    }

    /// <summary>Takes columns that are orthonormal already.</summary>
    /// <param name="columns">(D, k) float64 on the processor.</param>
    internal static OrthonormalBasis Trusted(Tensor columns) => new(columns, [.. Enumerable.Repeat(1.0, (int)columns.Size(1))]);

    /// <param name="rows">(n, D).</param>
    /// <param name="tolerance">As in the public form.</param>
    /// <param name="what">As in the public form.</param>
    /// <param name="scale">Singular values are held against this or the largest of them, whichever is larger: rows that something was taken out of are held against what they were.</param>
    internal static OrthonormalBasis Of(Tensor rows, double tolerance, string what, double scale)
    {
        if (rows.Dimensions != 2)
            throw new ArgumentException($"A basis is made from rows (n, D), not from {rows.Describe()}.", nameof(rows));
        if (!(tolerance is >= 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(tolerance), tolerance, "0 or more and below 1 is allowed");
        if (rows.Elements == 0)
            throw new BadInputException($"The {what} span no subspace: there are none of them. Choose more latents, or loosen what they must fulfil.");
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var exact = rows.To(Device.Cpu).To(DType.Float64);
        if (exact.IsFinite().All().Item() == 0)
            throw new BadInputException($"The {what} hold a number that is not finite; the autoencoder or the activations that they come from are damaged.");
        var parts = exact.T().Svd(); // (D, m), (m), (m, n)
        var values = parts[1].ToArray<double>();
        var smallest = Math.Max(values[0], scale) * tolerance;
        var rank = values.Count(value => value > smallest && value > 0);
        if (rank == 0)
            throw new BadInputException(string.Create(CultureInfo.InvariantCulture,
                $"The {what} span a subspace of rank 0: of {rows.Size(0)} rows none has a singular value above {smallest:G3} (the largest is {values[0]:G3}). Choose other latents, or fewer of them."));
        return new(parts[0].Narrow(1, 0, rank).Contiguous(), values);
    }

    /// <summary>The part of vectors that lies in the subspace, U Uᵀ x: (…, D) → (…, D), computed in their type and on their device.</summary>
    public Tensor Project(Tensor x)
    {
        using var scope = new TensorScope();
        var u = As(x);
        return scope.Keep(x.MatMul(u).MatMul(u.T()));
    }

    /// <summary>The rest, x − U Uᵀ x.</summary>
    public Tensor Remove(Tensor x)
    {
        using var scope = new TensorScope();
        return scope.Keep(x - Project(x));
    }

    /// <summary>Share of the squared length of vectors that lies in the subspace, Σ ‖Uᵀ x‖² / Σ ‖x‖²; 0 where all are 0. A random subspace has rank / D on average.</summary>
    /// <param name="x">(…, D).</param>
    public double Share(Tensor x)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var exact = x.To(DType.Float64);
        var all = exact.Square().Sum().Item();
        return all == 0 ? 0 : exact.MatMul(As(exact)).Square().Sum().Item() / all;
    }

    /// <summary>U Uᵀ, (D, D) float64.</summary>
    public Tensor Projector()
    {
        using var scope = new TensorScope();
        return scope.Keep(Columns.Mm(Columns.T()));
    }

    /// <summary>U as it is used with a tensor: of its type, on its device.</summary>
    public Tensor As(Tensor like) => As(like.DType, like.Device);

    /// <summary>U in a type and on a device, (D, k).</summary>
    public Tensor As(DType type, Device device) => Columns.To(type).To(device);

    /// <summary>An orthonormal basis of diag(factors) U: the subspace as it looks through something that multiplies each coordinate.</summary>
    /// <param name="factors">D numbers, none of them 0.</param>
    /// <exception cref="BadInputException">A factor is 0 or not finite: the subspace cannot be carried through it.</exception>
    public OrthonormalBasis Through(IReadOnlyList<double> factors)
    {
        if (factors.Count != Size)
            throw new ArgumentException($"{factors.Count} factors were given for a space of {Size} dimensions.", nameof(factors));
        if (factors.Index().FirstOrDefault(entry => !double.IsFinite(entry.Item) || entry.Item == 0, (-1, 1)) is { Item1: >= 0 } bad)
            throw new BadInputException(string.Create(CultureInfo.InvariantCulture, $"A norm between the matrix and the residual stream multiplies dimension {bad.Item1} with {1 / bad.Item2:G3}, so that no subspace can be carried through it; leave the update of this matrix unconfined on that side."));
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var turned = Columns * Tensor.FromArray(factors.ToArray()).Unsqueeze(1);
        // Columns of full rank keep it: only rounding could say otherwise.
        return new(turned.Svd()[0].Contiguous(), SingularValues.ToArray());
    }

    /// <summary>The span of two subspaces together.</summary>
    public OrthonormalBasis Together(OrthonormalBasis other)
    {
        using var scope = new TensorScope();
        return Of(Tensor.Cat([Columns.T(), other.Columns.T()]), DefaultTolerance, "directions of both subspaces");
    }

    /// <summary>A copy of its own.</summary>
    public OrthonormalBasis Copy()
    {
        using var scope = new TensorScope();
        return new(Columns.Clone(), [.. SingularValues]);
    }

    /// <summary>Frees U.</summary>
    public void Dispose() => Columns.Dispose();

    private static void Require(int rank, long size)
    {
        if (rank < 1 || rank > size)
            throw new ArgumentOutOfRangeException(nameof(rank), rank, $"1 to {size} is allowed");
    }
}
