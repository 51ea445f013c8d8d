using System.Globalization;
using Lethe.Torch;

namespace Lethe.Unlearning.Language;

/// <summary>Something to be forgotten, what must stay beside it, and the losses of both.</summary>
/// <param name="Forget">Text of what is to be forgotten.</param>
/// <param name="ForgetLoss">What is minimised on it; owned by the loop.</param>
/// <param name="Retain">Text that must stay; null where only the forget text is trained on.</param>
/// <param name="RetainLoss">What is minimised on it; owned by the loop. Null exactly where there is no retain text.</param>
/// <param name="RetainWeight">Weight of the retain loss beside the forget loss, which has 1; 0 or more.</param>
public sealed record SliceTopic(TextBatches Forget, IHiddenLoss ForgetLoss, TextBatches? Retain, IHiddenLoss? RetainLoss, double RetainWeight);

/// <summary>
/// Forgetting by hidden states: each step takes a forget batch and a retain batch of a topic, the topics by turns, and moves the edited weights of a slice by
/// AdamW along the gradient of forget loss + weight · retain loss. RMU, SSPU and CRISP are losses and update spaces for it.
/// </summary>
/// <remarks>There is no randomness but the order of the batches and what losses derive from the step; the state is the parameters, the moments and the step.</remarks>
public sealed class SliceUnlearning : ITrainingLoop, IDisposable
{
    private readonly SliceCache cache;
    private readonly IReadOnlyList<SliceTopic> topics;
    private readonly LanguageUnlearningOptions options;
    private readonly StopCriterion? stop;
    private readonly WeightEdit edit;
    private bool prefixReleased;

    /// <summary>Prepares forgetting; nothing is computed yet.</summary>
    /// <param name="cache">The slice, with its weights as they were; stays the caller's.</param>
    /// <param name="topics">What is forgotten and what stays; at least one. Their losses are disposed with this.</param>
    /// <param name="options">Steps, rates, strength.</param>
    /// <param name="space">Chooses the update space of each edited weight; null: every element moves (<see cref="FreeUpdate"/>).</param>
    /// <param name="stop">Asked every <see cref="LanguageUnlearningOptions.CheckEvery"/> steps; null: nobody is.</param>
    /// <exception cref="UsageException">There is no topic, or a weight is negative.</exception>
    public SliceUnlearning(SliceCache cache, IReadOnlyList<SliceTopic> topics, LanguageUnlearningOptions options, Func<EditedWeight, IUpdateSpace>? space = null, StopCriterion? stop = null)
    {
        if (topics.Count == 0)
            throw new UsageException("There is nothing to forget: name at least one topic.");
        foreach (var topic in topics)
        {
            if (topic.Retain is null != topic.RetainLoss is null)
                throw new ArgumentException("Retain text and retain loss belong together.", nameof(topics));
            if (!(topic.RetainWeight >= 0 && double.IsFinite(topic.RetainWeight)))
                throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"The weight of the retain loss is {topic.RetainWeight}; it must be 0 or more."));
        }
        (this.cache, this.topics, this.options, this.stop) = (cache, topics, options, stop);
        edit = new(cache.Names, cache.Weights, cache.Originals, space, options, stop is not null);
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
    public (string Unit, double PerStep)? Work => ("tokens", topics.Average(topic => PerBatch(topic.Forget) + (topic.Retain is null ? 0 : PerBatch(topic.Retain))));

    /// <summary>Tokens read so far, forget and retain, without padding.</summary>
    public long TokensSeen { get; private set; }

    /// <summary>Numbers that are trained.</summary>
    public long ParameterCount => edit.ParameterCount;

    /// <summary>Bytes that the cache will take at most, were it without bound.</summary>
    public long CacheEstimate
    {
        get
        {
            // A batch that two topics share is kept once, with frozen states if one of them asks.
            var uses = topics.SelectMany(topic => Uses(topic)).GroupBy(use => use.Batch).Select(group => (group.Key, Frozen: group.Any(use => use.Frozen))).ToArray();
            return cache.Estimate(uses.Where(use => use.Frozen).Select(use => use.Key), true) + cache.Estimate(uses.Where(use => !use.Frozen).Select(use => use.Key), false);
        }
    }

    /// <inheritdoc/>
    /// <remarks>Measures "loss" (forget + weight · retain), "forget" and "retain" (the latter without its weight), and "gradient_norm" before clipping.</remarks>
    public IReadOnlyList<(string Name, double Value)> Advance()
    {
        using var scope = new TensorScope();
        var topic = topics[(int)(Step % topics.Count)];
        var turn = Step / topics.Count;
        var (forget, gradients) = Gradients(topic.Forget.At(turn), topic.ForgetLoss, 1);
        var retain = 0.0;
        if (topic.Retain is not null)
        {
            (retain, var held) = Gradients(topic.Retain.At(turn), topic.RetainLoss!, topic.RetainWeight);
            using var noGrad = Autograd.NoGrad();
            foreach (var (sum, part) in gradients.Zip(held))
                sum.AddInPlace(part);
        }
        var norm = edit.Step(gradients, Step);
        var loss = forget + topic.RetainWeight * retain;
        if (!double.IsFinite(loss) || !double.IsFinite(norm))
            throw new RunFailedException(string.Create(CultureInfo.InvariantCulture, $"Forgetting became not finite at step {Step}: forget {forget}, retain {retain}, gradient norm {norm}. Lower learning_rate, or set clip."));
        edit.Apply();
        cache.MarkMoved();
        Step++;
        if (!prefixReleased && topics.All(EpochDone))
        {
            cache.ReleasePrefix();
            prefixReleased = true;
        }
        if (stop is not null && Step % options.CheckEvery == 0)
            StopReason = edit.Ask(stop, Step)?.Reason;
        return [("loss", loss), ("forget", forget), ("retain", retain), ("gradient_norm", norm)];
    }

    /// <summary>Puts the result into the slice: W₀ + strength · ΔW. Call once, when finished.</summary>
    public void Finish()
    {
        edit.Apply(options.Strength);
        cache.MarkMoved();
    }

    /// <summary>The edited weights by their names in the checkpoint, with the strength applied: what is handed to LanguageCheckpoint.Save.</summary>
    public IReadOnlyDictionary<string, HostArray> Changed() => edit.Changed(options.Strength);

    /// <summary>The edited weights at another strength than the options'.</summary>
    /// <param name="strength">0 gives the weights as they were, 1 what was found.</param>
    public IReadOnlyDictionary<string, HostArray> Changed(double strength) => edit.Changed(strength);

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
        cache.MarkMoved();
        StopReason = state.Text("stop_reason") is { Length: > 0 } reason ? reason : null;
        TokensSeen = state.Integer("tokens");
        Step = state.Integer("step");
    }

    /// <summary>Frees update spaces, moments and losses; the slice stays, with its weights as they are now.</summary>
    public void Dispose()
    {
        edit.Dispose();
        foreach (var topic in topics)
        {
            topic.ForgetLoss.Dispose();
            topic.RetainLoss?.Dispose();
        }
    }

    /// <summary>The loss on a batch and the gradient of weight · loss with respect to each edited weight.</summary>
    private (double Loss, Tensor[] Gradients) Gradients(TextBatch batch, IHiddenLoss loss, double weight)
    {
        using var scope = new TensorScope();
        TokensSeen += batch.Tokens;
        var value = loss.Loss(cache.States(batch, loss.NeedsFrozen, Step));
        var weighted = weight == 1 ? value : value * weight;
        return (value.Item(), [.. Autograd.Grad([weighted], [.. cache.Weights]).Select(scope.Keep)]);
    }

    private bool EpochDone(SliceTopic topic) => Step / topics.Count >= Math.Max(topic.Forget.Count, topic.Retain?.Count ?? 0);

    private static double PerBatch(TextBatches batches) => (double)batches.Tokens / batches.Count;

    private static IEnumerable<(TextBatch Batch, bool Frozen)> Uses(SliceTopic topic) =>
        topic.Forget.Batches.Select(batch => (batch, topic.ForgetLoss.NeedsFrozen))
            .Concat((topic.Retain?.Batches ?? []).Select(batch => (batch, topic.RetainLoss!.NeedsFrozen)));
}
