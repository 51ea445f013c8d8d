using Lethe.Cli.Frame;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe sae</c>: a sparse autoencoder on its own.</summary>
public sealed class SaeVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "sae";

    /// <inheritdoc/>
    public override string Summary => "A sparse autoencoder on its own: encode activations.";

    /// <inheritdoc/>
    public override string Description =>
        "Works with sparse autoencoders in the layouts that users hold: folders of SAELens and dictionary_learning, params.npz of Gemma Scope, and bare tensors. They are trained by ./lethe train with a plan of the kind sparse_autoencoder.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("sae encode tests/Fixtures/sae/saelens/topk --input tests/Fixtures/sae/saelens/topk/golden.safetensors --out z.safetensors", "latents of stored activations"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Verb> Verbs { get; } = [new SaeEncodeVerb()];
}
