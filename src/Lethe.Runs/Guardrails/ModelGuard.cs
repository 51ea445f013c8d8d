using Lethe.Models.Language;
using Lethe.Unlearning.Guardrails;

namespace Lethe.Runs.Guardrails;

/// <summary>The guardrails of a model that is in use. All verbs that run a language model set them here, and nothing else has to know of them.</summary>
public sealed class ModelGuard : IDisposable
{
    private readonly CausalLanguageModel model;
    private readonly List<OpenedGuardrail> opened = [];

    private ModelGuard(CausalLanguageModel model) => this.model = model;

    /// <summary>The guardrails in the order in which they come at a site.</summary>
    public IReadOnlyList<OpenedGuardrail> Opened => opened;

    /// <summary>What results say of them; null where there are none.</summary>
    public IReadOnlyList<GuardrailFacts>? Facts => opened.Count == 0 ? null : [.. opened.Select(one => one.Facts)];

    /// <summary>Opens guardrails and sets them before a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="folders">Their folders in the order in which they come at a site; none leaves the model as it is.</param>
    /// <exception cref="Torch.BadInputException">A guardrail is damaged, or does not belong to the model.</exception>
    public static ModelGuard Set(CausalLanguageModel model, IReadOnlyList<string> folders)
    {
        var guard = new ModelGuard(model);
        try
        {
            foreach (var folder in folders)
                guard.opened.Add(GuardrailFolder.Open(folder, model));
        }
        catch
        {
            guard.Dispose();
            throw;
        }
        if (folders.Count > 0)
            model.Guard = new GuardrailStack(guard.opened.Select(one => one.Guardrail));
        return guard;
    }

    /// <summary>Takes them away and frees them.</summary>
    public void Dispose()
    {
        if (opened.Count > 0)
            model.Guard = null;
        foreach (var one in opened)
            one.Dispose();
        opened.Clear();
    }
}
