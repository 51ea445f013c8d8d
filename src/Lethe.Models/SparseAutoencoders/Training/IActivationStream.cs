using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders.Training;

/// <summary>A place whose activations are read.</summary>
/// <param name="Site">Which.</param>
/// <param name="Size">Size D of an activation there.</param>
public sealed record SiteActivations(SaeSite Site, long Size);

/// <summary>
/// Activations of some sites of a model over a corpus, batch by batch: from a slice of a language model, from layers of an image model, from tensors. A
/// batch depends on its pass and number alone, so that any of them can be computed again: resuming needs no state but two numbers.
/// </summary>
public interface IActivationStream : IDisposable
{
    /// <summary>The sites, in the order of what <see cref="Read"/> gives.</summary>
    IReadOnlyList<SiteActivations> Sites { get; }

    /// <summary>The model that is read; null where it has no name.</summary>
    string? Model { get; }

    /// <summary>Tokens of a context; null for models that have none.</summary>
    long? ContextSize { get; }

    /// <summary>Batches of a pass over the corpus.</summary>
    long Batches { get; }

    /// <summary>Activations of a batch, (N, D) for each site; row n is of the same token or image at all sites. N may differ from batch to batch. The caller's scope owns them.</summary>
    /// <param name="pass">Pass over the corpus, from 0; the order differs from pass to pass.</param>
    /// <param name="batch">Number in the pass, from 0.</param>
    IReadOnlyList<Tensor> Read(long pass, long batch);
}

/// <summary>Activations that a function gives, such as a layer of a VAE over its images.</summary>
/// <param name="sites">The sites.</param>
/// <param name="batches">Batches of a pass.</param>
/// <param name="read">Activations of a batch of a pass: a pure function.</param>
/// <param name="model">Name of the model.</param>
public sealed class FunctionActivations(IReadOnlyList<SiteActivations> sites, long batches, Func<long, long, IReadOnlyList<Tensor>> read, string? model = null) : IActivationStream
{
    /// <inheritdoc/>
    public IReadOnlyList<SiteActivations> Sites => sites;

    /// <inheritdoc/>
    public string? Model => model;

    /// <inheritdoc/>
    public long? ContextSize => null;

    /// <inheritdoc/>
    public long Batches => batches;

    /// <inheritdoc/>
    public IReadOnlyList<Tensor> Read(long pass, long batch)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        return [.. read(pass, batch).Select(scope.Keep)];
    }

    /// <summary>Nothing is held.</summary>
    public void Dispose() { }
}
