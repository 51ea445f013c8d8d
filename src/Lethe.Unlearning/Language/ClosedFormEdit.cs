using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Lethe.Models.Language;
using Lethe.Torch;

namespace Lethe.Unlearning.Language;

/// <summary>What the values of an edit are to do to the continuation that forget texts carry.</summary>
public enum ValueGoal
{
    /// <summary>Make it unlikely: the texts carry what is to be forgotten. NPO's bounded loss with β = 0.1.</summary>
    Unsay,
    /// <summary>Make it likely: the texts carry what is to be said instead, such as a neutral answer.</summary>
    Say,
}

/// <summary>Options of <see cref="ClosedFormEdit"/>.</summary>
[Description("A closed-form edit of MLPs' last matrices (ROME and MEMIT): prompts are keys, values that change the answer are found by gradient steps")]
public sealed record ClosedFormEditOptions : LanguageMethodOptions
{
    /// <summary>The layers that are edited; their change is spread over them.</summary>
    [Description("The layers that are edited, from 0; the change is spread over them, as in MEMIT; one layer is ROME")]
    [MinLength(1)]
    [Range(0, 1000)]
    public IReadOnlyList<int> EditedLayers { get; init; } = [5, 6, 7];

    /// <summary>What the values do.</summary>
    [Description("Whether values make the texts' continuation unlikely (unsay: they carry what is forgotten) or likely (say: they carry a neutral answer)")]
    public ValueGoal Goal { get; init; } = ValueGoal.Unsay;

    /// <summary>Gradient steps that find the values.</summary>
    [Description("Gradient steps that find the values; 20 in ROME")]
    [Range(1, 10_000)]
    public int ValueSteps { get; init; } = 20;

    /// <summary>How far a step moves a value at most, in units of the hidden state's norm.</summary>
    [Description("How far a gradient step moves a value, about, in units of the hidden state's norm")]
    [Range(1e-6, 10)]
    public double ValueRate { get; init; } = 0.1;

    /// <summary>How far values may move.</summary>
    [Description("How far a value may move from the hidden state, in units of its norm; 0.75 in MEMIT")]
    [Range(1e-3, 100)]
    public double ValueClamp { get; init; } = 0.75;

    /// <summary>Weight of the squared way of a value in its loss.</summary>
    [Description("Weight of a value's squared way (in units of the hidden state's norm) beside its loss in nats; 0.5 in MEMIT")]
    [Range(0.0, 1e6)]
    public double ValueDecay { get; init; } = 0.5;

    /// <summary>λ: weight of the retain text's keys against the edited ones.</summary>
    [Description("Weight of what the matrix reads on retain text against the edited keys, both as means: large holds the rest, small reaches the values")]
    [Range(1e-9, 1e9)]
    public double RetainWeight { get; init; } = 10;
}

/// <summary>
/// A closed-form edit of MLPs' last matrices, of the family of ROME (Meng et al., NeurIPS 2022, arXiv 2202.05262) and MEMIT (Meng et al., ICLR 2023, arXiv 2210.07229; kmeng01/memit): keys K are what a matrix reads at the last token of
/// each prompt, values V are what it should give there; the change that comes nearest while what is read on retain text keeps its answers is
/// ΔW = (V − W K) Kᵀ (λ n C + K Kᵀ)⁻¹, the minimum of ‖(W + ΔW) K − V‖² + λ n tr(ΔW C ΔWᵀ), n the number of keys and C the mean of k kᵀ over retain text.
/// </summary>
/// <remarks>
/// Values: for each prompt the residual stream that leaves the last edited layer is moved by δ, found by Adam on the loss of the continuation plus decay · (‖δ‖/‖h‖)², ‖δ‖ ≤ clamp · ‖h‖; each edited layer then takes its share of
/// what is still missing, counted anew after the layer before it (MEMIT's spreading). A norm behind the matrix (Gemma-2) is accounted for at the untouched scale of its input: exact in direction, not in length.
/// Differences from the released code: the key is the prompt's last token, not the subject's, as texts here mark no subjects; C is taken from the retain text at hand, not from 100,000 Wikipedia samples, and is scaled by the number of keys, so that λ means the
/// same for few and many; no KL term. What is forgotten this way is what these prompts ask: the method edits answers, and says nothing of other ways to ask.
/// </remarks>
public sealed class ClosedFormEdit : ILanguageUnlearning
{
    // NPO's usual inverse temperature.
    private const double Beta = 0.1;

    // Of the mean of the diagonal: keeps the system solvable where the retain text has fewer positions than the matrix has inputs.
    private const double Ridge = 1e-6;

    private readonly CausalLanguageModel model;
    private readonly TextBatches forget, retain;
    private readonly ClosedFormEditOptions options;
    private readonly int[] layers;
    private readonly string[] names;
    private readonly Tensor[] weights, originals;
    private readonly List<Tensor> values = []; // of each forget batch: the residual stream wanted at its keys, (B, D)
    private (double Before, double After, double Distance) measured;
    private bool finished;

    /// <summary>Prepares the edit; nothing is computed yet. There is a step for each forget batch, which finds its values, and one for each layer, which edits it.</summary>
    /// <param name="model">A whole model, frozen; changed in place, stays the caller's.</param>
    /// <param name="forget">Prompts with a continuation each (<see cref="TextRow.FirstTarget"/> is where that begins), padded on the right.</param>
    /// <param name="retain">What the matrices shall go on answering.</param>
    /// <param name="options">How.</param>
    /// <exception cref="UsageException">The model is a slice, a layer is not there or the last one, or padding is on the left.</exception>
    /// <exception cref="BadInputException">A text has no prompt before its continuation, or none after it.</exception>
    public ClosedFormEdit(CausalLanguageModel model, TextBatches forget, TextBatches retain, ClosedFormEditOptions options)
    {
        if (model.FromLayer > 0 || model.ToLayer < model.LayerCount || !model.HasHead)
            throw new UsageException("Values are found through the whole model with its head; a slice is loaded.");
        if (forget.Batches.Concat(retain.Batches).Any(batch => batch.LeftPadded))
            throw new UsageException("A closed-form edit reads rows that are padded on the right.");
        if (options.EditedLayers.Count == 0)
            throw new UsageException("method.edited_layers names no layer; name at least one.");
        (this.model, this.forget, this.retain, this.options) = (model, forget, retain, options);
        layers = [.. options.EditedLayers.Distinct().Order()];
        names = [.. LayerWeights.Of(model.NamedParameters().Select(entry => entry.Name), layers, "mlp.last")];
        foreach (var batch in forget.Batches)
            Keys(batch);
        var parameters = model.NamedParameters().ToDictionary(entry => entry.Name, entry => entry.Tensor, StringComparer.Ordinal);
        weights = [.. names.Select(name => parameters[name])];
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        originals = [.. weights.Select(weight => TensorScope.Detach(weight.Detach().Clone()))];
    }

    /// <inheritdoc/>
    public long Step { get; private set; }

    /// <inheritdoc/>
    public long TotalSteps => forget.Count + layers.Length;

    /// <inheritdoc/>
    public bool Finished => Step >= TotalSteps;

    /// <inheritdoc/>
    public string? StopReason => null;

    /// <inheritdoc/>
    /// <remarks>Measures "nats_before" and "nats_after", −log p a target token of the last batch without its values and with them, and "distance", the mean of ‖z − h‖/‖h‖ over all keys before the last layer was edited, z the residual stream that is wanted.</remarks>
    public IReadOnlyList<(string Name, double Value)> Advance()
    {
        if (Step < forget.Count)
        {
            using var scope = new TensorScope();
            values.Add(TensorScope.Detach(FindValues(forget.Batches[(int)Step])));
        }
        else
            Edit((int)Step - forget.Count);
        if (!double.IsFinite(measured.After + measured.Distance))
            throw new RunFailedException(string.Create(CultureInfo.InvariantCulture, $"The edit became not finite at step {Step}: {measured.After} nats, distance {measured.Distance}. Lower method.value_rate, or raise method.retain_weight."));
        Step++;
        return [("nats_before", measured.Before), ("nats_after", measured.After), ("distance", measured.Distance)];
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
        foreach (var (k, value) in values.Index())
            state.Add($"values.{k}", value.ToHost());
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
        values.ForEach(value => value.Dispose());
        values.Clear();
        var step = state.Integer("step");
        for (var k = 0; k < Math.Min(step, forget.Count); k++)
            values.Add(TensorScope.Detach(Tensor.From(state.Array($"values.{k}")).To(model.Device)));
        Step = step;
    }

    /// <summary>Frees everything but the model, whose weights stay as they are now.</summary>
    public void Dispose()
    {
        foreach (var tensor in originals.Concat(values))
            tensor.Dispose();
        values.Clear();
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

    /// <summary>The position of each row's key: the last token of its prompt, which the first target follows.</summary>
    private long[] Keys(TextBatch batch)
    {
        var rows = batch.TokenRows();
        return [.. Enumerable.Range(0, rows.Rows).Select(row =>
        {
            var first = Enumerable.Range(0, rows.Length).FirstOrDefault(k => rows.Targets[row * rows.Length + k] >= 0, -1);
            return first > 0 ? (long)first
                : throw new BadInputException(first < 0 ? "A forget text has no continuation after its prompt; an edit needs one." : "A forget text has no prompt before its continuation; an edit needs one of at least 2 tokens (FirstTarget).");
        })];
    }

    /// <summary>The residual stream that should leave the last edited layer at each key, (B, D).</summary>
    private Tensor FindValues(TextBatch batch)
    {
        var rows = batch.TokenRows();
        var (keys, to) = (Keys(batch), layers[^1] + 1);
        using var scope = new TensorScope();
        Tensor below, at, scale;
        using (Autograd.NoGrad())
        {
            below = model.Run(model.Embed(batch.Ids(model.Device)), 0, to);
            at = At(below, keys);
            scale = at.Norm(2, [1], keep: true); // (B, 1)
        }
        var places = Enumerable.Range(0, rows.Targets.Length).Where(k => rows.Targets[k] >= 0).ToArray();
        var targets = Tensor.FromArray(places.Select(k => rows.Targets[k]).ToArray()).To(model.Device);
        var where = Tensor.FromArray(places.Select(k => (long)k).ToArray()).To(model.Device);
        var owner = Owners(places, rows, below.DType); // (B, N)
        var here = Tensor.Zeros([rows.Rows, rows.Length], below.DType).ScatterInPlace(1, Tensor.FromArray(keys, rows.Rows, 1), 1.0).To(model.Device).Unsqueeze(-1); // (B, T, 1)
        Tensor Nats(Tensor move)
        {
            var hidden = model.Run(below + here * (move * scale).Unsqueeze(1), to, model.LayerCount).Reshape(-1, model.HiddenSize).IndexSelect(0, where);
            return owner.Mv(model.Head(hidden).CrossEntropyLoss(targets, Reduction.None)); // (B)
        }
        var move = Tensor.Zeros([rows.Rows, model.HiddenSize], below.DType, model.Device);
        move.RequiresGrad = true;
        Tensor before;
        using (Autograd.NoGrad())
            before = Nats(move);
        // Adam moves each coordinate by about the rate; so a whole step by about value_rate.
        using var optimizer = new Adam([("move", move)], options.ValueRate / Math.Sqrt(model.HiddenSize));
        for (var k = 0; k < options.ValueSteps; k++)
        {
            using var step = new TensorScope();
            var nats = Nats(move);
            var loss = options.Goal == ValueGoal.Say ? nats : ((before - nats) * Beta).Softplus() * (2 / Beta); // −(2/β) log σ(β (nats − before))
            optimizer.Step([Autograd.Grad([(loss + move.Square().Sum(1) * options.ValueDecay).Sum()], [move])[0]]);
            using var noGrad = Autograd.NoGrad();
            move.MulInPlace((move.Norm(2, [1], keep: true) / options.ValueClamp).Clamp(minimum: 1.0).Reciprocal());
        }
        using var off = Autograd.NoGrad();
        measured = (before.Sum().Item() / places.Length, Nats(move).Sum().Item() / places.Length, measured.Distance);
        return scope.Keep(at + move.Detach() * scale);
    }

    /// <summary>Edits a layer so that the residual stream after the last one comes nearer to what is wanted by the layer's share.</summary>
    private void Edit(int index)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var (layer, last) = (layers[index], layers[^1]);
        var (keys, changes, distance, count) = (new List<Tensor>(), new List<Tensor>(), 0.0, 0L);
        foreach (var (batch, wanted) in forget.Batches.Zip(values))
        {
            using var one = new TensorScope();
            using var recorder = new SiteRecorder([new(layer, SiteKind.MlpNeurons), new(layer, SiteKind.MlpOutput), new(layer, SiteKind.MlpAdded)]);
            var hidden = model.Run(model.Embed(batch.Ids(model.Device)), 0, last + 1, new ForwardContext { Sites = recorder });
            Tensor Read(SiteKind kind) => At(recorder.Values[new(layer, kind)], Keys(batch));
            var (now, given, added) = (At(hidden, Keys(batch)), Read(SiteKind.MlpOutput), Read(SiteKind.MlpAdded));
            var missing = wanted - now;
            distance += (missing.Norm(2, [1]) / now.Norm(2, [1])).Sum().Item();
            count += batch.Rows;
            // What a norm behind the matrix multiplies each coordinate by, at its input's present scale; 1 where there is none.
            var passed = added.Eq(0.0);
            var ratio = (given / added.MaskedFill(passed, 1.0)).MaskedFill(passed, 1.0);
            keys.Add(one.Keep(Read(SiteKind.MlpNeurons)));
            changes.Add(one.Keep(missing * ratio / (layers.Length - index)));
        }
        measured.Distance = distance / count;
        var change = Solve(Tensor.Cat([.. keys]), Tensor.Cat([.. changes]), Covariance(layer), options.RetainWeight);
        weights[index].AddInPlace((model.Configuration.ModelType == "gpt2" ? change.T() : change).To(weights[index].DType));
    }

    /// <summary>The mean of k kᵀ over the positions of the retain text that count, (in, in), float64.</summary>
    private Tensor Covariance(int layer)
    {
        using var scope = new TensorScope();
        Tensor? sum = null;
        var count = 0L;
        foreach (var batch in retain.Batches)
        {
            using var one = new TensorScope();
            using var recorder = new SiteRecorder([new(layer, SiteKind.MlpNeurons)]);
            model.Run(model.Embed(batch.Ids(model.Device)), 0, layer + 1, new ForwardContext { Sites = recorder });
            var read = recorder.Values[new(layer, SiteKind.MlpNeurons)];
            var mask = batch.Mask(read.DType, model.Device).View(-1).Nonzero().View(-1);
            var keys = read.Reshape(-1, read.Size(-1)).IndexSelect(0, mask).To(DType.Float64);
            sum = sum is null ? one.Keep(keys.T().MatMul(keys)) : sum.AddmmInPlace(keys.T(), keys);
            count += batch.Counted;
        }
        return scope.Keep(sum! / count);
    }

    /// <summary>One position of each row: (B, T, n) → (B, n).</summary>
    private Tensor At(Tensor states, long[] positions)
    {
        var flat = positions.Select((position, row) => row * states.Size(1) + position).ToArray();
        return states.Reshape(-1, states.Size(-1)).IndexSelect(0, Tensor.FromArray(flat).To(model.Device));
    }

    /// <summary>Adds positions asked up by row: (B, N), 1 where a position belongs to a row.</summary>
    private Tensor Owners(int[] places, Models.Language.Training.TokenRows rows, DType type)
    {
        var owner = new float[rows.Rows * places.Length];
        foreach (var (k, place) in places.Index())
            owner[place / rows.Length * places.Length + k] = 1;
        return Tensor.FromArray(owner, rows.Rows, places.Length).To(type).To(model.Device);
    }
}
