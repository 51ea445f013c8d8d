using System.Globalization;
using Lethe.Torch;

namespace Lethe.Models.Language.Training;

/// <summary>A measurement of the validation text while training.</summary>
/// <param name="Step">Steps done; 0 is the model before training.</param>
/// <param name="Loss">Mean loss, nats a token.</param>
public sealed record ValidationReading(long Step, double Loss);

/// <summary>
/// Trains a language model on packed rows: next-token loss, AdamW (decay on matrices alone), warm-up and cosine, clipped gradients, gradients added up over parts of a step, averaged weights,
/// early stopping. There is no other randomness than the order of the rows, which depends on seed and step alone.
/// </summary>
public sealed class LanguageTraining : ITrainingLoop, IDisposable
{
    private readonly CausalLanguageModel model;
    private readonly LanguageTrainingOptions options;
    private readonly PackedRows rows;
    private readonly PackedRows? validation;
    private readonly (string Name, Tensor Tensor)[] parameters;
    private readonly AdamW matrices;
    private readonly AdamW? vectors;
    private readonly Ema? average;
    private readonly LearningRateSchedule schedule;
    private readonly List<ValidationReading> readings = [];
    private Tensor[]? best;

    /// <summary>Prepares training; nothing is computed yet.</summary>
    /// <param name="model">A whole model whose parameters are all trainable; it stays the caller's.</param>
    /// <param name="corpus">What it learns from; stays the caller's.</param>
    /// <param name="validation">Held-out text; null where nothing is measured.</param>
    /// <param name="options">How.</param>
    /// <param name="seed">Decides the order of the rows.</param>
    /// <exception cref="UsageException">A row is longer than the model's context, or early stopping has nothing to go by.</exception>
    /// <exception cref="BadInputException">The corpus has too few tokens for one row.</exception>
    public LanguageTraining(CausalLanguageModel model, TokenCorpus corpus, TokenCorpus? validation, LanguageTrainingOptions options, ulong seed)
    {
        if (options.Length > model.Configuration.MaximumPositions)
            throw new UsageException($"training.length is {options.Length}; the model has {model.Configuration.MaximumPositions} positions.");
        if (options.Patience > 0 && (validation is null || options.ValidateEvery == 0))
            throw new UsageException("training.patience stops by the loss on validation text; hold some out (validation.share) and set training.validate_every.");
        (this.model, this.options) = (model, options);
        rows = new PackedRows(corpus, options.Length, RandomStream.ChildSeed(seed, "rows"), options.SeparateDocuments);
        this.validation = validation is null || options.ValidateEvery == 0 ? null : new PackedRows(validation, options.Length, null, options.SeparateDocuments);
        parameters = [.. model.NamedParameters()];
        AdamW Optimizer(IEnumerable<(string, Tensor)> some, double decay) => new(some, options.LearningRate, options.Beta1, options.Beta2, weightDecay: decay);
        matrices = Optimizer(parameters.Where(entry => entry.Tensor.Dimensions > 1), options.WeightDecay);
        var rest = parameters.Where(entry => entry.Tensor.Dimensions <= 1).ToArray();
        vectors = rest.Length > 0 ? Optimizer(rest, 0) : null;
        average = options.Average > 0 ? new Ema(parameters, options.Average, warmUp: true) : null;
        schedule = new CosineRate(options.LearningRate, Math.Max(1, options.Steps - options.WarmUp), options.LearningRate * options.FinalShare).AfterWarmUp(options.WarmUp);
    }

    /// <inheritdoc/>
    public long Step { get; private set; }

    /// <inheritdoc/>
    public long TotalSteps => options.Steps;

    /// <inheritdoc/>
    public bool Finished => Step >= TotalSteps || StopReason is not null;

    /// <inheritdoc/>
    public string? StopReason { get; private set; }

    /// <inheritdoc/>
    public (string Unit, double PerStep)? Work => ("tokens", (double)options.Batch * options.Length);

    /// <summary>Tokens read so far.</summary>
    public long TokensSeen => Step * options.Batch * options.Length;

    /// <summary>What the validation text said, from before the first step on.</summary>
    public IReadOnlyList<ValidationReading> Readings => readings;

    /// <summary>The measurement whose weights become the result where early stopping is on; null otherwise, or if there is none.</summary>
    public ValidationReading? Best => options.Patience > 0 ? readings.MinBy(reading => reading.Loss) : null;

    /// <inheritdoc/>
    /// <remarks>Measures "loss" (mean over the step's tokens, nats), "gradient_norm" before clipping, "learning_rate", and "validation_loss", the latest.</remarks>
    public IReadOnlyList<(string Name, double Value)> Advance()
    {
        if (validation is not null && readings.Count == 0)
            Validate();
        using var scope = new TensorScope();
        var step = rows.Take(Step * options.Batch, options.Batch);
        var asked = step.Asked;
        var loss = 0.0;
        foreach (var parameter in parameters)
            parameter.Tensor.Grad = null;
        var atOnce = Math.Min(options.RowsAtOnce ?? options.Batch, options.Batch);
        for (var first = 0; first < options.Batch; first += atOnce)
            if (step.Slice(first, Math.Min(atOnce, options.Batch - first)) is { Asked: > 0 } part)
                loss += NextTokenLoss.Backward(model, part, asked, options.SeparateDocuments);
        loss /= asked;
        var gradients = parameters.Select(entry => entry.Tensor.Grad ?? entry.Tensor.ZerosLike()).ToArray();
        var norm = (options.Clip > 0 ? GradientClipping.ByNorm(gradients, options.Clip) : GradientClipping.Norm(gradients)).Item();
        if (!double.IsFinite(loss) || !double.IsFinite(norm))
            throw new RunFailedException(string.Create(CultureInfo.InvariantCulture, $"The training loss is {loss} and the gradient's norm {norm} at step {Step}. Lower training.learning_rate, or set training.clip."));
        var rate = schedule.At(Step + 1);
        Update(matrices, gradients, rate, entry => entry.Dimensions > 1);
        if (vectors is not null)
            Update(vectors, gradients, rate, entry => entry.Dimensions <= 1);
        average?.Update();
        Step++;
        if (validation is not null && (Step % options.ValidateEvery == 0 || Step == TotalSteps))
            Validate();
        List<(string, double)> values = [("loss", loss), ("gradient_norm", norm), ("learning_rate", rate)];
        if (readings.Count > 0)
            values.Add(("validation_loss", readings[^1].Loss));
        return values;
    }

    /// <summary>Puts the result into the model: the averaged weights if there is an average, those of the lowest validation loss where early stopping is on. Call once, when finished.</summary>
    public void Finish()
    {
        foreach (var parameter in parameters)
            parameter.Tensor.Grad = null;
        if (best is not null)
            Put(best);
        else if (average is { Swapped: false })
            average.Swap();
    }

    /// <inheritdoc/>
    public void Save(StateWriter state)
    {
        state.Add("step", Step);
        state.Add("readings", string.Join(';', readings.Select(reading => string.Create(CultureInfo.InvariantCulture, $"{reading.Step}:{reading.Loss:R}"))));
        state.Add("stop_reason", StopReason ?? "");
        foreach (var (name, tensor) in parameters)
            state.Add("parameters." + name, tensor.ToHost());
        matrices.Save(state, "matrices.");
        vectors?.Save(state, "vectors.");
        average?.Save(state, "average.");
        state.Add("has_best", best is null ? 0 : 1);
        if (best is not null)
            foreach (var ((name, _), tensor) in parameters.Zip(best))
                state.Add("best." + name, tensor.ToHost());
    }

    /// <inheritdoc/>
    public void Load(StateReader state)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        foreach (var (name, tensor) in parameters)
            tensor.CopyInPlace(Tensor.From(state.Array("parameters." + name, tensor)));
        matrices.Load(state, "matrices.");
        vectors?.Load(state, "vectors.");
        average?.Load(state, "average.");
        readings.Clear();
        foreach (var pair in state.Text("readings").Split(';', StringSplitOptions.RemoveEmptyEntries))
            readings.Add(pair.Split(':') is [var at, var loss] && long.TryParse(at, CultureInfo.InvariantCulture, out var number) && double.TryParse(loss, CultureInfo.InvariantCulture, out var value)
                ? new(number, value) : throw new BadInputException($"The checkpoint's value 'readings' holds '{pair}', which is no step and loss."));
        StopReason = state.Text("stop_reason") is { Length: > 0 } reason ? reason : null;
        if (state.Integer("has_best") == 1)
            Keep(entry => Tensor.From(state.Array("best." + entry.Name, entry.Tensor)).To(entry.Tensor.Device));
        Step = state.Integer("step");
    }

    /// <summary>Frees everything but model and corpora.</summary>
    public void Dispose()
    {
        matrices.Dispose();
        vectors?.Dispose();
        average?.Dispose();
        foreach (var tensor in best ?? [])
            tensor.Dispose();
    }

    private void Update(AdamW optimizer, Tensor[] gradients, double rate, Func<Tensor, bool> own)
    {
        optimizer.LearningRate = rate;
        optimizer.Step([.. gradients.Where(own)]);
    }

    private void Validate()
    {
        average?.Swap();
        var count = (int)Math.Min(options.ValidationRows, validation!.PerEpoch);
        var (nats, asked) = (0.0, 0L);
        var atOnce = Math.Min(options.RowsAtOnce ?? options.Batch, count);
        for (var first = 0; first < count; first += atOnce)
        {
            var (part, positions) = NextTokenLoss.Measure(model, validation.Take(first, Math.Min(atOnce, count - first)), options.SeparateDocuments);
            (nats, asked) = (nats + part, asked + positions);
        }
        var loss = nats / Math.Max(1, asked);
        if (!double.IsFinite(loss))
            throw new RunFailedException(string.Create(CultureInfo.InvariantCulture, $"The validation loss is {loss} at step {Step}. Lower training.learning_rate."));
        var lowest = readings.Count == 0 || loss < readings.Min(reading => reading.Loss);
        readings.Add(new(Step, loss));
        if (options.Patience > 0 && lowest)
            Keep(entry => entry.Tensor.Detach());
        average?.Swap();
        if (options.Patience > 0 && readings.Count - 1 - readings.IndexOf(readings.MinBy(reading => reading.Loss)!) >= options.Patience)
            StopReason = string.Create(CultureInfo.InvariantCulture, $"the validation loss has not fallen below {Best!.Loss:0.0000}, that of step {Best.Step}, for {options.Patience} measurements");
    }

    private void Keep(Func<(string Name, Tensor Tensor), Tensor> value)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        best ??= [.. parameters.Select(entry => TensorScope.Detach(entry.Tensor.Detach().Clone()))];
        foreach (var (entry, kept) in parameters.Zip(best))
            kept.CopyInPlace(value(entry));
    }

    private void Put(Tensor[] values)
    {
        using var noGrad = Autograd.NoGrad();
        foreach (var (entry, value) in parameters.Zip(values))
            entry.Tensor.CopyInPlace(value);
    }
}
