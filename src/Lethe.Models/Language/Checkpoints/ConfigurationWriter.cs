using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lethe.Torch;

namespace Lethe.Models.Language.Checkpoints;

/// <summary>Writes config.json with the keys of transformers 4, which transformers 5 reads as well.</summary>
internal static class ConfigurationWriter
{
    private static readonly JsonSerializerOptions Layout = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" };

    /// <summary>Two spaces, keys in order, a line break at the end, as the library writes its files.</summary>
    public static string Text(JsonObject json) => new JsonObject(json.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => KeyValuePair.Create(pair.Key, pair.Value?.DeepClone()))).ToJsonString(Layout) + "\n";

    /// <param name="c">The model.</param>
    /// <param name="stored">The type that the weights beside it have.</param>
    public static JsonObject Json(LanguageModelConfiguration c, DType stored)
    {
        var json = new JsonObject
        {
            ["model_type"] = c.ModelType,
            ["architectures"] = new JsonArray(c.ModelType switch
            {
                "llama" => "LlamaForCausalLM",
                "mistral" => "MistralForCausalLM",
                "qwen2" => "Qwen2ForCausalLM",
                "qwen3" => "Qwen3ForCausalLM",
                "gemma2" => "Gemma2ForCausalLM",
                "gpt2" => "GPT2LMHeadModel",
                "gpt_neox" => "GPTNeoXForCausalLM",
                _ => throw new ArgumentException($"'{c.ModelType}' is none of {string.Join(", ", LanguageModelConfiguration.KnownTypes)}.", nameof(c)),
            }),
            ["vocab_size"] = c.VocabularySize,
            ["tie_word_embeddings"] = c.TieEmbeddings,
            ["bos_token_id"] = c.BosTokenId,
            ["eos_token_id"] = c.EosTokenIds.Count switch { 0 => null, 1 => c.EosTokenIds[0], _ => new JsonArray([.. c.EosTokenIds.Select(id => (JsonNode)id)]) },
            ["pad_token_id"] = c.PadTokenId,
            ["torch_dtype"] = stored switch { DType.Float16 => "float16", DType.BFloat16 => "bfloat16", DType.Float64 => "float64", _ => "float32" },
            ["use_cache"] = true,
        };
        if (c.ModelType == "gpt2")
            Gpt2(json, c);
        else
            Modern(json, c);
        return json;
    }

    private static void Gpt2(JsonObject json, LanguageModelConfiguration c)
    {
        json["n_embd"] = c.HiddenSize;
        json["n_layer"] = c.Layers;
        json["n_head"] = c.Heads;
        json["n_positions"] = c.MaximumPositions;
        json["n_inner"] = c.IntermediateSize == 4 * c.HiddenSize ? null : c.IntermediateSize;
        json["layer_norm_epsilon"] = Real(c.NormEpsilon);
        json["activation_function"] = c.Activation == Activation.GeluTanh ? "gelu_new" : Name(c.Activation);
        json["scale_attn_weights"] = c.QueryScale != 1;
    }

    private static void Modern(JsonObject json, LanguageModelConfiguration c)
    {
        var type = c.ModelType;
        json["hidden_size"] = c.HiddenSize;
        json["intermediate_size"] = c.IntermediateSize;
        json["num_hidden_layers"] = c.Layers;
        json["num_attention_heads"] = c.Heads;
        json["max_position_embeddings"] = c.MaximumPositions;
        json[type == "gemma2" ? "hidden_activation" : "hidden_act"] = Name(c.Activation);
        json[type == "gpt_neox" ? "layer_norm_eps" : "rms_norm_eps"] = Real(c.NormEpsilon);
        json["rope_scaling"] = c.RopeScaling switch
        {
            null => null,
            { Kind: RopeScalingKind.Linear } linear => new JsonObject { ["rope_type"] = "linear", ["factor"] = Real(linear.Factor) },
            var llama3 => new JsonObject
            {
                ["rope_type"] = "llama3",
                ["factor"] = Real(llama3.Factor),
                ["low_freq_factor"] = Real(llama3.LowFrequencyFactor),
                ["high_freq_factor"] = Real(llama3.HighFrequencyFactor),
                ["original_max_position_embeddings"] = llama3.OriginalPositions,
            },
        };
        if (type == "gpt_neox")
        {
            json["rotary_emb_base"] = Whole(c.RopeTheta);
            json["rotary_pct"] = Real(c.RotaryShare);
            json["use_parallel_residual"] = c.ParallelResidual;
            json["attention_bias"] = c.AttentionBias;
            json.Remove("rope_scaling");
            if (c.RopeScaling is not null)
                throw new ArgumentException("GPT-NeoX has no scaled rotary embedding in transformers 4's spelling.", nameof(c));
            return;
        }
        json["rope_theta"] = Real(c.RopeTheta);
        json["num_key_value_heads"] = c.KeyValueHeads;
        if (type != "qwen2")
            json["head_dim"] = c.HeadSize;
        if (type is "llama" or "qwen3" or "gemma2")
            json["attention_bias"] = c.AttentionBias;
        if (type == "llama")
            json["mlp_bias"] = c.MlpBias;
        if (type is "mistral" or "gemma2")
            json["sliding_window"] = c.SlidingWindow;
        if (type is "qwen2" or "qwen3")
        {
            json["use_sliding_window"] = c.SlidingWindow is not null;
            json["sliding_window"] = c.SlidingWindow;
            json["max_window_layers"] = c.SlidingWindow is null ? c.Layers : c.LayerKinds.TakeWhile(kind => kind == LayerKind.Full).Count();
        }
        if (type == "gemma2")
        {
            json["query_pre_attn_scalar"] = Whole(1 / (c.QueryScale * c.QueryScale));
            json["attn_logit_softcapping"] = Real(c.AttentionSoftCap);
            json["final_logit_softcapping"] = Real(c.FinalSoftCap);
        }
    }

    /// <summary>Whole where it is, up to rounding: Gemma-2's scalar was before its square root was taken.</summary>
    private static JsonNode Whole(double value) => Math.Abs(value - Math.Round(value)) < 1e-9 * value ? JsonValue.Create((long)Math.Round(value)) : JsonValue.Create(value);

    /// <summary>With a decimal point: Python takes 10000 for an int, and newer configuration classes check types.</summary>
    private static JsonNode? Real(double? value) => value is not { } number ? null
        : JsonNode.Parse(number.ToString("R", CultureInfo.InvariantCulture) is var text && text.AsSpan().ContainsAny('.', 'E') ? text : text + ".0");

    private static string Name(Activation activation) => activation switch
    {
        Activation.Silu => "silu",
        Activation.Gelu => "gelu",
        Activation.GeluTanh => "gelu_pytorch_tanh",
        _ => "relu",
    };
}
