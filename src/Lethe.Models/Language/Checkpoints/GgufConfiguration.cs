using Lethe.Formats.Gguf;
using Lethe.Torch;

namespace Lethe.Models.Language.Checkpoints;

/// <summary>What a GGUF file's metadata say of the model. Constants that the format lacks are those that llama.cpp itself uses.</summary>
/// <remarks>Source: llama.cpp, llama-model.cpp, load_hparams and the tensors of each architecture; ggml docs/gguf.md.</remarks>
internal static class GgufConfiguration
{
    private static readonly string[] Known = ["llama", "qwen2", "qwen3", "gemma2"];

    public static LanguageModelConfiguration Read(GgufFile file)
    {
        var metadata = file.Metadata;
        var architecture = metadata.Text("general.architecture") ?? throw metadata.Refuse("general.architecture", "is missing, so nothing says what model this is.");
        if (!Known.Contains(architecture))
            throw metadata.Refuse("general.architecture", $"is '{architecture}'; Lethe reads {string.Join(", ", Known)} from GGUF{(architecture is "gpt2" or "gptneox" ? ", and this family from Hugging Face directories" : "")}.");
        var keys = new Keys(metadata, architecture);
        if (keys.Int("expert_count", 0, 1 << 20) is > 0 and var experts)
            throw metadata.Refuse($"{architecture}.expert_count", $"is {experts}; Lethe has no models with experts.");
        var hidden = keys.Need("embedding_length", 1 << 20);
        var heads = keys.Need("attention.head_count", 1 << 20);
        var keyValueHeads = keys.Int("attention.head_count_kv", 1, 1 << 20) ?? heads;
        var headSize = keys.Int("attention.key_length", 1, 1 << 20)
            ?? (hidden % heads == 0 ? hidden / heads : throw metadata.Refuse($"{architecture}.embedding_length", $"is {hidden}, which {heads} heads do not divide."));
        if (heads % keyValueHeads != 0)
            throw metadata.Refuse($"{architecture}.attention.head_count_kv", $"is {keyValueHeads}; it must divide the {heads} heads.");
        if (keys.Int("attention.value_length", 1, 1 << 20) is { } values && values != headSize)
            throw metadata.Refuse($"{architecture}.attention.value_length", $"is {values}; it must be as long as the keys, {headSize}.");
        if (headSize % 2 != 0 || (keys.Int("rope.dimension_count", 1, 1 << 20) ?? headSize) != headSize)
            throw metadata.Refuse($"{architecture}.rope.dimension_count", $"must be the width of a head, {headSize}, which must be even.");
        var embedding = file.Tensor("token_embd.weight");
        if (embedding.Shape.Count != 2 || embedding.Shape[1] != hidden || embedding.Shape[0] > 1 << 28)
            throw new BadInputException($"{file.Path}: tensor 'token_embd.weight' has the shape [{string.Join(", ", embedding.Shape)}]; {architecture}.embedding_length asks for rows of {hidden}.");
        var vocabulary = (int)embedding.Shape[0];
        var layers = keys.Need("block_count", 4096);
        var theta = keys.Number("rope.freq_base", 1e-6, 1e15) ?? 10000;
        return Family(file, keys, layers, heads, headSize, hidden, new LanguageModelConfiguration
        {
            ModelType = architecture,
            VocabularySize = vocabulary,
            HiddenSize = hidden,
            IntermediateSize = keys.Need("feed_forward_length", 1 << 24),
            Layers = layers,
            Heads = heads,
            KeyValueHeads = keyValueHeads,
            HeadSize = headSize,
            MaximumPositions = keys.Need("context_length", 1 << 28),
            NormEpsilon = Shortest(keys.Number("attention.layer_norm_rms_epsilon", 0, 1) ?? throw metadata.Refuse($"{architecture}.attention.layer_norm_rms_epsilon", "is missing.")),
            RopeTheta = Shortest(theta),
            RopeScaling = Scaling(file, keys, headSize, theta),
            TieEmbeddings = !file.Contains("output.weight"),
            StoredType = DType.Float32,
            BosTokenId = Token(metadata, "bos", vocabulary),
            EosTokenIds = Token(metadata, "eos", vocabulary) is { } eos ? [eos] : [],
            PadTokenId = Token(metadata, "padding", vocabulary),
        });
    }

    /// <summary>A token id of the tokenizer's; null where the file gives none. 2^32 − 1 is how some converters write "none".</summary>
    public static int? Token(GgufMetadata metadata, string name, int vocabulary)
    {
        var key = $"tokenizer.ggml.{name}_token_id";
        return metadata.Integer(key, -1, uint.MaxValue) is { } id && id is not (-1 or uint.MaxValue)
            ? id < vocabulary ? (int)id : throw metadata.Refuse(key, $"is {id}; the embedding has {vocabulary} rows.")
            : null;
    }

    private static LanguageModelConfiguration Family(GgufFile file, Keys keys, int layers, int heads, int headSize, int hidden, LanguageModelConfiguration common)
    {
        bool Bias(string part) => file.Contains($"blk.0.{part}.bias");
        switch (common.ModelType)
        {
            case "qwen2":
                return common with { AttentionBias = true };
            case "gemma2":
                return common with
                {
                    Activation = Activation.GeluTanh,
                    AttentionSoftCap = keys.Number("attn_logit_softcapping", 1e-6, 1e9) ?? 50,
                    FinalSoftCap = keys.Number("final_logit_softcapping", 1e-6, 1e9) ?? 30,
                    SlidingWindow = keys.Int("attention.sliding_window", 1, 1 << 28) ?? 4096,
                    LayerKinds = [.. Enumerable.Range(0, layers).Select(layer => layer % 2 == 0 ? LayerKind.Sliding : LayerKind.Full)],
                    // The format does not hold query_pre_attn_scalar; llama.cpp knows the 27B model, with 46 layers, by its depth.
                    QueryScale = 1 / Math.Sqrt(layers == 46 ? (double)hidden / heads : headSize),
                };
            default:
                var biases = (string[])["attn_q", "attn_k", "attn_v", "attn_output"];
                if (biases.Any(Bias) && !biases.All(Bias))
                    throw new BadInputException($"{file.Path}: has biases for {string.Join(", ", biases.Where(Bias))} and not for {string.Join(", ", biases.Where(part => !Bias(part)))}; {common.ModelType} models have all or none.");
                return common with { AttentionBias = Bias("attn_q"), AttentionOutputBias = Bias("attn_output"), MlpBias = Bias("ffn_up") };
        }
    }

    private static RopeScaling? Scaling(GgufFile file, Keys keys, int headSize, double theta)
    {
        var metadata = file.Metadata;
        var key = $"{keys.Architecture}.rope.scaling.type";
        var linear = metadata.Text(key) switch
        {
            null or "none" => null,
            "linear" => new RopeScaling(RopeScalingKind.Linear, keys.Number("rope.scaling.factor", 1, 1e6) ?? throw metadata.Refuse($"{keys.Architecture}.rope.scaling.factor", "is missing; linear scaling needs it.")),
            var other => throw metadata.Refuse(key, $"is '{other}'; none and linear are allowed."),
        };
        if (!file.Contains("rope_freqs.weight"))
            return linear;
        return Llama3(file, headSize, theta);
    }

    /// <summary>
    /// Llama 3.1's scaling is in the file as a factor for each frequency. The rule's parameters are tried against them: the largest factor, and the
    /// frequency factors and original length that all published models have.
    /// </summary>
    private static RopeScaling Llama3(GgufFile file, int headSize, double theta)
    {
        const string name = "rope_freqs.weight";
        if (file.Tensor(name) is { Type: not GgufType.F32 } or { Shape: not [_] } || file.Tensor(name).Shape[0] != headSize / 2)
            throw new BadInputException($"{file.Path}: tensor '{name}' must be F32 of {headSize / 2} elements, half a head.");
        var stored = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(file.Read(name).Bytes.Span).ToArray();
        var scaling = new RopeScaling(RopeScalingKind.Llama3, stored.Max(), 1, 4, 8192);
        for (var i = 0; i < stored.Length; i++)
            if (!(Math.Abs(stored[i] / Llama3Factor(scaling, theta, headSize, i) - 1) <= 1e-3))
                throw new BadInputException(FormattableString.Invariant($"{file.Path}: tensor '{name}' has the factor {stored[i]} for frequency {i}; Lethe knows Llama 3.1's scaling (low 1, high 4, original length 8192) only."));
        return scaling;
    }

    /// <summary>What a frequency is divided by. Source: llama.cpp, convert_hf_to_gguf.py, generate_extra_tensors.</summary>
    private static double Llama3Factor(RopeScaling scaling, double theta, int headSize, int i)
    {
        var wavelength = 2 * Math.PI * Math.Pow(theta, 2.0 * i / headSize);
        if (wavelength < scaling.OriginalPositions / scaling.HighFrequencyFactor)
            return 1;
        if (wavelength > scaling.OriginalPositions / scaling.LowFrequencyFactor)
            return scaling.Factor;
        var smooth = (scaling.OriginalPositions / wavelength - scaling.LowFrequencyFactor) / (scaling.HighFrequencyFactor - scaling.LowFrequencyFactor);
        return 1 / ((1 - smooth) / scaling.Factor + smooth);
    }

    /// <summary>Metadata are float32; 9.999999747378752e-06 was 1e-5.</summary>
    private static double Shortest(double value) => (float)value == value ? double.Parse(((float)value).ToString(System.Globalization.CultureInfo.InvariantCulture), System.Globalization.CultureInfo.InvariantCulture) : value;

    private sealed record Keys(GgufMetadata Metadata, string Architecture)
    {
        public int? Int(string key, int min, int max) => (int?)Metadata.Integer($"{Architecture}.{key}", min, max);

        public double? Number(string key, double min, double max) => Metadata.Number($"{Architecture}.{key}", min, max);

        public int Need(string key, int max) => Int(key, 1, max) ?? throw Metadata.Refuse($"{Architecture}.{key}", "is missing.");
    }
}
