namespace Lethe.Models.SparseAutoencoders;

/// <summary>What an autoencoder does to activations before it encodes them, and undoes after decoding. The names are SAELens's.</summary>
public enum InputNormalisation
{
    /// <summary>Nothing; also what "expected_average_only_in" means at inference, whose factor is folded into the weights.</summary>
    None,
    /// <summary>Each activation is brought to the norm √D.</summary>
    ConstantNorm,
    /// <summary>Each activation is brought to mean 0 and standard deviation 1 (that of D − 1).</summary>
    LayerNorm,
}

/// <summary>Where the activations of an autoencoder come from.</summary>
/// <param name="Name">Name of the module output: "layers.7.residual_after" for language models, a layer's name for others, such as "fc2" of a VAE.</param>
/// <param name="Layer">Layer of a language model, from 0; null elsewhere.</param>
public sealed record SaeSite(string Name, int? Layer = null)
{
    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>All of an autoencoder but its weights.</summary>
public sealed record SparseAutoencoderConfiguration
{
    /// <summary>"standard" (ReLU), "topk", "jumprelu" or "gated".</summary>
    public required string Architecture { get; init; }

    /// <summary>Size D of an activation.</summary>
    public required long InputSize { get; init; }

    /// <summary>Number K of latents.</summary>
    public required long Width { get; init; }

    /// <summary>Whether the decoder's bias is subtracted before encoding. SAELens's default; false in Gemma Scope.</summary>
    public bool SubtractDecoderBias { get; init; } = true;

    /// <summary>What is done to activations first.</summary>
    public InputNormalisation Normalisation { get; init; }

    /// <summary>Whether activations may come with a dimension of heads, (…, heads, head size), which is flattened (SAELens: hook_z).</summary>
    public bool Heads { get; init; }

    /// <summary>Active latents of "topk"; 0 elsewhere.</summary>
    public long Active { get; init; }

    /// <summary>Whether the K largest are chosen, and given, in units of the decoder rows' norms (SAELens: rescale_acts_by_decoder_norm); "topk" only.</summary>
    public bool ScaleByDecoderNorm { get; init; }

    /// <summary>Where the activations come from; null where the file does not say.</summary>
    public SaeSite? Site { get; init; }

    /// <summary>The model that the activations come from; null where the file does not say.</summary>
    public string? Model { get; init; }

    /// <summary>Mean norm of the activations that it was trained on; null where the file does not say. Lethe's trainings say it.</summary>
    public double? ActivationNorm { get; init; }

    /// <summary>Tokens of a context in training; null where the file does not say.</summary>
    public long? ContextSize { get; init; }

    /// <summary>What else is known of the training, for the reader; written beside the weights.</summary>
    public IReadOnlyDictionary<string, string> Training { get; init; } = new Dictionary<string, string>();
}
