using Lethe.Models.Language;
using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders.Training;

/// <summary>
/// Activations of a language model: the forward ends after the highest site, neither the layers above nor the head are run or need to be loaded; first positions are
/// left out. All sites come from one forward.
/// </summary>
public sealed class LanguageActivations : IActivationStream
{
    private readonly CausalLanguageModel model;
    private readonly Site[] sites;
    private readonly int rows;
    private readonly ulong? seed;
    private readonly int to;
    private (long Pass, int[] Order) order = (-1, []);

    /// <summary>Prepares a stream; model and tokens stay the caller's.</summary>
    /// <param name="model">The model, with the layers up to the highest site at least.</param>
    /// <param name="sites">Where it is read.</param>
    /// <param name="tokens">What it reads.</param>
    /// <param name="rows">Contexts of a batch.</param>
    /// <param name="seed">Decides the order of the contexts; null reads them as they lie, in every pass.</param>
    /// <param name="name">Name of the model.</param>
    /// <exception cref="BadInputException">The model has no such layer.</exception>
    public LanguageActivations(CausalLanguageModel model, IReadOnlyList<Site> sites, PackedTokens tokens, int rows, ulong? seed, string? name = null)
    {
        (this.model, this.sites, Tokens, this.rows, this.seed, Model) = (model, [.. sites], tokens, rows, seed, name);
        foreach (var site in sites)
            if (site.Layer >= model.LayerCount)
                throw new BadInputException($"The model has no site {site}: its layers are 0 to {model.LayerCount - 1}.");
        to = sites.Max(site => site.Layer) + 1;
        // Sizes differ by kind; one token through the slice shows them.
        using var scope = new TensorScope();
        Sites = [.. this.sites.Zip(Forward(Tensor.FromArray(new long[] { tokens.Context(0)[0] }, 1, 1)), (site, value) => new SiteActivations(new SaeSite(site.ToString(), site.Layer), value.Size(-1)))];
    }

    /// <inheritdoc/>
    public IReadOnlyList<SiteActivations> Sites { get; }

    /// <inheritdoc/>
    public string? Model { get; }

    /// <inheritdoc/>
    public long? ContextSize => Tokens.Length;

    /// <inheritdoc/>
    public long Batches => (Tokens.Count + rows - 1) / rows;

    /// <summary>What the model reads.</summary>
    public PackedTokens Tokens { get; }

    /// <inheritdoc/>
    public IReadOnlyList<Tensor> Read(long pass, long batch)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var ids = Tokens.Ids(ContextsOf(pass, batch)).To(model.Device);
        var kept = Tokens.Counted(ids).View(-1).Nonzero().View(-1);
        return [.. Forward(ids).Select(value => scope.Keep(value.Reshape(-1, value.Size(-1)).IndexSelect(0, kept)))];
    }

    /// <summary>Activations of given contexts with all of their positions, (B, T, D) for each site.</summary>
    public IReadOnlyList<Tensor> ReadContexts(ReadOnlySpan<int> contexts)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        return [.. Forward(Tokens.Ids(contexts).To(model.Device)).Select(scope.Keep)];
    }

    /// <summary>Numbers of the contexts in a batch of a pass.</summary>
    public ReadOnlySpan<int> ContextsOf(long pass, long batch)
    {
        if (order.Pass != pass)
            order = (pass, Order(pass));
        var start = (int)(batch * rows);
        return order.Order.AsSpan(start, Math.Min(rows, Tokens.Count - start));
    }

    /// <summary>Nothing is held.</summary>
    public void Dispose() { }

    private int[] Order(long pass)
    {
        if (seed is not { } known)
            return [.. Enumerable.Range(0, Tokens.Count)];
        using var random = new RandomStream(RandomStream.ChildSeed(known, $"pass {pass}"));
        using var scope = new TensorScope();
        return [.. Tensor.RandPerm(Tokens.Count, random).ToArray<long>().Select(index => (int)index)];
    }

    // Values (B, T, D) at each site, in their order; owned by the open scope.
    private Tensor[] Forward(Tensor ids)
    {
        using var noGrad = Autograd.NoGrad();
        using var recorder = new SiteRecorder(sites);
        using (new TensorScope())
            model.Run(model.Embed(ids), 0, to, new ForwardContext { Sites = recorder });
        return [.. sites.Select(site => recorder.Values[site].Detach())];
    }
}
