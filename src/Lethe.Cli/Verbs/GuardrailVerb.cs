using Lethe.Cli.Frame;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe guardrail</c>: guardrails that watch a language model while it runs.</summary>
public sealed class GuardrailVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "guardrail";

    /// <inheritdoc/>
    public override string Summary => "Guardrails for language models: make one from latents and text, measure it";

    /// <inheritdoc/>
    public override string Description =>
        "A guardrail watches latents of a sparse autoencoder while a language model runs and edits them where they fire. The weights stay what they are: whoever runs the model without it has all of it. "
        + "generate, evaluate --tasks and activations take guardrails by --guardrail FOLDER (docs/guardrails.md).";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("guardrail calibrate plans/stories260K-guardrail.yaml --out guardrails/dog", "thresholds from text that has to stay"),
        new("guardrail measure model/ --guardrail guardrails/dog --benign harmless.txt --forget subject.txt", "how often it edits what"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Verb> Verbs { get; } = [new GuardrailCalibrateVerb(), new GuardrailMeasureVerb()];
}
