using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;

namespace Lethe.Unlearning.Language;

/// <summary>
/// The slice of a language model that is edited: its layers from the first edited one, or from its neurons where nothing before them is edited, to the last one read. What enters the slice, and what leaves it with the untouched weights, never
/// changes while the slice is edited; both are computed when a batch is first needed, kept, and used again in every later step and epoch. Layers above the slice and the head are never loaded.
/// </summary>
/// <remarks>
/// The numbers do not depend on what is cached: a batch always goes through the model as the same rows, and what is not kept is rounded as if it were. Padding on the right does not go through it at all
/// (<see cref="TextBatch.Input"/>), and is 0 in what is given out. Tensors that are given out belong to the open scope.
/// </remarks>
public sealed class SliceCache : IDisposable
{
    // Enough positions for a median that moves by a percent or so.
    private const int NormBatches = 8;

    private readonly Func<CausalLanguageModel>? loadPrefix;
    private readonly bool ownsModel;
    private readonly CausalLanguageModel model;
    private readonly SliceOptions options;
    private readonly int[] reads;
    private readonly Dictionary<TextBatch, Entry> entries = [];
    private readonly bool[] wereTrainable;
    private readonly DType storage;
    private readonly bool divided; // entered at the neurons of the first layer
    private CausalLanguageModel? prefix;
    private bool moved;

    private SliceCache(CausalLanguageModel model, bool ownsModel, Func<CausalLanguageModel>? loadPrefix, SliceOptions options)
    {
        (this.model, this.ownsModel, this.loadPrefix, this.options) = (model, ownsModel, loadPrefix, options);
        (From, To) = SliceExtent.Range(model.Configuration.Layers, options);
        reads = [.. options.Reads.Distinct().Order()];
        storage = options.Storage ?? model.ComputeType;
        divided = SliceExtent.Divides(options, From);
        var parameters = model.NamedParameters().ToDictionary(entry => entry.Name, entry => entry.Tensor, StringComparer.Ordinal);
        Weights = [.. options.Weights.Select(name => parameters.TryGetValue(name, out var weight) ? weight : throw new UsageException($"The model has no weight '{name}'."))];
        wereTrainable = [.. Weights.Select(weight => weight.RequiresGrad)];
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        foreach (var weight in Weights)
            weight.RequiresGrad = true;
        Originals = [.. Weights.Select(weight => TensorScope.Detach(weight.Detach().Clone()))];
    }

    /// <summary>The first layer of the slice: the first edited one.</summary>
    public int From { get; }

    /// <summary>One past the last layer of the slice: the last one read.</summary>
    public int To { get; }

    /// <summary>The layers that are read, ascending.</summary>
    public IReadOnlyList<int> Reads => reads;

    /// <summary>Names of the edited weights.</summary>
    public IReadOnlyList<string> Names => options.Weights;

    /// <summary>The edited weights in the order of <see cref="Names"/>, as they are now.</summary>
    public IReadOnlyList<Tensor> Weights { get; }

    /// <summary>The edited weights as they were.</summary>
    public IReadOnlyList<Tensor> Originals { get; }

    /// <summary>Shape and constants of the whole model.</summary>
    public LanguageModelConfiguration Configuration => model.Configuration;

    /// <summary>The type of hidden states.</summary>
    public DType ComputeType => model.ComputeType;

    /// <summary>Where the slice computes.</summary>
    public Device Device => model.Device;

    /// <summary>The model, of which the layers of the slice are loaded at least; its norms say how the residual stream and the edited matrices stand to each other.</summary>
    public CausalLanguageModel Model => model;

    /// <summary>Bytes of hidden states that are kept now.</summary>
    public long CachedBytes { get; private set; }

    /// <summary>Loads the slice of a checkpoint, and the layers before it when they are first needed.</summary>
    /// <param name="checkpoint">Stays the caller's and open as long as this lives.</param>
    /// <param name="options">What is edited, what is read, how much is kept.</param>
    /// <exception cref="UsageException">A weight or layer is not there, an edited weight lies above all layers read, or hidden states cannot be kept in the storage type.</exception>
    /// <exception cref="BadInputException">A tensor is missing or damaged.</exception>
    public static SliceCache Open(LanguageCheckpoint checkpoint, SliceOptions options)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        var (from, to) = SliceExtent.Range(checkpoint.Configuration.Layers, options);
        var load = new LoadOptions { DType = options.DType, Device = options.Device, Head = false };
        var model = checkpoint.Load(load with { FromLayer = from, ToLayer = to, TrainableParameters = [.. options.Weights] });
        try
        {
            return new(model, true, () => checkpoint.Load(load with { ToLayer = from }), options);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Edits a slice of a model that is in memory, in place. It stays the caller's; type and device are the model's.</summary>
    /// <inheritdoc cref="Open"/>
    public static SliceCache Of(CausalLanguageModel model, SliceOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        var (_, to) = SliceExtent.Range(model.LayerCount, options);
        return model.FromLayer == 0 && model.ToLayer >= to ? new(model, false, null, options)
            : throw new UsageException($"Layers 0 to {to - 1} are needed; {model.FromLayer} to {model.ToLayer - 1} are loaded.");
    }

    /// <summary>Bytes that hidden states of these batches take if all are kept.</summary>
    /// <param name="batches">The batches.</param>
    /// <param name="frozen">Whether what the untouched slice gives is kept beside what enters it.</param>
    public long Estimate(IEnumerable<TextBatch> batches, bool frozen) =>
        SliceExtent.Positions(batches) * SliceExtent.PositionBytes(Configuration, divided, storage, frozen ? reads.Length : 0);

    /// <summary>What leaves each layer read in the untouched model, (B, T, D) each, in the order of <see cref="Reads"/>.</summary>
    public IReadOnlyList<Tensor> Frozen(TextBatch batch)
    {
        using var noGrad = Autograd.NoGrad();
        using var scope = new TensorScope();
        var kept = entries.GetValueOrDefault(batch)?.Frozen;
        if (kept is null)
        {
            var entered = Entered(batch);
            var fresh = Untouched(() => Run(entered, batch, null)).Select(state => state.To(storage)).ToArray();
            if (entries.TryGetValue(batch, out var entry) && Fits(fresh))
                entry.Frozen = Take(fresh);
            kept = fresh;
        }
        return [.. kept.Select(state => scope.Keep(batch.Spread(state.To(model.ComputeType))))];
    }

    /// <summary>What leaves each layer read with the weights as they are now, (B, T, D) each; gradients flow to <see cref="Weights"/> where they are recorded.</summary>
    public IReadOnlyList<Tensor> Updated(TextBatch batch)
    {
        using var scope = new TensorScope();
        return [.. Run(Entered(batch), batch, null).Select(state => scope.Keep(batch.Spread(state)))];
    }

    /// <summary>
    /// Runs the slice with the untouched weights while somebody looks, for instance at what enters an edited matrix; nothing is recorded or kept. Texts may stand side by side in one row:
    /// <see cref="TextBatch.CountedPlaces"/> says which positions count.
    /// </summary>
    public void Visit(TextBatch batch, ISiteVisitor visitor)
    {
        using var noGrad = Autograd.NoGrad();
        using var scope = new TensorScope();
        // What is visited before the neurons is not there when they are what enters.
        var entered = divided && SliceExtent.BeforeNeurons.Any(kind => visitor.Wants(new(From, kind))) ? [Below(batch).To(storage)] : Entered(batch);
        Untouched(() => Run(entered, batch, visitor));
    }

    /// <summary>What a loss needs of a batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="frozen">Whether the untouched model's hidden states are wanted too.</param>
    /// <param name="step">Steps done.</param>
    public HiddenStates States(TextBatch batch, bool frozen, long step = 0)
    {
        // The frozen ones first: they put other values into the weights for a while, which backward must not meet.
        var untouched = frozen ? Frozen(batch) : null;
        return new(reads, Updated(batch), untouched, batch.Mask(model.ComputeType, model.Device), batch, step);
    }

    /// <summary>How long the untouched hidden states of a layer that is read are, at the positions that count of up to eight batches.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="layer">One of <see cref="Reads"/>.</param>
    public StateScale Norms(TextBatches texts, int layer)
    {
        using var noGrad = Autograd.NoGrad();
        var place = Array.IndexOf(reads, layer);
        ArgumentOutOfRangeException.ThrowIfNegative(place, nameof(layer));
        var norms = new List<double>();
        foreach (var batch in texts.Batches.Take(NormBatches))
        {
            using var scope = new TensorScope();
            var each = Frozen(batch)[place].To(DType.Float64).Norm(2, [-1]).To(Device.Cpu).ToArray<double>();
            var counts = batch.Mask(DType.Float64, Device.Cpu).ToArray<double>();
            norms.AddRange(each.Where((_, k) => counts[k] > 0));
        }
        return StateScale.Of(norms, model.HiddenSize);
    }

    /// <summary>Puts new values into the edited weights.</summary>
    /// <param name="values">One for each of <see cref="Weights"/>, of its shape and of any real type.</param>
    public void Put(IReadOnlyList<Tensor> values)
    {
        using var noGrad = Autograd.NoGrad();
        using var scope = new TensorScope();
        foreach (var (weight, value) in Weights.Zip(values))
            weight.CopyInPlace(value);
        moved = true;
    }

    /// <summary>Puts the edited weights back to what they were; what is cached stays.</summary>
    public void Restore()
    {
        Put(Originals);
        moved = false;
    }

    /// <summary>Says that the edited weights may differ from what they were; nothing else tells whoever writes to <see cref="Weights"/> directly.</summary>
    public void MarkMoved() => moved = true;

    /// <summary>Frees the layers before the slice; they are loaded again if a batch comes that is not cached.</summary>
    public void ReleasePrefix()
    {
        prefix?.Dispose();
        prefix = null;
    }

    /// <summary>Frees the cache and the slice; a model that was given stays, with its weights as they are now.</summary>
    public void Dispose()
    {
        foreach (var entry in entries.Values)
            foreach (var tensor in (entry.Frozen ?? []).Concat(entry.Entered))
                tensor.Dispose();
        entries.Clear();
        CachedBytes = 0;
        ReleasePrefix();
        foreach (var (weight, trainable) in Weights.Zip(wereTrainable))
            if (!ownsModel)
                weight.RequiresGrad = trainable;
        foreach (var original in Originals)
            original.Dispose();
        if (ownsModel)
            model.Dispose();
    }

    /// <summary>What enters the slice, in the storage type: the residual stream, or what there is at the neurons.</summary>
    private Tensor[] Entered(TextBatch batch)
    {
        if (entries.TryGetValue(batch, out var known))
            return known.Entered;
        using var noGrad = Autograd.NoGrad();
        using var scope = new TensorScope();
        var below = Below(batch);
        Tensor[] entered = divided ? [.. model.Begin(below, From, batch.Input(model.Device).Context).Tensors.Select(tensor => tensor.To(storage))] : [below.To(storage)];
        if (!Fits(entered))
            return [.. entered.Select(scope.Keep)];
        entries.Add(batch, new(Take(entered)));
        return entered;
    }

    /// <summary>What enters layer <see cref="From"/>, (B, T, D).</summary>
    private Tensor Below(TextBatch batch)
    {
        using var scope = new TensorScope();
        var before = From == 0 || loadPrefix is null ? model : prefix ??= loadPrefix();
        var (ids, context) = batch.Input(model.Device);
        return scope.Keep(before.Run(before.Embed(ids, context.PositionIds), 0, From, context));
    }

    private Tensor[] Run(Tensor[] entered, TextBatch batch, ISiteVisitor? visitor)
    {
        using var scope = new TensorScope();
        var states = new Tensor[reads.Length];
        var (_, context) = batch.Input(model.Device, visitor);
        Tensor[] inputs = [.. entered.Select(tensor => tensor.To(model.ComputeType))];
        for (var k = 0; k < reads.Length; k++)
        {
            // A layer below the slice that is read is an error of the range; one at a time, so that no visitor is needed for what leaves a layer.
            states[k] = k > 0 ? model.Run(states[k - 1], reads[k - 1] + 1, reads[k] + 1, context)
                : inputs.Length > 1 ? model.Finish(LayerMiddle.Of(inputs), From, reads[k] + 1, context)
                : model.Run(inputs[0], From, reads[k] + 1, context);
        }
        return [.. states.Select(scope.Keep)];
    }

    private T Untouched<T>(Func<T> run)
    {
        if (!moved)
            return run();
        Tensor[] now = [.. Weights.Select(weight => weight.Detach().Clone())];
        Put(Originals);
        try
        {
            return run();
        }
        finally
        {
            Put(now);
        }
    }

    private bool Fits(Tensor[] tensors) => CachedBytes + tensors.Sum(Bytes) <= options.MaximumBytes;

    private Tensor[] Take(Tensor[] tensors)
    {
        CachedBytes += tensors.Sum(Bytes);
        return [.. tensors.Select(TensorScope.Detach)];
    }

    private static long Bytes(Tensor tensor) => tensor.Elements * tensor.DType.Size();

    private sealed class Entry(Tensor[] entered)
    {
        public Tensor[] Entered { get; } = entered;

        public Tensor[]? Frozen { get; set; }
    }
}
