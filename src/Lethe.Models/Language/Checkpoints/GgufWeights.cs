using System.Globalization;
using Lethe.Formats.Gguf;
using Lethe.Torch;

namespace Lethe.Models.Language.Checkpoints;

/// <summary>A GGUF file's tensors under Hugging Face's names, in Hugging Face's order of rows. Blocks are float32 when they are read; F16 and BF16 stay as stored.</summary>
/// <remarks>Source of the names: llama.cpp, gguf-py/gguf/tensor_mapping.py and constants.py; of the changes: convert_hf_to_gguf.py, LlamaModel and Gemma2Model.modify_tensors.</remarks>
internal sealed class GgufWeights : RenamedWeights
{
    private static readonly Dictionary<string, string> Whole = new(StringComparer.Ordinal)
    {
        ["token_embd"] = "model.embed_tokens", ["output_norm"] = "model.norm", ["output"] = "lm_head",
    };

    private static readonly Dictionary<string, string> Layer = new(StringComparer.Ordinal)
    {
        ["attn_norm"] = "input_layernorm", ["attn_q"] = "self_attn.q_proj", ["attn_k"] = "self_attn.k_proj", ["attn_v"] = "self_attn.v_proj", ["attn_output"] = "self_attn.o_proj",
        ["ffn_norm"] = "post_attention_layernorm", ["ffn_gate"] = "mlp.gate_proj", ["ffn_up"] = "mlp.up_proj", ["ffn_down"] = "mlp.down_proj",
        ["attn_q_norm"] = "self_attn.q_norm", ["attn_k_norm"] = "self_attn.k_norm",
    };

    /// <summary>Gemma-2 has norms behind attention and MLP too, and llama.cpp calls the one before the MLP ffn_norm.</summary>
    private static readonly Dictionary<string, string> Gemma2Layer = new(Layer, StringComparer.Ordinal)
    {
        ["post_attention_norm"] = "post_attention_layernorm", ["ffn_norm"] = "pre_feedforward_layernorm", ["post_ffw_norm"] = "post_feedforward_layernorm",
    };

    /// <summary>llama3's frequency factors; they are in the configuration.</summary>
    private const string RopeFrequencies = "rope_freqs.weight";

    private readonly GgufFile file;

    /// <param name="file">The file; it belongs to this object from here on.</param>
    /// <param name="configuration">What its metadata say.</param>
    /// <exception cref="BadInputException">A tensor has a name that the architecture does not know.</exception>
    public GgufWeights(GgufFile file, LanguageModelConfiguration configuration)
    {
        this.file = file;
        var gemma = configuration.ModelType == "gemma2";
        foreach (var tensor in file.Tensors)
        {
            if (tensor.Name == RopeFrequencies)
                continue;
            var name = Map(tensor.Name, gemma ? Gemma2Layer : Layer)
                ?? throw new BadInputException($"{file.Path}: has the tensor '{tensor.Name}', which {configuration.ModelType} models do not have.");
            if (tensor.Shape.Count == 0)
                throw new BadInputException($"{file.Path}: tensor '{tensor.Name}' is a scalar; it must have rows.");
            // Of the families here llama.cpp permutes Llama's only; the others rotate halves there too.
            var rotated = configuration.ModelType == "llama" && name.Contains(".self_attn.", StringComparison.Ordinal) && (name.Contains(".q_proj", StringComparison.Ordinal) || name.Contains(".k_proj", StringComparison.Ordinal));
            if (rotated && tensor.Shape[0] % configuration.HeadSize != 0)
                throw new BadInputException($"{file.Path}: tensor '{tensor.Name}' has {tensor.Shape[0]} rows, which are no whole number of heads of {configuration.HeadSize}.");
            var lifted = gemma && name.EndsWith("norm.weight", StringComparison.Ordinal);
            if (lifted && tensor.Type != GgufType.F32)
                throw new BadInputException($"{file.Path}: tensor '{tensor.Name}' has the type {tensor.Type}; norms are stored as F32.");
            var type = GgufTypes.Readable.Contains(tensor.Type) ? file.TypeOf(tensor.Name) : DType.Float32;
            Add(name, new Entry(tensor.Name, [.. tensor.Shape], type, rotated ? configuration.HeadSize : 0, lifted ? 1 : 0));
        }
    }

    /// <inheritdoc/>
    protected override string File => file.Path;

    /// <inheritdoc/>
    public override void Dispose() => file.Dispose();

    protected override void ReadStored(Entry entry, ReadOnlySpan<long> rows, Span<byte> destination)
    {
        if (entry.Shape.Length > 1)
        {
            Check(entry);
            file.ReadRows(entry.Stored, rows, destination);
            return;
        }
        var size = entry.Type.Size();
        var all = file.Read(entry.Stored).Bytes.Span;
        for (var i = 0; i < rows.Length; i++)
            all.Slice((int)rows[i] * size, size).CopyTo(destination[(i * size)..]);
    }

    protected override void ReadStored(Entry entry, long first, long count, Span<byte> destination)
    {
        if (entry.Shape.Length > 1)
        {
            Check(entry);
            file.ReadRows(entry.Stored, first, count, destination);
        }
        else
            file.Read(entry.Stored).Bytes.Span.Slice((int)first * entry.Type.Size(), destination.Length).CopyTo(destination);
    }

    /// <summary>Rows are those of a matrix.</summary>
    private void Check(Entry entry)
    {
        if (entry.Shape.Length > 2)
            throw new BadInputException($"{file.Path}: tensor '{entry.Stored}' has {entry.Shape.Length} dimensions; a language model's have one or two.");
    }

    /// <summary>Hugging Face's name; null for one that is not known.</summary>
    private static string? Map(string name, Dictionary<string, string> layer)
    {
        var dot = name.LastIndexOf('.');
        var (stem, kind) = dot < 0 ? (name, "") : (name[..dot], name[dot..]);
        if (kind is not (".weight" or ".bias"))
            return null;
        if (Whole.TryGetValue(stem, out var whole))
            return whole + kind;
        return stem.Split('.') is ["blk", var index, var part] && int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number.ToString(CultureInfo.InvariantCulture) == index && layer.TryGetValue(part, out var inner)
            ? $"model.layers.{index}.{inner}{kind}"
            : null;
    }
}
