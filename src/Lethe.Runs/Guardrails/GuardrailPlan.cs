using System.ComponentModel.DataAnnotations;
using Lethe.Runs.Language.Corpora;
using Lethe.Runs.Plans;
using Lethe.Unlearning.Guardrails;

namespace Lethe.Runs.Guardrails;

/// <summary>A guardrail to make: from a model, an autoencoder, latents and text. What <c>./lethe guardrail calibrate</c> runs.</summary>
public sealed record GuardrailPlan : IPlanRules
{
    /// <summary>The model.</summary>
    [PlanKey("The language model that is to be guarded: a Hugging Face directory, a GGUF file or a folder with one, a llama2.c file; relative to the plan; ${shared} stands for LETHE_SHARED or the folder shared beside the checkout")]
    public required string Model { get; init; }

    /// <summary>The autoencoder.</summary>
    [PlanKey("The sparse autoencoder, which knows its site: its folder or file, or the run that trained it; relative to the plan")]
    public required string Sae { get; init; }

    /// <summary>The latents.</summary>
    [PlanKey("The latents that stand for what is to be guarded, by their numbers")]
    [Length(1, 100_000)]
    public required IReadOnlyList<long> Latents { get; init; }

    /// <summary>What it does.</summary>
    [PlanKey("What is done about them")]
    public required GuardrailOptions Guardrail { get; init; }

    /// <summary>A direction.</summary>
    [PlanKey("For a refusal_clamp without refusal_latent: a safetensors file with the direction that is added, one vector; null for none")]
    public string? Direction { get; init; }

    /// <summary>Retain text.</summary>
    [PlanKey("Text that has to stay as it is; the threshold comes from it")]
    [MinLength(1)]
    public required IReadOnlyList<CorpusPlan> Retain { get; init; }

    /// <summary>Text that means come from.</summary>
    [PlanKey("Text about what is guarded, from which the latents' means come where the guardrail is relative; empty takes the retain text")]
    public IReadOnlyList<CorpusPlan> Means { get; init; } = [];

    /// <summary>Tokens of a sequence.</summary>
    [PlanKey("The most tokens of a sequence; longer documents become several. Thresholds hold for texts up to this length")]
    [Range(2, 1_048_576)]
    public int Length { get; init; } = 256;

    /// <summary>The most sequences.</summary>
    [PlanKey("The most sequences that are read of each text, from the first on")]
    [Range(1, 10_000_000)]
    public int Sequences { get; init; } = 2000;

    /// <summary>Sequences at a time.</summary>
    [PlanKey("Sequences that pass through the model at a time")]
    [Range(1, 65_536)]
    public int Rows { get; init; } = 8;

    /// <inheritdoc/>
    public IEnumerable<PlanProblem> Problems()
    {
        var refusal = Guardrail as RefusalClampOptions;
        if (Direction is not null && refusal is not { RefusalLatent: null })
            yield return new("direction", "a direction is added by a refusal_clamp without refusal_latent alone; leave one of them out.");
        if (refusal is { RefusalLatent: null } && Direction is null)
            yield return new("guardrail", "a refusal_clamp needs refusal_latent, or beside the section a direction.");
        foreach (var (key, corpora) in new[] { ("retain", Retain), ("means", Means) })
            foreach (var (index, corpus) in corpora.Index())
                if (corpus.Weight != 1)
                    yield return new($"{key}.{index}.weight", "every document is read once, so that a text does not count as several; leave weight out.");
        if (Latents.GroupBy(latent => latent).FirstOrDefault(same => same.Count() > 1) is { } twice)
            yield return new("latents", $"latent {twice.Key} is named twice; name each once.");
    }
}
