using Lethe.Models.Language;
using Lethe.Torch;

namespace Lethe.Unlearning.Guardrails;

/// <summary>
/// Several guardrails at once. Sites come in the model's order; at the same site the guardrails come in the order given, and each sees, and decides by, what those before it left.
/// </summary>
/// <param name="guardrails">The guardrails; each once. They stay the caller's.</param>
public sealed class GuardrailStack(IEnumerable<Guardrail> guardrails) : ISiteVisitor
{
    /// <summary>The guardrails in order.</summary>
    public IReadOnlyList<Guardrail> Guardrails { get; } = [.. guardrails];

    /// <inheritdoc/>
    public bool Wants(Site site) => Guardrails.Any(guardrail => guardrail.Wants(site));

    /// <summary>Whole texts without padding, from their first token on.</summary>
    public Tensor Visit(Site site, Tensor value) => Visit(site, value, SitePositions.Whole((int)value.Size(0), (int)value.Size(1)));

    /// <inheritdoc/>
    public Tensor Visit(Site site, Tensor value, SitePositions positions) =>
        Guardrails.Where(guardrail => guardrail.Wants(site)).Aggregate(value, (current, guardrail) => guardrail.Visit(site, current, positions));
}
