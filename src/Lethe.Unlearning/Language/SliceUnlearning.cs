using System.Globalization;
using Lethe.Torch;

namespace Lethe.Unlearning.Language;

/// <summary>Something to be forgotten, what must stay beside it, and the losses of both.</summary>
/// <param name="Forget">Text of what is to be forgotten.</param>
/// <param name="ForgetLoss">What is minimised on it; owned by the loop.</param>
/// <param name="Retain">Text that must stay; null where only the forget text is trained on.</param>
/// <param name="RetainLoss">What is minimised on it; owned by the loop. Null exactly where there is no retain text.</param>
/// <param name="RetainWeight">Weight of the retain loss beside the forget loss, which has <see cref="ForgetWeight"/>; 0 or more.</param>
public sealed record SliceTopic(TextBatches Forget, IHiddenLoss ForgetLoss, TextBatches? Retain, IHiddenLoss? RetainLoss, double RetainWeight)
{
    /// <summary>Weight of the forget loss. Default 1.</summary>
    public double ForgetWeight { get; init; } = 1;

    /// <summary>Further text with losses of its own, such as neighbours; each has a batch in every step.</summary>
    public IReadOnlyList<SliceTerm> Further { get; init; } = [];

    internal IEnumerable<SliceTerm> Terms
    {
        get
        {
            yield return new(Forget, ForgetLoss, ForgetWeight);
            if (Retain is not null)
                yield return new(Retain, RetainLoss!, RetainWeight);
            foreach (var term in Further)
                yield return term;
        }
    }
}

/// <summary>A text, what is minimised on it, and with what weight.</summary>
/// <param name="Texts">The text.</param>
/// <param name="Loss">What is minimised; owned by the loop.</param>
/// <param name="Weight">Its weight; 0 or more.</param>
public sealed record SliceTerm(TextBatches Texts, IHiddenLoss Loss, double Weight);

/// <summary>A method that edits weights of a language model step by step.</summary>
public interface ILanguageUnlearning : ITrainingLoop, IDisposable
{
    /// <summary>Puts the result into the model, as far as the strength says. Call once, when finished.</summary>
    void Finish();

    /// <summary>The edited weights by their names in the checkpoint as the result has them: what is handed to LanguageCheckpoint.Save.</summary>
    IReadOnlyDictionary<string, HostArray> Changed();
}

/// <summary>
/// Forgetting by hidden states: each step takes a forget batch and a retain batch of a topic, the topics by turns, and moves the edited weights of a slice by
/// AdamW along the gradient of forget loss + weight · retain loss. RMU, SSPU and CRISP are losses and update spaces for it.
/// </summary>
/// <remarks>There is no randomness but the order of the batches and what losses derive from the step; the state is the parameters, the moments and the step.</remarks>
public sealed class SliceUnlearning : ILanguageUnlearning
{
    private readonly SliceCache cache;
    private readonly IReadOnlyList<SliceTopic> topics;
    private readonly LanguageUnlearningOptions options;
    private readonly StopCriterion? stop;
    private readonly WeightEdit edit;
    private readonly bool further;
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
            foreach (var term in topic.Terms)
                if (!(term.Weight >= 0 && double.IsFinite(term.Weight)))
                    throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"The weight of a loss is {term.Weight}; it must be 0 or more."));
        }
        (this.cache, this.topics, this.options, this.stop) = (cache, topics, options, stop);
        further = topics.Any(topic => topic.Further.Count > 0);
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
    public (string Unit, double PerStep)? Work => ("tokens", topics.Average(topic => topic.Terms.Sum(term => (double)term.Texts.Tokens / term.Texts.Count)));

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
            var uses = topics.SelectMany(topic => topic.Terms).SelectMany(term => term.Texts.Batches.Select(batch => (Batch: batch, Frozen: term.Loss.NeedsFrozen))).GroupBy(use => use.Batch).Select(group => (group.Key, Frozen: group.Any(use => use.Frozen))).ToArray();
            return cache.Estimate(uses.Where(use => use.Frozen).Select(use => use.Key), true) + cache.Estimate(uses.Where(use => !use.Frozen).Select(use => use.Key), false);
        }
    }

    /// <inheritdoc/>
    /// <remarks>Measures "loss" (the weighted sum), "forget", "retain" and, where a topic has them, "further" (each without its weight; the latter summed with theirs), and "gradient_norm" before clipping.</remarks>
    public IReadOnlyList<(string Name, double Value)> Advance()
    {
        using var scope = new TensorScope();
        var topic = topics[(int)(Step % topics.Count)];
        var turn = Step / topics.Count;
        var (loss, forget, retain, more) = (0.0, 0.0, 0.0, 0.0);
        Tensor[]? gradients = null;
        foreach (var term in topic.Terms)
        {
            var (value, part) = Gradients(term.Texts.At(turn), term.Loss, term.Weight);
            loss += term.Weight * value;
            if (term.Loss == topic.ForgetLoss)
                forget = value;
            else if (term.Loss == topic.RetainLoss)
                retain = value;
            else
                more += term.Weight * value;
            gradients = gradients is null ? part : Sum(gradients, part);
        }
        var norm = double.IsFinite(loss) ? edit.Step(gradients!, Step) : double.NaN;
        if (!double.IsFinite(norm))
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
        return further ? [("loss", loss), ("forget", forget), ("retain", retain), ("further", more), ("gradient_norm", norm)] : [("loss", loss), ("forget", forget), ("retain", retain), ("gradient_norm", norm)];
    }

    /// <inheritdoc/>
    public void Finish()
    {
        edit.Apply(options.ResultScale);
        cache.MarkMoved();
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, HostArray> Changed() => edit.Changed(options.ResultScale);

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
        foreach (var term in topics.SelectMany(topic => topic.Terms))
            term.Loss.Dispose();
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

    private static Tensor[] Sum(Tensor[] sums, Tensor[] parts)
    {
        using var noGrad = Autograd.NoGrad();
        foreach (var (sum, part) in sums.Zip(parts))
            sum.AddInPlace(part);
        return sums;
    }

    private bool EpochDone(SliceTopic topic) => Step / topics.Count >= topic.Terms.Max(term => term.Texts.Count);
}
