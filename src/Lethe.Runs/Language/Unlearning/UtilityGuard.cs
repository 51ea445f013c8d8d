using System.Globalization;
using Lethe.Evaluation.Language;
using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;
using Lethe.Unlearning.Language;

namespace Lethe.Runs.Language.Unlearning;

/// <summary>Stops forgetting when held-out text that must stay is predicted worse than allowed. It keeps a whole model of its own, loaded when it is first asked, and puts the edited weights into it.</summary>
internal sealed class UtilityGuard(LanguageCheckpoint checkpoint, IReadOnlyList<int[]> texts, GuardPlan plan, Device device) : IDisposable
{
    private CausalLanguageModel? model;
    private Dictionary<string, Tensor> weights = [];
    private double before;

    /// <summary>The criterion.</summary>
    public StopVerdict? Check(StopCheck check)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        if (model is null)
        {
            model = checkpoint.Load(new LoadOptions { Device = device });
            weights = model.NamedParameters().ToDictionary(entry => entry.Name, entry => entry.Tensor, StringComparer.Ordinal);
            before = Loss();
        }
        foreach (var (name, weight) in check.Weights)
            weights[name].CopyInPlace(weight);
        var rise = Loss() - before;
        // A loss that is no number is no loss that may stay.
        return rise <= plan.LargestRise ? null
            : new StopVerdict(string.Create(CultureInfo.InvariantCulture, $"the loss of the guard's text rose by {rise:0.0000} nats a token, more than {plan.LargestRise}"), GoBack: true);
    }

    /// <inheritdoc/>
    public void Dispose() => model?.Dispose();

    private double Loss()
    {
        var scores = new LanguageScorer(model!).Score([.. texts.Select(ids => new ScoredRequest([ids[0]], ids[1..]))]);
        return -scores.Sum(score => score.LogProbability) / scores.Sum(score => score.Tokens);
    }
}
