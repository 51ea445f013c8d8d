using Lethe.Formats;
using Lethe.Torch;

namespace Lethe.Models.Language.Checkpoints;

/// <summary>
/// Reads config.json. Defaults are those of transformers' configuration classes (LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config,
/// Gemma2Config, GPT2Config, GPTNeoXConfig), which write only some keys and rely on the defaults for the rest.
/// </summary>
internal static class ConfigurationReader
{
    private const int MaxWidth = 1 << 20, MaxLayers = 4096, MaxVocabulary = 1 << 28, MaxContext = 1 << 28;

    /// <summary>What a family calls the keys that all have.</summary>
    private sealed record Family(string Vocabulary, string Hidden, string Intermediate, string Layers, string Heads, string Positions, string Epsilon, string Act);

    private static readonly Family Modern = new("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings", "rms_norm_eps", "hidden_act");

    public static LanguageModelConfiguration Read(string path)
    {
        var json = JsonFields.Read(path);
        var type = json.Text("model_type") ?? throw json.Refuse("model_type", $"is missing; Lethe knows {string.Join(", ", LanguageModelConfiguration.KnownTypes)}.");
        if (json.Object("quantization_config") is { } quantised)
            throw json.Refuse("quantization_config", $"says that the weights are quantised ({quantised.Text("quant_method") ?? "unknown method"}); Lethe reads the unquantised checkpoint, or a GGUF.");
        var defaults = Defaults(type) ?? throw json.Refuse("model_type",
            $"is '{type}', which Lethe has no model for yet; it knows {string.Join(", ", LanguageModelConfiguration.KnownTypes)}.");
        return type switch
        {
            "gpt2" => Gpt2(json, defaults),
            "gpt_neox" => GptNeoX(json, defaults),
            "gemma2" => Gemma2(json, defaults),
            _ => Common(json, defaults, Modern, headKey: true),
        };
    }

    private static LanguageModelConfiguration? Defaults(string type) => type switch
    {
        "llama" => new()
        {
            ModelType = type, VocabularySize = 32000, HiddenSize = 4096, IntermediateSize = 11008, Layers = 32, Heads = 32, MaximumPositions = 2048,
            BosTokenId = 1, EosTokenIds = [2],
        },
        "mistral" => new()
        {
            ModelType = type, VocabularySize = 32000, HiddenSize = 4096, IntermediateSize = 14336, Layers = 32, Heads = 32, KeyValueHeads = 8, MaximumPositions = 131072,
            SlidingWindow = 4096, BosTokenId = 1, EosTokenIds = [2],
        },
        "qwen2" => new()
        {
            ModelType = type, VocabularySize = 151936, HiddenSize = 4096, IntermediateSize = 22016, Layers = 32, Heads = 32, KeyValueHeads = 32, MaximumPositions = 32768,
            SlidingWindow = 4096, AttentionBias = true,
        },
        "qwen3" => new()
        {
            ModelType = type, VocabularySize = 151936, HiddenSize = 4096, IntermediateSize = 22016, Layers = 32, Heads = 32, KeyValueHeads = 32, HeadSize = 128, MaximumPositions = 32768,
            SlidingWindow = 4096,
        },
        "gemma2" => new()
        {
            ModelType = type, VocabularySize = 256000, HiddenSize = 2304, IntermediateSize = 9216, Layers = 26, Heads = 8, KeyValueHeads = 4, HeadSize = 256, MaximumPositions = 8192,
            SlidingWindow = 4096, AttentionSoftCap = 50, FinalSoftCap = 30, QueryScale = 1.0 / 16, Activation = Activation.GeluTanh, TieEmbeddings = true,
            BosTokenId = 2, EosTokenIds = [1], PadTokenId = 0,
        },
        "gpt2" => new()
        {
            ModelType = type, VocabularySize = 50257, HiddenSize = 768, IntermediateSize = 0, Layers = 12, Heads = 12, MaximumPositions = 1024, NormEpsilon = 1e-5,
            Activation = Activation.GeluTanh, TieEmbeddings = true, AttentionBias = true, AttentionOutputBias = true, MlpBias = true, BosTokenId = 50256, EosTokenIds = [50256],
        },
        "gpt_neox" => new()
        {
            ModelType = type, VocabularySize = 50432, HiddenSize = 6144, IntermediateSize = 24576, Layers = 44, Heads = 64, MaximumPositions = 2048, NormEpsilon = 1e-5,
            Activation = Activation.Gelu, RotaryShare = 0.25, AttentionBias = true, AttentionOutputBias = true, MlpBias = true, ParallelResidual = true, BosTokenId = 0, EosTokenIds = [2],
        },
        _ => null,
    };

    /// <summary>What all families say, under the family's own keys; of Llama, Mistral, Qwen2 and Qwen3 everything.</summary>
    private static LanguageModelConfiguration Common(JsonFields json, LanguageModelConfiguration defaults, Family keys, bool headKey)
    {
        var hidden = json.Int(keys.Hidden, 1, MaxWidth) ?? defaults.HiddenSize;
        var heads = json.Int(keys.Heads, 1, MaxWidth) ?? defaults.Heads;
        var layers = json.Int(keys.Layers, 1, MaxLayers) ?? defaults.Layers;
        var vocabulary = json.Int(keys.Vocabulary, 1, MaxVocabulary) ?? defaults.VocabularySize;
        // null means as many as query heads; left out means so in Llama only, in the others the default is a number.
        var keyValueHeads = !headKey ? heads
            : json.Int("num_key_value_heads", 1, MaxWidth) ?? (defaults.ModelType == "llama" || json.IsNull("num_key_value_heads") ? heads : defaults.KeyValueHeads);
        var headSize = (headKey ? json.Int("head_dim", 1, MaxWidth) : null) ?? (defaults.ModelType is "qwen3" or "gemma2" ? defaults.HeadSize : 0);
        if (headSize == 0)
            headSize = hidden % heads == 0 ? hidden / heads : throw json.Refuse(keys.Hidden, $"is {hidden}, which {heads} heads ({keys.Heads}) do not divide.");
        if (heads % keyValueHeads != 0)
            throw json.Refuse("num_key_value_heads", $"is {keyValueHeads}; it must divide the {heads} heads of {keys.Heads}.");
        var (kinds, window) = Layout(json, defaults, layers);
        var qkvBias = defaults.ModelType is "llama" or "qwen3" or "gemma2" or "gpt_neox" ? json.Flag("attention_bias") ?? defaults.AttentionBias : defaults.AttentionBias;
        return Rope(json, defaults, headSize, defaults with
        {
            VocabularySize = vocabulary,
            HiddenSize = hidden,
            IntermediateSize = json.Int(keys.Intermediate, 1, 1 << 24) ?? defaults.IntermediateSize,
            Layers = layers,
            Heads = heads,
            KeyValueHeads = keyValueHeads,
            HeadSize = headSize,
            MaximumPositions = json.Int(keys.Positions, 1, MaxContext) ?? defaults.MaximumPositions,
            NormEpsilon = json.Number(keys.Epsilon, 0, 1) ?? defaults.NormEpsilon,
            TieEmbeddings = json.Flag("tie_word_embeddings") ?? defaults.TieEmbeddings,
            SlidingWindow = window,
            LayerKinds = kinds,
            QueryScale = 0,
            Activation = ActivationOf(json, keys.Act) ?? defaults.Activation,
            AttentionBias = qkvBias,
            // Qwen2 has biases before the heads and none behind them.
            AttentionOutputBias = defaults.ModelType is "llama" or "qwen3" or "gemma2" or "gpt_neox" ? qkvBias : defaults.AttentionOutputBias,
            MlpBias = defaults.ModelType == "llama" ? json.Flag("mlp_bias") ?? false : defaults.MlpBias,
            StoredType = TypeOf(json),
            BosTokenId = Token(json, "bos_token_id", vocabulary, defaults.BosTokenId),
            EosTokenIds = json.Ints("eos_token_id", 0, vocabulary - 1) ?? [.. defaults.EosTokenIds.Where(id => id < vocabulary && !json.IsNull("eos_token_id"))],
            PadTokenId = Token(json, "pad_token_id", vocabulary, defaults.PadTokenId),
        });
    }

    private static LanguageModelConfiguration Gemma2(JsonFields json, LanguageModelConfiguration defaults)
    {
        if (json.Flag("use_bidirectional_attention") == true)
            throw json.Refuse("use_bidirectional_attention", "is true; Lethe runs causal models only.");
        // hidden_act is there in published files and never read.
        var common = Common(json, defaults, Modern with { Act = "hidden_activation" }, headKey: true);
        var scalar = json.Number("query_pre_attn_scalar", 0, 1e9, above: true) ?? 256;
        return common with
        {
            QueryScale = 1 / Math.Sqrt(scalar),
            AttentionSoftCap = json.IsNull("attn_logit_softcapping") ? null : json.Number("attn_logit_softcapping", 0, 1e9, above: true) ?? defaults.AttentionSoftCap,
            FinalSoftCap = json.IsNull("final_logit_softcapping") ? null : json.Number("final_logit_softcapping", 0, 1e9, above: true) ?? defaults.FinalSoftCap,
        };
    }

    private static LanguageModelConfiguration Gpt2(JsonFields json, LanguageModelConfiguration defaults)
    {
        if (json.Flag("add_cross_attention") == true)
            throw json.Refuse("add_cross_attention", "is true; Lethe runs decoders without an encoder only.");
        if (json.Flag("scale_attn_by_inverse_layer_idx") == true)
            throw json.Refuse("scale_attn_by_inverse_layer_idx", "is true; Lethe's GPT-2 scales all layers alike.");
        // The library takes both names of each.
        string Key(string own, string general) => json.Has(own) || !json.Has(general) ? own : general;
        var keys = new Family("vocab_size", Key("n_embd", "hidden_size"), "n_inner", Key("n_layer", "num_hidden_layers"), Key("n_head", "num_attention_heads"),
            Key("n_positions", "max_position_embeddings"), "layer_norm_epsilon", "activation_function");
        var common = Common(json, defaults, keys, headKey: false);
        return common with
        {
            IntermediateSize = common.IntermediateSize > 0 ? common.IntermediateSize : 4 * common.HiddenSize,
            QueryScale = json.Flag("scale_attn_weights") == false ? 1 : 0,
        };
    }

    private static LanguageModelConfiguration GptNeoX(JsonFields json, LanguageModelConfiguration defaults) =>
        Common(json, defaults, Modern with { Epsilon = "layer_norm_eps" }, headKey: false) with { ParallelResidual = json.Flag("use_parallel_residual") ?? true };

    /// <summary>Which layers see a window only, and how wide it is.</summary>
    private static (IReadOnlyList<LayerKind> Kinds, int? Window) Layout(JsonFields json, LanguageModelConfiguration defaults, int layers)
    {
        var type = defaults.ModelType;
        if (type is not ("mistral" or "qwen2" or "qwen3" or "gemma2"))
            return ([.. Enumerable.Repeat(LayerKind.Full, layers)], null);
        var window = json.IsNull("sliding_window") ? null : json.Int("sliding_window", 1, MaxContext) ?? defaults.SlidingWindow;
        if (type is "qwen2" or "qwen3" && json.Flag("use_sliding_window") != true)
            window = null;
        var kinds = json.Texts("layer_types")?.Select(text => text switch
        {
            "full_attention" => LayerKind.Full,
            "sliding_attention" => LayerKind.Sliding,
            _ => throw json.Refuse("layer_types", $"has '{text}'; full_attention and sliding_attention are allowed for {type}."),
        }).ToList();
        if (kinds is not null && kinds.Count != layers)
            throw json.Refuse("layer_types", $"has {kinds.Count} values; num_hidden_layers says {layers} layers.");
        var firstWindowed = json.Int("max_window_layers", 0, int.MaxValue) ?? 28;
        kinds ??= [.. Enumerable.Range(0, layers).Select(layer => type switch
        {
            "gemma2" => layer % 2 == 0 ? LayerKind.Sliding : LayerKind.Full,
            "mistral" => window is null ? LayerKind.Full : LayerKind.Sliding,
            _ => window is not null && layer >= firstWindowed ? LayerKind.Sliding : LayerKind.Full,
        })];
        if (!kinds.Contains(LayerKind.Sliding))
            return (kinds, null);
        return window is not null ? (kinds, window) : throw json.Refuse("sliding_window", $"gives no window, but {(json.Has("layer_types") ? "layer_types says that" : "in this family")} some layers have one.");
    }

    /// <summary>Rotary constants: rope_parameters (transformers 5), or rope_theta, rope_scaling, rotary_emb_base and rotary_pct (transformers 4).</summary>
    private static LanguageModelConfiguration Rope(JsonFields json, LanguageModelConfiguration defaults, int headSize, LanguageModelConfiguration read)
    {
        if (read.ModelType == "gpt2")
            return read;
        var old = json.Object("rope_scaling");
        var rope = old ?? json.Object("rope_parameters");
        foreach (var kind in (string[])["full_attention", "sliding_attention"])
            if (rope?.Has(kind) == true)
                throw rope.Refuse(kind, $"gives rotary constants for a kind of layer; {read.ModelType} has one set for all.");
        var neox = read.ModelType == "gpt_neox";
        var theta = rope?.Number("rope_theta", 0, 1e15, above: true) ?? (neox ? json.Number("rotary_emb_base", 0, 1e15, above: true) : null)
            ?? json.Number("rope_theta", 0, 1e15, above: true) ?? defaults.RopeTheta;
        var share = rope?.Number("partial_rotary_factor", 0, 1, above: true) ?? (neox ? json.Number("rotary_pct", 0, 1, above: true) : null)
            ?? json.Number("partial_rotary_factor", 0, 1, above: true) ?? defaults.RotaryShare;
        if (share != 1 && !neox)
            throw json.Refuse("partial_rotary_factor", FormattableString.Invariant($"is {share}; {read.ModelType} rotates whole heads, so it must be 1."));
        if ((int)(headSize * share) is var rotated && (rotated % 2 != 0 || rotated == 0))
            throw json.Refuse(json.Has("head_dim") ? "head_dim" : "hidden_size", $"gives {rotated} rotated dimensions a head; they must be even in number and at least 2.");
        return read with { RopeTheta = theta, RotaryShare = share, RopeScaling = rope is null ? null : Scaling(rope) };
    }

    private static RopeScaling? Scaling(JsonFields rope)
    {
        var key = rope.Has("rope_type") ? "rope_type" : "type";
        return rope.Text(key) switch
        {
            null or "default" => null,
            "linear" => new(RopeScalingKind.Linear, Factor()),
            "llama3" => new(RopeScalingKind.Llama3, Factor(), Required("low_freq_factor"), HighFactor(), rope.Int("original_max_position_embeddings", 1, MaxContext)
                ?? throw rope.Refuse("original_max_position_embeddings", "is missing; llama3 scaling needs it.")),
            var other => throw rope.Refuse(key, $"is '{other}'; default, linear and llama3 are allowed."),
        };

        double Required(string name) => rope.Number(name, 0, 1e6, above: true) ?? throw rope.Refuse(name, "is missing; this rope_type needs it.");

        double Factor() => Required("factor") is >= 1 and var factor ? factor : throw rope.Refuse("factor", "is below 1.");

        double HighFactor() => Required("high_freq_factor") is var high && high > Required("low_freq_factor") ? high : throw rope.Refuse("high_freq_factor", "must be more than low_freq_factor.");
    }

    private static Activation? ActivationOf(JsonFields json, string key) => json.Text(key) switch
    {
        null => null,
        "silu" or "swish" => Activation.Silu,
        "gelu" => Activation.Gelu,
        "gelu_new" or "gelu_pytorch_tanh" or "gelu_fast" => Activation.GeluTanh,
        "relu" => Activation.Relu,
        var other => throw json.Refuse(key, $"is '{other}'; silu, gelu, gelu_new, gelu_pytorch_tanh, gelu_fast and relu are allowed."),
    };

    private static DType? TypeOf(JsonFields json)
    {
        var key = json.Has("dtype") ? "dtype" : "torch_dtype";
        return json.Text(key) switch
        {
            null or "auto" => null,
            "float32" or "torch.float32" => DType.Float32,
            "float16" or "torch.float16" => DType.Float16,
            "bfloat16" or "torch.bfloat16" => DType.BFloat16,
            "float64" or "torch.float64" => DType.Float64,
            var other => throw json.Refuse(key, $"is '{other}'; float32, float16, bfloat16 and float64 are allowed."),
        };
    }

    private static int? Token(JsonFields json, string key, int vocabulary, int? family)
    {
        // -1 is how some configurations write "none".
        var read = json.Int(key, -1, vocabulary - 1);
        return read is not null ? (read >= 0 ? read : null) : json.IsNull(key) || family >= vocabulary ? null : family;
    }
}
