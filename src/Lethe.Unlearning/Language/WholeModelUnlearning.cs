using System.Globalization;
using Lethe.Models.Language;
using Lethe.Models.Language.Training;
using Lethe.Torch;

namespace Lethe.Unlearning.Language;

/// <summary>
/// Forgetting by next-token losses over a whole model with its head: gradient ascent, GradDiff, NPO, SimNPO, task-vector negation (<see cref="WholeModelOptions"/>). Each step takes a forget
/// batch and, where the retain weight is not 0, a retain batch, and moves the chosen parameters by AdamW.
/// </summary>
/// <remarks>
/// Only positions with a target go through the head. What the model as it was makes of the forget text (NPO's reference) is computed once, before the first step, so that no second model is in memory; the original
/// values of the trained parameters are kept, as strength and task vectors need them.
/// </remarks>
public sealed class WholeModelUnlearning : ILanguageUnlearning
{
    private readonly CausalLanguageModel model;
    private readonly TextBatches forget;
    private readonly TextBatches? retain;
    private readonly WholeModelOptions options;
    private readonly StopCriterion? stop;
    private readonly Tensor[] weights, originals;
    private readonly (Tensor Tensor, bool Trainable)[] before;
    private readonly WeightEdit edit;
    private readonly IReadOnlyDictionary<TextBatch, double[]> references;

    /// <summary>Prepares forgetting; reads the forget text once where the method compares with the model as it was.</summary>
    /// <param name="model">A whole model, with its weights as they were; changed in place, stays the caller's.</param>
    /// <param name="forget">What is to be forgotten, padded on the right; each batch has a target.</param>
    /// <param name="retain">What must stay; may be null where the retain weight is 0.</param>
    /// <param name="options">The method.</param>
    /// <param name="seed">Decides the initial values of low-rank update spaces.</param>
    /// <param name="space">Chooses the update space of each parameter; null: as the options say.</param>
    /// <param name="stop">Asked every <see cref="LanguageUnlearningOptions.CheckEvery"/> steps; null: nobody is.</param>
    /// <param name="references">What <see cref="Reference"/> gave for the forget text, where the reference is another model; null: this one, as it is now.</param>
    /// <exception cref="UsageException">There is no retain text for a retain weight above 0, the padding is on the left, a pattern fits no parameter, or the model is a slice.</exception>
    public WholeModelUnlearning(
        CausalLanguageModel model, TextBatches forget, TextBatches? retain, WholeModelOptions options, ulong seed,
        Func<EditedWeight, IUpdateSpace>? space = null, StopCriterion? stop = null, IReadOnlyDictionary<TextBatch, double[]>? references = null)
    {
        if (model.FromLayer > 0 || model.ToLayer < model.LayerCount || !model.HasHead)
            throw new UsageException("Losses over logits need the whole model with its head; a slice is loaded.");
        if (retain is null && options.RetainWeight > 0)
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"method.retain_weight is {options.RetainWeight}, but there is no retain text; name some, or set it to 0."));
        if (forget.Batches.Concat(retain?.Batches ?? []).Any(batch => batch.LeftPadded))
            throw new UsageException("Losses over logits read rows that are padded on the right.");
        (this.model, this.forget, this.retain, this.options, this.stop) = (model, forget, options.RetainWeight > 0 ? retain : null, options, stop);
        var parameters = model.NamedParameters().ToArray();
        var names = NamePatterns.Choose(parameters.Select(entry => entry.Name), options.Trainable);
        this.references = !options.NeedsReference ? new Dictionary<TextBatch, double[]>() : references ?? Reference(model, forget);
        before = [.. parameters.Select(entry => (entry.Tensor, entry.Tensor.RequiresGrad))];
        var chosen = names.ToHashSet(StringComparer.Ordinal);
        weights = [.. parameters.Where(entry => chosen.Contains(entry.Name)).Select(entry => entry.Tensor)];
        using var scope = new TensorScope();
        using (Autograd.NoGrad())
            originals = [.. weights.Select(weight => TensorScope.Detach(weight.Detach().Clone()))];
        try
        {
            edit = new(names, weights, originals, space ?? options.Space(seed), options, stop is not null);
        }
        catch
        {
            foreach (var original in originals)
                original.Dispose();
            throw;
        }
        foreach (var (name, tensor) in parameters)
            tensor.RequiresGrad = chosen.Contains(name);
    }

    /// <inheritdoc/>
    public long Step { get; private set; }

    /// <inheritdoc/>
    public long TotalSteps => options.Steps;

    /// <inheritdoc/>
    public bool Finished => StopReason is not null || Step >= TotalSteps;

    /// <inheritdoc/>
    public string? StopReason { get; private set; }

    /// <inheritdoc/>
    public (string Unit, double PerStep)? Work => ("tokens", (double)forget.Tokens / forget.Count + (retain is null ? 0 : (double)retain.Tokens / retain.Count));

    /// <summary>Tokens read so far, forget and retain, without padding and without what the reference read.</summary>
    public long TokensSeen { get; private set; }

    /// <summary>Numbers that are trained.</summary>
    public long ParameterCount => edit.ParameterCount;

    /// <summary>−log p of the targets of each row, nats, by batch: what NPO compares with.</summary>
    /// <param name="model">The reference model, whole.</param>
    /// <param name="batches">The forget text.</param>
    public static IReadOnlyDictionary<TextBatch, double[]> Reference(CausalLanguageModel model, TextBatches batches) =>
        batches.Batches.ToDictionary(batch => batch, batch => NextTokenLoss.MeasureRows(model, batch.TokenRows()).Nats);

    /// <inheritdoc/>
    /// <remarks>Measures "loss" (the forget term + weight · retain), "forget" (the forget term), "forget_nats" (−log p a target token of the forget batch), "retain" (−log p a target token of the retain batch), and "gradient_norm" before clipping.</remarks>
    public IReadOnlyList<(string Name, double Value)> Advance()
    {
        using var scope = new TensorScope();
        foreach (var weight in weights)
            weight.Grad = null;
        var (forgot, nats) = Forget(forget.At(Step));
        var kept = retain is null ? 0 : Retain(retain.At(Step));
        var loss = forgot + options.RetainWeight * kept;
        Tensor[] gradients = [.. weights.Select(weight => weight.Grad ?? weight.ZerosLike())];
        var norm = double.IsFinite(loss) ? edit.Step(gradients, Step) : double.NaN;
        if (!double.IsFinite(norm))
            throw new RunFailedException(string.Create(CultureInfo.InvariantCulture, $"Forgetting became not finite at step {Step}: forget {forgot}, retain {kept}, gradient norm {norm}. Lower learning_rate, or set clip."));
        edit.Apply();
        Step++;
        if (stop is not null && Step % options.CheckEvery == 0)
            StopReason = edit.Ask(stop, Step)?.Reason;
        return [("loss", loss), ("forget", forgot), ("forget_nats", nats), ("retain", kept), ("gradient_norm", norm)];
    }

    /// <inheritdoc/>
    /// <remarks>θ₀ + strength · Δθ, or for task vectors θ₀ − scale · strength · Δθ.</remarks>
    public void Finish()
    {
        foreach (var weight in weights)
            weight.Grad = null;
        edit.Apply(options.ResultScale);
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, HostArray> Changed() => edit.Changed(options.ResultScale);

    /// <inheritdoc/>
    public void Save(StateWriter state)
    {
        state.Add("step", Step);
        state.Add("tokens", TokensSeen);
        state.Add("stop_reason", StopReason ?? "");
        edit.Save(state);
    }

    /// <inheritdoc/>
    public void Load(StateReader state)
    {
        edit.Load(state);
        StopReason = state.Text("stop_reason") is { Length: > 0 } reason ? reason : null;
        TokensSeen = state.Integer("tokens");
        Step = state.Integer("step");
    }

    /// <summary>Frees everything but the model, whose weights stay as they are now.</summary>
    public void Dispose()
    {
        edit.Dispose();
        foreach (var original in originals)
            original.Dispose();
        foreach (var (tensor, trainable) in before)
        {
            tensor.Grad = null;
            tensor.RequiresGrad = trainable;
        }
    }

    private (double Loss, double Nats) Forget(TextBatch batch)
    {
        TokensSeen += batch.Tokens;
        ForgetLoss? loss = null;
        var (nats, asked) = NextTokenLoss.Backward(model, batch.TokenRows(), (nats, asked) => (loss = options.Forget(nats, asked, references.GetValueOrDefault(batch, []))).Slopes);
        return (loss?.Value ?? 0, nats.Sum() / Math.Max(1, asked.Sum()));
    }

    private double Retain(TextBatch batch)
    {
        TokensSeen += batch.Tokens;
        var rows = batch.TokenRows();
        return rows.Asked == 0 ? 0 : NextTokenLoss.Backward(model, rows, rows.Asked / options.RetainWeight) / rows.Asked;
    }
}
