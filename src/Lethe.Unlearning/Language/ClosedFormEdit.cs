using System.Globalization;
using Lethe.Models.Language;
using Lethe.Torch;
using Lethe.Unlearning.Language.Subspaces;

namespace Lethe.Unlearning.Language;

/// <summary>
/// A closed-form edit of MLPs' last matrices, of the family of ROME (Meng et al., NeurIPS 2022, arXiv 2202.05262) and MEMIT (Meng et al., ICLR 2023, arXiv 2210.07229; kmeng01/memit): keys K are what a matrix reads at the last token of
/// each prompt, values V are what it should give there; the change that comes nearest while what is read on retain text keeps its answers is
/// ΔW = (V − W K) Kᵀ (λ n C + K Kᵀ)⁻¹, the minimum of ‖(W + ΔW) K − V‖² + λ n tr(ΔW C ΔWᵀ), n the number of keys and C the mean of k kᵀ over retain text.
/// </summary>
/// <remarks>
/// Values: for each prompt the residual stream that leaves the last edited layer is moved by δ, found by Adam on the loss of the continuation plus decay · (‖δ‖/‖h‖)², ‖δ‖ ≤ clamp · ‖h‖; each edited layer then takes its share of
/// what is still missing, counted anew after the layer before it (MEMIT's spreading). A norm behind the matrix (Gemma-2) is accounted for at the untouched scale of its input: exact in direction, not in length.
/// Differences from the released code: the key is the prompt's last token, not the subject's, as texts here mark no subjects; C is taken from the retain text at hand with the untouched weights, not from 100,000 Wikipedia samples, and is scaled by the number of keys, so that λ means the
/// same for few and many; no KL term. What is forgotten this way is what these prompts ask: the method edits answers, and says nothing of other ways to ask.
/// </remarks>
public sealed class ClosedFormEdit : ILanguageUnlearning
{
    // Of the mean of the diagonal: keeps the system solvable where the retain text has fewer positions than the matrix has inputs.
    private const double Ridge = 1e-6;

    private readonly CausalLanguageModel model;
    private readonly TextBatches prompts;
    private readonly IReadOnlyList<Tensor> values;
    private readonly InputMoments read;
    private readonly ClosedFormEditOptions options;
    private readonly int[] layers;
    private readonly string[] names;
    private readonly Tensor[] weights, originals;
    private bool finished;

    /// <summary>Prepares the edit; nothing is computed yet. There is a step for each layer.</summary>
    /// <param name="model">A whole model, frozen; changed in place, stays the caller's.</param>
    /// <param name="prompts">The prompts, as <see cref="EditValues"/> was given them.</param>
    /// <param name="values">What that found, (B, D) of each batch; stays the caller's.</param>
    /// <param name="read">What the matrices read on retain text; stays the caller's.</param>
    /// <param name="options">How.</param>
    /// <inheritdoc cref="EditValues(CausalLanguageModel, TextBatches, ClosedFormEditOptions)" path="/exception"/>
    public ClosedFormEdit(CausalLanguageModel model, TextBatches prompts, IReadOnlyList<Tensor> values, InputMoments read, ClosedFormEditOptions options)
    {
        Check(model, prompts, options);
        if (values.Count != prompts.Count || values.Zip(prompts.Batches).Any(pair => pair.First.Size(0) != pair.Second.Rows))
            throw new UsageException($"The values are those of {values.Sum(value => value.Size(0))} prompts; there are {prompts.Batches.Sum(batch => batch.Rows)}.");
        (this.model, this.prompts, this.values, this.read, this.options) = (model, prompts, values, read, options);
        layers = [.. options.EditedLayers.Distinct().Order()];
        names = [.. LayerWeights.Of(model.NamedParameters().Select(entry => entry.Name), layers, "mlp.last")];
        var parameters = model.NamedParameters().ToDictionary(entry => entry.Name, entry => entry.Tensor, StringComparer.Ordinal);
        weights = [.. names.Select(name => parameters[name])];
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        originals = [.. weights.Select(weight => TensorScope.Detach(weight.Detach().Clone()))];
    }

    /// <inheritdoc/>
    public long Step { get; private set; }

    /// <inheritdoc/>
    public long TotalSteps => layers.Length;

    /// <inheritdoc/>
    public bool Finished => Step >= TotalSteps;

    /// <inheritdoc/>
    public string? StopReason => null;

    /// <summary>The matrices' sites, at which <see cref="InputMoments"/> are needed.</summary>
    public static Site Reads(int layer) => new(layer, SiteKind.MlpNeurons);

    /// <inheritdoc/>
    /// <remarks>Measures "distance", the mean of ‖z − h‖/‖h‖ over all keys before the layer was edited, z the residual stream that is wanted.</remarks>
    public IReadOnlyList<(string Name, double Value)> Advance()
    {
        var distance = Edit((int)Step);
        if (!double.IsFinite(distance))
            throw new RunFailedException(string.Create(CultureInfo.InvariantCulture, $"The edit became not finite at layer {layers[Step]}: distance {distance}. Raise method.retain_weight."));
        Step++;
        return [("distance", distance)];
    }

    /// <inheritdoc/>
    public void Finish()
    {
        using var noGrad = Autograd.NoGrad();
        if (options.Strength != 1)
            for (var k = 0; k < weights.Length; k++)
            {
                using var scope = new TensorScope();
                weights[k].CopyInPlace(originals[k].Lerp(weights[k], options.Strength));
            }
        finished = true;
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, HostArray> Changed()
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        return names.Index().ToDictionary(entry => entry.Item, entry => (finished || options.Strength == 1 ? weights[entry.Index] : originals[entry.Index].Lerp(weights[entry.Index], options.Strength)).ToHost(), StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public void Save(StateWriter state)
    {
        state.Add("step", Step);
        foreach (var (name, weight) in names.Zip(weights))
            state.Add("weights." + name, weight.ToHost());
    }

    /// <inheritdoc/>
    public void Load(StateReader state)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        foreach (var (name, weight) in names.Zip(weights))
            weight.CopyInPlace(Tensor.From(state.Array("weights." + name, weight)));
        Step = state.Integer("step");
    }

    /// <summary>Frees everything of its own; the model's weights stay as they are now.</summary>
    public void Dispose()
    {
        foreach (var tensor in originals)
            tensor.Dispose();
    }

    /// <summary>The change of a matrix, (out, in): the minimum of Σ ‖ΔW k − r‖² + λ n tr(ΔW C ΔWᵀ), computed in float64.</summary>
    /// <param name="keys">K, a key a row: (n, in).</param>
    /// <param name="changes">R, how the matrix's answer to each key shall change: (n, out).</param>
    /// <param name="covariance">C, the mean of k kᵀ over what shall keep its answers: (in, in).</param>
    /// <param name="retainWeight">λ, above 0.</param>
    public static Tensor Solve(Tensor keys, Tensor changes, Tensor covariance, double retainWeight)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var (k, r) = (keys.To(DType.Float64), changes.To(DType.Float64));
        var held = covariance.To(DType.Float64) * (retainWeight * keys.Size(0));
        // The ridge is part of what is held, so that the same system is solved whatever the texts' number.
        held = held + Tensor.Eye(keys.Size(1), DType.Float64, keys.Device) * (Ridge * held.Diag().Mean().Item());
        return scope.Keep((held + k.T().MatMul(k)).Solve(k.T().MatMul(r)).T()); // A ΔWᵀ = Kᵀ R, A symmetric
    }

    /// <summary>Refuses what cannot be edited.</summary>
    internal static void Check(CausalLanguageModel model, TextBatches prompts, ClosedFormEditOptions options)
    {
        if (model.FromLayer > 0 || model.ToLayer < model.LayerCount || !model.HasHead)
            throw new UsageException("Values are found through the whole model with its head; a slice is loaded.");
        if (prompts.Batches.Any(batch => batch.LeftPadded))
            throw new UsageException("A closed-form edit reads rows that are padded on the right.");
        if (options.EditedLayers.Count == 0)
            throw new UsageException("method.edited_layers names no layer; name at least one.");
        LayerWeights.Of(model.NamedParameters().Select(entry => entry.Name), options.EditedLayers, "mlp.last");
        foreach (var batch in prompts.Batches)
            Keys(batch);
    }

    /// <summary>The place in (B · T) of each row's key: the last token of its prompt, which the first target follows.</summary>
    internal static long[] Keys(TextBatch batch)
    {
        var rows = batch.TokenRows();
        return [.. Enumerable.Range(0, rows.Rows).Select(row =>
        {
            var first = Enumerable.Range(0, rows.Length).FirstOrDefault(k => rows.Targets[row * rows.Length + k] >= 0, -1);
            return first > 0 ? (long)row * rows.Length + first
                : throw new BadInputException(first < 0 ? "A forget text has no continuation after its prompt; an edit needs one." : "A forget text has no prompt before its continuation; an edit needs one of at least 2 tokens (FirstTarget).");
        })];
    }

    /// <summary>Some places of what a model was given: (…, n) → (places, n).</summary>
    internal static Tensor At(Tensor states, long[] places) => states.Reshape(-1, states.Size(-1)).IndexSelect(0, Tensor.FromArray(places).To(states.Device));

    /// <summary>Edits a layer so that the residual stream after the last one comes nearer to what is wanted by the layer's share; the distance before.</summary>
    private double Edit(int index)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var (layer, last) = (layers[index], layers[^1]);
        var (keys, changes, distance, count) = (new List<Tensor>(), new List<Tensor>(), 0.0, 0L);
        foreach (var (batch, wanted) in prompts.Batches.Zip(values))
        {
            using var one = new TensorScope();
            using var recorder = new SiteRecorder([Reads(layer), new(layer, SiteKind.MlpOutput), new(layer, SiteKind.MlpAdded)]);
            var (ids, context) = batch.Input(model.Device, recorder);
            var hidden = model.Run(model.Embed(ids, context.PositionIds), 0, last + 1, context);
            var places = batch.Seen(Keys(batch));
            Tensor Read(SiteKind kind) => At(recorder.Values[new(layer, kind)], places);
            var (now, given, added) = (At(hidden, places), Read(SiteKind.MlpOutput), Read(SiteKind.MlpAdded));
            var missing = wanted - now;
            distance += (missing.Norm(2, [1]) / now.Norm(2, [1])).Sum().Item();
            count += batch.Rows;
            // What a norm behind the matrix multiplies each coordinate by, at its input's present scale; 1 where there is none.
            var passed = added.Eq(0.0);
            var ratio = (given / added.MaskedFill(passed, 1.0)).MaskedFill(passed, 1.0);
            keys.Add(one.Keep(Read(SiteKind.MlpNeurons)));
            changes.Add(one.Keep(missing * ratio / (layers.Length - index)));
        }
        var change = Solve(Tensor.Cat([.. keys]), Tensor.Cat([.. changes]), read.Of(Reads(layer)).Guarded.To(model.Device), options.RetainWeight);
        weights[index].AddInPlace((model.Configuration.ModelType == "gpt2" ? change.T() : change).To(weights[index].DType));
        return distance / count;
    }
}
