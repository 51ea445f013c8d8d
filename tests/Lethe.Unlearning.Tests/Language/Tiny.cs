using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.SparseAutoencoders;
using Lethe.Torch;

namespace Lethe.Unlearning.Tests.Language;

/// <summary>Small random models and autoencoders of the real classes.</summary>
internal static class Tiny
{
    public const int Vocabulary = 40;

    public static CausalLanguageModel Model(string type = "llama", DType dtype = DType.Float32, ulong seed = 1)
    {
        using var scope = new TensorScope();
        using var random = new RandomStream(seed);
        var model = CausalLanguageModel.Initialise(new LanguageModelConfiguration
        {
            ModelType = type, VocabularySize = Vocabulary, HiddenSize = 16, IntermediateSize = 24, Layers = 4, Heads = 4, KeyValueHeads = type is "gpt2" or "gpt_neox" ? 4 : 2, MaximumPositions = 32, ParallelResidual = type == "gpt_neox",
            TieEmbeddings = true, Activation = type == "llama" ? Models.Language.Checkpoints.Activation.Silu : Models.Language.Checkpoints.Activation.GeluTanh,
        }, random, dtype);
        using var noGrad = Autograd.NoGrad();
        // Initial values of 0.02 and norms of 1 would hide mistakes.
        foreach (var (name, tensor) in model.NamedParameters())
            if (name.EndsWith("norm.weight", StringComparison.Ordinal))
                tensor.UniformInPlace(type == "gemma2" ? -0.5 : 0.5, type == "gemma2" ? 1 : 2, random);
            else
                tensor.MulInPlace(name.Contains("embed", StringComparison.Ordinal) ? 40 : 12);
        model.RequiresGrad(false);
        return model;
    }

    public static Tensor Parameter(CausalLanguageModel model, string name) => model.NamedParameters().First(entry => entry.Name == name).Tensor;

    public static SparseAutoencoder Autoencoder(int layer, int width = 30, DType type = DType.Float32, int size = 16, ulong seed = 2)
    {
        using var scope = new TensorScope();
        using var random = new RandomStream(seed);
        var rows = Tensor.Randn([width, size], random, type);
        rows /= rows.Norm(2, [1], keep: true);
        return Architectures.Create(new SparseAutoencoderConfiguration { Architecture = ReluAutoencoder.Name, InputSize = size, Width = width, Site = new SaeSite($"layers.{layer}.residual_after", layer) }, new Dictionary<string, HostArray>
        {
            ["W_enc"] = rows.T().Contiguous().ToHost(),
            ["W_dec"] = rows.ToHost(),
            ["b_enc"] = Tensor.Full([width], -0.3, type).ToHost(),
            ["b_dec"] = Tensor.Zeros([size], type).ToHost(),
        }, "a test", type);
    }
}
