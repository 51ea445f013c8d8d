using Lethe.Models.Language;
using Lethe.Torch;

namespace Lethe.Unlearning.Guardrails;

/// <summary>Tokens that mean nothing and are the same for every model of a vocabulary: how large activations become on them tells models apart without keeping anybody's text.</summary>
internal static class GuardrailProbe
{
    private const int Tokens = 64;

    /// <summary>Mean norm of the activations at a site, the first position left out, and their size.</summary>
    public static (double Norm, long Size) Read(CausalLanguageModel model, Site site)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var ids = new long[Math.Min(Tokens, model.Configuration.MaximumPositions)];
        var random = new SplitMix64(0);
        for (var k = 0; k < ids.Length; k++)
            ids[k] = (long)(random.Next() % (ulong)model.Configuration.VocabularySize);
        using var recorder = new SiteRecorder([site]);
        var guard = model.Guard;
        model.Guard = null;
        try
        {
            model.Run(model.Embed(Tensor.FromArray(ids, 1, ids.Length)), 0, site.Layer + 1, new ForwardContext { Sites = recorder });
        }
        finally
        {
            model.Guard = guard;
        }
        var value = recorder.Values.TryGetValue(site, out var found) ? found
            : throw new BadInputException($"{site} is not there in {model.Configuration.ModelType}: its attention and MLP run side by side.");
        return (value.Narrow(1, 1, ids.Length - 1).To(DType.Float32).Norm(2, [-1]).Mean().Item(), value.Size(-1));
    }
}
