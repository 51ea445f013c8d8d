using Lethe.Models.Language;
using Lethe.Runs.Guardrails;
using Lethe.Torch;

namespace Lethe.Runs.Language;

/// <summary>Which values of a forward are written.</summary>
public sealed record ActivationRequest
{
    /// <summary>Texts, padded on the right to the longest; null where <see cref="IdsFile"/> is given.</summary>
    public IReadOnlyList<string>? Texts { get; init; }

    /// <summary>A safetensors file with input_ids, (T) or (B, T), and perhaps attention_mask and position_ids of the same shape.</summary>
    public string? IdsFile { get; init; }

    /// <summary>The file to write.</summary>
    public required string Output { get; init; }

    /// <summary>Numbers of the hidden states to write, 0 to the number of layers; null for all.</summary>
    public IReadOnlyList<int>? Layers { get; init; }

    /// <summary>Further sites, written under their names. Default none.</summary>
    public IReadOnlyList<Site> Sites { get; init; } = [];

    /// <summary>Whether logits are written. Default true.</summary>
    public bool Logits { get; init; } = true;

    /// <summary>The type in which weights are kept. Default float32.</summary>
    public DType DType { get; init; } = DType.Float32;

    /// <summary>Where the model computes. Default the processor.</summary>
    public Device Device { get; init; } = Device.Cpu;

    /// <summary>Folders of guardrails that the model runs behind; what is written is what they leave. Default none.</summary>
    public IReadOnlyList<string> Guardrails { get; init; } = [];
}

/// <summary>What was written.</summary>
/// <param name="Model">The model's file or folder.</param>
/// <param name="File">The file.</param>
/// <param name="Rows">Texts.</param>
/// <param name="Tokens">Tokens of the longest.</param>
/// <param name="Tensors">Name and shape of each tensor, in the file's order.</param>
public sealed record WrittenActivations(string Model, string File, int Rows, int Tokens, IReadOnlyDictionary<string, IReadOnlyList<long>> Tensors)
{
    /// <summary>Version of this layout.</summary>
    public string Schema { get; init; } = "lethe.activations/1";

    /// <summary>The guardrails that the model ran behind; null where there were none.</summary>
    public IReadOnlyList<GuardrailFacts>? Guardrails { get; init; }
}
