using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Lethe.Unlearning.Language;

/// <summary>
/// What a whole-model loss makes of a forget batch: its value, and its slope with respect to each row's negative log-likelihood, which is all that a gradient needs to know of it.
/// </summary>
/// <param name="Value">The loss, without the retain term.</param>
/// <param name="Slopes">∂ loss / ∂ nats[r].</param>
internal sealed record ForgetLoss(double Value, double[] Slopes);

/// <summary>
/// Options of <see cref="WholeModelUnlearning"/>: L = forget term + retain_weight · mean over tokens of −log p(retain). Each method is one forget term.
/// </summary>
public abstract record WholeModelOptions : LowRankUnlearningOptions
{
    private protected WholeModelOptions() => (LearningRate, Steps) = (1e-5, 100);

    /// <summary>Names of the parameters that are trained, where * stands for any characters.</summary>
    [Description("Names of the parameters that are trained, as the checkpoint has them; * stands for any characters")]
    [MinLength(1)]
    public IReadOnlyList<string> Trainable { get; init; } = ["*"];

    /// <summary>Weight of the next-token loss on retain text.</summary>
    [Description("Weight of the next-token loss on retain text (mean over tokens); 0: no retain text is read")]
    [Range(0, 1e6)]
    public double RetainWeight { get; init; }

    /// <summary>Whether the forget term compares with the model as it was.</summary>
    internal virtual bool NeedsReference => false;

    /// <summary>The forget term of a batch.</summary>
    /// <param name="nats">Each row's −log p over its targets, summed.</param>
    /// <param name="asked">Each row's number of targets.</param>
    /// <param name="reference">The same as <paramref name="nats"/> in the model as it was; empty where it is not needed.</param>
    internal abstract ForgetLoss Forget(double[] nats, long[] asked, double[] reference);

    private protected static double LogSigmoid(double x) => x >= 0 ? -double.LogP1(Math.Exp(-x)) : x - double.LogP1(Math.Exp(x));

    private protected static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}

/// <summary>Gradient ascent: L = −(mean over tokens of −log p(forget)). Unbounded: stop it early (locuslab/open-unlearning, grad_ascent.py).</summary>
[Description("Gradient ascent on the forget text; unbounded, so stop it early")]
public sealed record GradientAscentOptions : WholeModelOptions
{
    internal override ForgetLoss Forget(double[] nats, long[] asked, double[] reference) => Ascent(nats, asked);

    internal static ForgetLoss Ascent(double[] nats, long[] asked)
    {
        var all = Math.Max(1, asked.Sum());
        return new(-nats.Sum() / all, [.. nats.Select(_ => -1.0 / all)]);
    }
}

/// <summary>Gradient difference (Liu et al., arXiv 2203.12817; open-unlearning): gradient ascent on the forget text, descent on the retain text with weight 1.</summary>
[Description("Gradient ascent on the forget text and descent on the retain text")]
public sealed record GradientDifferenceOptions : WholeModelOptions
{
    /// <summary>The published weight.</summary>
    public GradientDifferenceOptions() => RetainWeight = 1;

    internal override ForgetLoss Forget(double[] nats, long[] asked, double[] reference) => GradientAscentOptions.Ascent(nats, asked);
}

/// <summary>
/// NPO, negative preference optimisation (Zhang et al., arXiv 2404.05868; licong-lin/negative-preference-optimization): L = −(2/β) mean over rows of log σ(β (NLL_θ − NLL_ref)), NLL summed over the targets of a row. Bounded
/// from below by 0; β → 0 is gradient ascent. With retain_weight it is NPO with the retain term (NPO+RT).
/// </summary>
[Description("NPO: negative preference optimisation against the model as it was; with retain_weight above 0 the form with a retain term")]
public sealed record NegativePreferenceOptions : WholeModelOptions
{
    /// <summary>open-unlearning's weight of the retain term; 0 is the plain form.</summary>
    public NegativePreferenceOptions() => RetainWeight = 1;

    /// <summary>β, the inverse temperature.</summary>
    [Description("Inverse temperature; 0.1 in the released code, towards 0 it becomes gradient ascent")]
    [Range(1e-6, 1e3)]
    public double Beta { get; init; } = 0.1;

    internal override bool NeedsReference => true;

    internal override ForgetLoss Forget(double[] nats, long[] asked, double[] reference)
    {
        double[] ratios = [.. nats.Zip(reference, (now, before) => now - before)];
        return new(-2 / Beta * ratios.Average(ratio => LogSigmoid(Beta * ratio)), [.. ratios.Select(ratio => -2.0 / ratios.Length * Sigmoid(-Beta * ratio))]);
    }
}

/// <summary>
/// SimNPO (Fan et al., arXiv 2410.07163; OPTML-Group/Unlearn-Simple): L = −(2/β) mean over rows of log σ(β NLL_θ/|y| − γ), |y| the row's number of targets: no reference model, and long answers weigh no more than short ones.
/// Defaults of the authors' published TOFU models: β 4.5, γ 0, retain weight 0.125, rate 1e-5.
/// </summary>
[Description("SimNPO: negative preference optimisation without a reference model, normalised by length")]
public sealed record SimpleNegativePreferenceOptions : WholeModelOptions
{
    /// <summary>The published weight of the retain term.</summary>
    public SimpleNegativePreferenceOptions() => RetainWeight = 0.125;

    /// <summary>β, the inverse temperature.</summary>
    [Description("Inverse temperature; 4.5 in the authors' published models")]
    [Range(1e-6, 1e3)]
    public double Beta { get; init; } = 4.5;

    /// <summary>γ, the margin.</summary>
    [Description("Margin; 0 in the authors' published models")]
    [Range(-1e3, 1e3)]
    public double Gamma { get; init; }

    internal override ForgetLoss Forget(double[] nats, long[] asked, double[] reference)
    {
        double[] scores = [.. nats.Zip(asked, (now, count) => Beta * now / Math.Max(1, count) - Gamma)];
        return new(-2 / Beta * scores.Average(LogSigmoid), [.. scores.Select((score, row) => -2.0 / scores.Length / Math.Max(1, asked[row]) * Sigmoid(-score))]);
    }
}

/// <summary>
/// Task-vector negation (Ilharco et al., Editing Models with Task Arithmetic, ICLR 2023, arXiv 2212.04089): the model is fine-tuned on the forget text, and the change is subtracted: θ = θ₀ − scale (θ_tuned − θ₀).
/// </summary>
[Description("Task-vector negation: fine-tune on the forget text, then go the opposite way")]
public sealed record TaskVectorNegationOptions : WholeModelOptions
{
    /// <summary>How far to go the opposite way.</summary>
    [Description("How far to go the opposite way, in units of the fine-tuned change; the paper chooses it on validation data, 1 goes as far back as the tuning went")]
    [Range(0, 100)]
    public double Scale { get; init; } = 1;

    internal override double ResultScale => -Scale * Strength;

    internal override ForgetLoss Forget(double[] nats, long[] asked, double[] reference)
    {
        var all = Math.Max(1, asked.Sum());
        return new(nats.Sum() / all, [.. nats.Select(_ => 1.0 / all)]);
    }
}
