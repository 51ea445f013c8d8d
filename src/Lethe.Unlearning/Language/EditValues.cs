using Lethe.Models.Language;
using Lethe.Torch;

namespace Lethe.Unlearning.Language;

/// <summary>
/// Finds, for each prompt, the residual stream that should leave the last edited layer at the prompt's last token so that its continuation becomes unlikely or likely: the first half of a <see cref="ClosedFormEdit"/>, and nearly all of its
/// work. A step for each batch. λ, the strength and the seed do not decide it, so that one search serves all of them.
/// </summary>
public sealed class EditValues : ITrainingLoop, IDisposable
{
    // NPO's usual inverse temperature.
    private const double Beta = 0.1;

    private readonly CausalLanguageModel model;
    private readonly TextBatches prompts;
    private readonly ClosedFormEditOptions options;
    private readonly int to; // one past the last edited layer
    private readonly List<Tensor> found = [];
    private (double Before, double After) nats;

    /// <summary>Prepares the search; nothing is computed yet.</summary>
    /// <param name="model">A whole model, frozen, with untouched weights; stays the caller's.</param>
    /// <param name="prompts">Prompts with a continuation each (<see cref="TextRow.FirstTarget"/> is where that begins), padded on the right.</param>
    /// <param name="options">How.</param>
    /// <exception cref="UsageException">The model is a slice, a layer is not there or the last one, or padding is on the left.</exception>
    /// <exception cref="BadInputException">A text has no prompt before its continuation, or none after it.</exception>
    public EditValues(CausalLanguageModel model, TextBatches prompts, ClosedFormEditOptions options)
    {
        ClosedFormEdit.Check(model, prompts, options);
        (this.model, this.prompts, this.options, to) = (model, prompts, options, options.EditedLayers.Max() + 1);
    }

    /// <summary>What was found: the residual stream wanted at the keys of each batch, (B, D).</summary>
    public IReadOnlyList<Tensor> Found => found;

    /// <inheritdoc/>
    public long Step => found.Count;

    /// <inheritdoc/>
    public long TotalSteps => prompts.Count;

    /// <inheritdoc/>
    public bool Finished => Step >= TotalSteps;

    /// <inheritdoc/>
    public string? StopReason => null;

    /// <inheritdoc/>
    /// <remarks>Measures "nats_before" and "nats_after": −log p a target token of the batch without its values and with them.</remarks>
    public IReadOnlyList<(string Name, double Value)> Advance()
    {
        using var scope = new TensorScope();
        var values = TensorScope.Detach(Find(prompts.Batches[found.Count]));
        if (!double.IsFinite(nats.After))
            throw new RunFailedException($"The values became not finite at batch {Step + 1} of {TotalSteps}: {nats.After} nats. Lower method.value_rate.");
        found.Add(values);
        return [("nats_before", nats.Before), ("nats_after", nats.After)];
    }

    /// <inheritdoc/>
    public void Save(StateWriter state)
    {
        state.Add("step", Step);
        foreach (var (k, value) in found.Index())
            state.Add($"values.{k}", value.ToHost());
    }

    /// <inheritdoc/>
    public void Load(StateReader state)
    {
        using var scope = new TensorScope();
        Dispose();
        for (var k = 0; k < state.Integer("step"); k++)
            found.Add(TensorScope.Detach(Tensor.From(state.Array($"values.{k}")).To(model.Device)));
    }

    /// <summary>Frees what was found.</summary>
    public void Dispose()
    {
        found.ForEach(value => value.Dispose());
        found.Clear();
    }

    private Tensor Find(TextBatch batch)
    {
        var rows = batch.TokenRows();
        var keys = batch.Seen(ClosedFormEdit.Keys(batch));
        var (ids, context) = batch.Input(model.Device);
        using var scope = new TensorScope();
        Tensor below, at, scale;
        using (Autograd.NoGrad())
        {
            below = model.Run(model.Embed(ids, context.PositionIds), 0, to, context);
            at = ClosedFormEdit.At(below, keys);
            scale = at.Norm(2, [1], keep: true); // (B, 1)
        }
        var places = Enumerable.Range(0, rows.Targets.Length).Where(k => rows.Targets[k] >= 0).ToArray();
        var targets = Tensor.FromArray(places.Select(k => rows.Targets[k]).ToArray()).To(model.Device);
        var where = Tensor.FromArray(batch.Seen(places.Select(k => (long)k))).To(model.Device);
        var owner = Owners(places, rows, below.DType); // (B, N)
        // Which row's move is added at each position: none but at keys.
        var moved = new long[below.Size(0) * below.Size(1)];
        Array.Fill(moved, rows.Rows);
        foreach (var (row, key) in keys.Index())
            moved[key] = row;
        var (here, still) = (Tensor.FromArray(moved, moved.Length).To(model.Device), Tensor.Zeros([1, model.HiddenSize], below.DType, model.Device));
        Tensor Nats(Tensor move)
        {
            var begun = below + Tensor.Cat([move * scale, still]).IndexSelect(0, here).View(below.Shape.ToArray());
            var hidden = model.Run(begun, to, model.LayerCount, context).Reshape(-1, model.HiddenSize).IndexSelect(0, where);
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
        nats = (before.Sum().Item() / places.Length, Nats(move).Sum().Item() / places.Length);
        return scope.Keep(at + move.Detach() * scale);
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
