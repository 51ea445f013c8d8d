using Lethe.Torch;

namespace Lethe.Models.Language.Families;

/// <summary>The families that Lethe has a file for, by the model_type of config.json.</summary>
internal static class LanguageModelFamilies
{
    private static readonly SortedDictionary<string, Func<ModelBuild, CausalLanguageModel>> Makers = new(StringComparer.Ordinal)
    {
        ["llama"] = build => new LlamaModel(build),
        ["mistral"] = build => new LlamaModel(build),
        ["qwen2"] = build => new Qwen2Model(build),
        ["qwen3"] = build => new Qwen3Model(build),
        ["gemma2"] = build => new Gemma2Model(build),
        ["gpt2"] = build => new Gpt2Model(build),
        ["gpt_neox"] = build => new GptNeoXModel(build),
    };

    public static CausalLanguageModel Make(ModelBuild build)
    {
        var succeeded = false;
        try
        {
            var model = MakerOf(build.Configuration.ModelType)(build);
            succeeded = true;
            return model;
        }
        finally
        {
            build.Source.Finish(succeeded);
        }
    }

    private static Func<ModelBuild, CausalLanguageModel> MakerOf(string type) => Makers.TryGetValue(type, out var make) ? make
        : throw new BadInputException($"model_type is '{type}', which Lethe has no model for yet; it has {string.Join(", ", Makers.Keys)}.");
}
