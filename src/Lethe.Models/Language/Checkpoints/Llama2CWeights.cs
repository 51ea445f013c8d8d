using Lethe.Formats.Llama2C;
using Lethe.Torch;

namespace Lethe.Models.Language.Checkpoints;

/// <summary>A llama2.c file's tensors under Hugging Face's names.</summary>
/// <remarks>Source: run.c forward (w1 is the gate, w3 goes up, w2 comes down), llama2.c export.py hf_export.</remarks>
internal sealed class Llama2CWeights : RenamedWeights
{
    private static readonly Dictionary<string, string> Layer = new(StringComparer.Ordinal)
    {
        ["rms_att_weight"] = "input_layernorm", ["wq"] = "self_attn.q_proj", ["wk"] = "self_attn.k_proj", ["wv"] = "self_attn.v_proj", ["wo"] = "self_attn.o_proj",
        ["rms_ffn_weight"] = "post_attention_layernorm", ["w1"] = "mlp.gate_proj", ["w2"] = "mlp.down_proj", ["w3"] = "mlp.up_proj",
    };

    private readonly Llama2CFile file;

    public Llama2CWeights(Llama2CFile file)
    {
        this.file = file;
        foreach (var tensor in file.Tensors)
        {
            var name = tensor.Name switch
            {
                "token_embedding_table" => "model.embed_tokens",
                "rms_final_weight" => "model.norm",
                "wcls" => "lm_head",
                _ => tensor.Name.Split('.') is [_, var layer, var part] ? $"model.layers.{layer}.{Layer[part]}" : throw new InvalidOperationException($"'{tensor.Name}' is no name of llama2.c's."),
            };
            var rotated = name.EndsWith(".q_proj", StringComparison.Ordinal) || name.EndsWith(".k_proj", StringComparison.Ordinal);
            Add($"{name}.weight", new Entry(tensor.Name, [.. tensor.Shape], DType.Float32, rotated ? file.Header.HeadSize : 0));
        }
    }

    /// <inheritdoc/>
    protected override string File => file.Path;

    /// <summary>What a llama2.c header means; the norms' epsilon and the rotary base are run.c's own.</summary>
    public static LanguageModelConfiguration Configuration(Llama2CHeader header) => new()
    {
        ModelType = "llama",
        VocabularySize = header.VocabularySize,
        HiddenSize = header.Dimension,
        IntermediateSize = header.HiddenDimension,
        Layers = header.Layers,
        Heads = header.Heads,
        KeyValueHeads = header.KeyValueHeads,
        MaximumPositions = header.SequenceLength,
        NormEpsilon = 1e-5,
        TieEmbeddings = header.SharedClassifier,
        StoredType = DType.Float32,
        BosTokenId = 1,
        EosTokenIds = [2],
    };

    /// <inheritdoc/>
    public override void Dispose() => file.Dispose();

    protected override void ReadStored(Entry entry, ReadOnlySpan<long> rows, Span<byte> destination)
    {
        var rowBytes = (int)RowBytes(entry);
        for (var i = 0; i < rows.Length; i++)
            ReadStored(entry, rows[i], 1, destination.Slice(i * rowBytes, rowBytes));
    }

    protected override void ReadStored(Entry entry, long first, long count, Span<byte> destination)
    {
        if (entry.Shape.Length > 1)
            file.ReadRows(entry.Stored, first, count, destination);
        else
            file.Read(entry.Stored).Bytes.Span.Slice((int)first * 4, destination.Length).CopyTo(destination);
    }
}
