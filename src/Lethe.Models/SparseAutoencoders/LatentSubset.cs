using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders;

/// <summary>
/// A few latents of an autoencoder, encoded and edited without the others: D · k products a token in place of D · K. Where latents compete (topk) all of them are encoded, and
/// those asked for are picked. What comes out is what the whole autoencoder gives, up to the rounding of sums in another order.
/// </summary>
public sealed class LatentSubset : IDisposable
{
    private readonly SparseAutoencoder? whole;
    private readonly Tensor? chosen;

    /// <summary>Cuts the latents out.</summary>
    /// <param name="sae">The autoencoder. Where latents compete it is needed as long as the subset; otherwise it may be disposed.</param>
    /// <param name="latents">Which, at least one, each once; their order is that of what comes out.</param>
    /// <exception cref="BadInputException">A latent is not there, or is named twice.</exception>
    public LatentSubset(SparseAutoencoder sae, IReadOnlyList<long> latents)
    {
        if (latents.Count == 0)
            throw new BadInputException("No latent is chosen; name at least one.");
        foreach (var latent in latents)
            if (latent < 0 || latent >= sae.Width)
                throw new BadInputException($"The autoencoder has no latent {latent}; it has 0 to {sae.Width - 1}.");
        if (latents.GroupBy(latent => latent).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new BadInputException($"Latent {twice.Key} is named twice; name each once.");
        Latents = [.. latents];
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var indexes = Tensor.FromArray(Latents.ToArray()).To(sae.Encoder.Device);
        Own = sae.Only(indexes);
        if (sae.LatentsCompete)
            (whole, chosen) = (sae, TensorScope.Detach(indexes));
    }

    /// <summary>Numbers of the latents in the autoencoder they come from.</summary>
    public IReadOnlyList<long> Latents { get; }

    /// <summary>
    /// An autoencoder of these latents alone. It writes what they write; where latents do not compete it also encodes them, and is all that is needed of the whole one.
    /// </summary>
    public SparseAutoencoder Own { get; }

    /// <summary>These latents, (…, D) → (…, k).</summary>
    /// <exception cref="BadInputException">The activations have another size.</exception>
    public Tensor Encode(Tensor x)
    {
        if (whole is null)
            return Own.Encode(x);
        using var scope = new TensorScope();
        return scope.Keep(whole.Encode(x).IndexSelect(-1, chosen!));
    }

    /// <inheritdoc cref="SparseAutoencoder.Edit(Tensor, Tensor, Tensor)"/>
    public Tensor Edit(Tensor x, Tensor z, Tensor edited) => Own.Edit(x, z, edited);

    /// <summary>Frees what was cut out.</summary>
    public void Dispose()
    {
        Own.Dispose();
        chosen?.Dispose();
    }
}
