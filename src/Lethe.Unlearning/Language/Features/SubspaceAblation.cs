using Lethe.Models.Language;
using Lethe.Torch;
using Lethe.Unlearning.Language.Subspaces;

namespace Lethe.Unlearning.Language.Features;

/// <summary>
/// Takes a subspace out of a site of the untouched model, h − U Uᵀ(h − μ), to ask what the subspace is for. The first position of each row, whose norm is many times the others', stays as it is.
/// </summary>
public sealed class SubspaceAblation : ISiteVisitor, IDisposable
{
    private readonly Site site;
    private readonly OrthonormalBasis basis;
    private readonly Tensor? kept; // U Uᵀ μ, (D)

    /// <summary>Prepares it.</summary>
    /// <param name="site">Where.</param>
    /// <param name="basis">What is taken out; must outlive this.</param>
    /// <param name="mean">μ, (D): what is put there instead, such as the mean of retain text; null: nothing.</param>
    public SubspaceAblation(Site site, OrthonormalBasis basis, Tensor? mean = null)
    {
        (this.site, this.basis) = (site, basis);
        if (mean is null)
            return;
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        kept = TensorScope.Detach(basis.Project(mean.To(DType.Float64).To(Device.Cpu)));
    }

    /// <inheritdoc/>
    public bool Wants(Site site) => site == this.site;

    /// <inheritdoc/>
    public Tensor Visit(Site site, Tensor value) => Visit(site, value, SitePositions.Whole((int)value.Size(0), (int)value.Size(1)));

    /// <inheritdoc/>
    public Tensor Visit(Site site, Tensor value, SitePositions positions)
    {
        using var scope = new TensorScope();
        var left = basis.Remove(value);
        if (kept is not null)
            left += kept.To(value.DType).To(value.Device);
        var first = new byte[positions.Rows * positions.Count];
        for (var row = 0; row < positions.Rows; row++)
            for (var at = 0; at < positions.Count; at++)
                first[row * positions.Count + at] = positions.IsFirst(row, at) ? (byte)1 : (byte)0;
        return scope.Keep(value.Where(Tensor.FromArray(first, positions.Rows, positions.Count, 1).Ne(0).To(value.Device), left));
    }

    /// <summary>Frees the mean.</summary>
    public void Dispose() => kept?.Dispose();
}
