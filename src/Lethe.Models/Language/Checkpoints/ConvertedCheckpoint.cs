using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Lethe.Formats;
using Lethe.Formats.Tokenizers;
using Lethe.Torch;

namespace Lethe.Models.Language.Checkpoints;

/// <summary>Writes a whole Hugging Face directory: for models that did not come from one.</summary>
public static class HuggingFaceFolder
{
    /// <summary>Elements that are in memory at a time while a tensor is written.</summary>
    private const int PieceElements = 1 << 22;

    /// <summary>Writes config.json, generation_config.json, model.safetensors (or shards and index), tokenizer.json, tokenizer_config.json and special_tokens_map.json.</summary>
    /// <param name="folder">An existing, empty folder.</param>
    /// <param name="configuration">The model. Where it ties the embeddings, no head is written.</param>
    /// <param name="tensors">The weights under Hugging Face's names; all of one type.</param>
    /// <param name="type">That type, for config.json.</param>
    /// <param name="tokenizer">The tokenizer; null writes none.</param>
    /// <param name="special">The special tokens.</param>
    /// <param name="chatTemplate">The chat template in Jinja; null for none.</param>
    /// <param name="shardBytes">The most bytes of tensors in one file.</param>
    /// <exception cref="UsageException">The folder cannot be written.</exception>
    public static void Write(string folder, LanguageModelConfiguration configuration, IEnumerable<SafetensorsItem> tensors, DType type, Tokenizer? tokenizer, SpecialTokens special, string? chatTemplate = null, long shardBytes = SafetensorsModel.DefaultShardBytes)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(special);
        string In(string name) => Path.Combine(folder, name);
        SafetensorsModel.Write(folder, tensors.Where(item => !(configuration.TieEmbeddings && item.Name is "lm_head.weight" or "embed_out.weight")), SafetensorsWriter.DefaultMetadata.ToDictionary(), shardBytes);
        var told = configuration with { BosTokenId = special.Bos ?? configuration.BosTokenId, EosTokenIds = special.Stop.Count > 0 ? special.Stop : configuration.EosTokenIds, PadTokenId = special.Pad ?? configuration.PadTokenId };
        var json = ConfigurationWriter.Json(told, type);
        AtomicFile.WriteAllText(In("config.json"), ConfigurationWriter.Text(json));
        var generation = new JsonObject { ["_from_model_config"] = true };
        foreach (var key in (string[])["bos_token_id", "eos_token_id", "pad_token_id"])
            if (json[key] is { } id)
                generation[key] = id.DeepClone();
        AtomicFile.WriteAllText(In("generation_config.json"), ConfigurationWriter.Text(generation));
        if (tokenizer is null)
            return;
        tokenizer.Save(In("tokenizer.json"));
        var map = new JsonObject();
        foreach (var (name, text) in special.Texts)
            map[name] = text;
        AtomicFile.WriteAllText(In("special_tokens_map.json"), ConfigurationWriter.Text(map));
        var settings = new JsonObject(map.Select(pair => KeyValuePair.Create(pair.Key, pair.Value?.DeepClone())))
        {
            // The class that follows tokenizer.json and changes nothing of it.
            ["tokenizer_class"] = "PreTrainedTokenizerFast",
            ["add_bos_token"] = special.AddBos,
            ["add_eos_token"] = special.AddEos,
            ["clean_up_tokenization_spaces"] = false,
            ["model_max_length"] = configuration.MaximumPositions,
        };
        if (chatTemplate is not null)
            settings["chat_template"] = chatTemplate;
        AtomicFile.WriteAllText(In("tokenizer_config.json"), ConfigurationWriter.Text(settings));
    }

    /// <summary>A tensor of a weight source, to be written as float32 piece by piece.</summary>
    internal static SafetensorsItem Item(IWeightSource weights, string name)
    {
        var (shape, stored) = weights.Describe(name);
        return new SafetensorsItem(name, DType.Float32, shape, stream =>
        {
            var rowElements = shape.Skip(1).Aggregate(1L, (product, size) => product * size);
            var piece = Math.Max(1, PieceElements / rowElements);
            for (var first = 0L; first < shape[0]; first += piece)
            {
                var count = Math.Min(piece, shape[0] - first);
                var bytes = GC.AllocateUninitializedArray<byte>(checked((int)(count * rowElements * stored.Size())));
                weights.ReadRows(name, first, count, bytes);
                if (stored == DType.Float32)
                {
                    stream.Write(bytes);
                    continue;
                }
                var floats = GC.AllocateUninitializedArray<float>(checked((int)(count * rowElements)));
                Casting.ToFloats(stored, bytes, floats);
                stream.Write(MemoryMarshal.AsBytes(floats.AsSpan()));
            }
        });
    }
}

/// <summary>What GGUF and llama2.c have in common: saved, they become a Hugging Face directory in float32.</summary>
internal abstract class ConvertedCheckpoint(string path, LanguageModelConfiguration configuration, IWeightSource weights) : LanguageCheckpoint(path, configuration, weights)
{
    private protected override DType SavedType(DType stored) => DType.Float32;

    private protected override void WriteTo(string folder, IReadOnlyDictionary<string, HostArray> changed) => HuggingFaceFolder.Write(folder, Configuration,
        Weights.Names.Select(name => changed.TryGetValue(name, out var array) ? SafetensorsItem.From(name, array) : HuggingFaceFolder.Item(Weights, name)),
        DType.Float32, HasTokenizer ? Tokenizer : null, Special, ChatTemplateText);
}
