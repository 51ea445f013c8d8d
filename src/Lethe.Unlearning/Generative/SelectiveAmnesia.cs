using Lethe.Models.Generative;
using Lethe.Torch;

namespace Lethe.Unlearning.Generative;

/// <summary>
/// Selective Amnesia (Heng and Soh, NeurIPS 2023, arXiv 2305.10120; clear-nus/selective-amnesia): forgets conditions of a generator by
/// maximising the likelihood of a surrogate under them while elastic weight consolidation and generative replay hold the rest (equation 4
/// with the surrogate of section 3.3):
/// minimise E_q(x|c_f) [−ELBO(x, c_f)] + γ E_p(x|θ*, c_r) [−ELBO(x, c_r)] + (λ/2) Σ F (θ − θ*)².
/// Written once for everything that is an <see cref="IConditionalLikelihood"/>.
/// </summary>
/// <remarks>
/// Forgetting and replay go through the network in one batch. The consolidation enters as the gradient λ F (θ − θ*), added before clipping
/// and before Adam's moments. Replay comes from a pool that is made once. Two stages: first the columns that the forgotten conditions alone
/// read, where the Fisher information of the others is exactly 0 and no replay is needed, then all weights.
/// </remarks>
public sealed class SelectiveAmnesia : ITrainingLoop, IDisposable
{
    private readonly IConditionalLikelihood model;
    private readonly IConditionalLikelihood frozen;
    private readonly IReadOnlyList<ForgetTarget> targets;
    private readonly IReadOnlyList<int> retained;
    private readonly SelectiveAmnesiaOptions options;
    private readonly Tensor[] parameters;
    private readonly Tensor[] anchors;
    private readonly Tensor[] fisher;
    private readonly ForgettingBatch forgetting;
    private readonly OwnColumnStage? ownColumns;
    private readonly Tensor weights; // (B): 1/forget batch, then γ/replay batch
    private readonly Tensor divergenceWeights; // (B)
    private readonly SamplePool? pool;
    private readonly ForgettingValidation? validation;
    private readonly RandomStream random;
    private readonly Adam optimizer;
    private readonly LearningRateSchedule schedule;
    private readonly Ema? average;

    /// <summary>Prepares forgetting; makes the replay pool and the validation samples.</summary>
    /// <param name="model">The model to change; holds θ* now.</param>
    /// <param name="frozen">The model as it was; gives the replay. May not be <paramref name="model"/>.</param>
    /// <param name="fisher">Fisher information at θ*.</param>
    /// <param name="targets">What to forget; at least one. Their surrogates are disposed with this.</param>
    /// <param name="retained">Conditions that must stay.</param>
    /// <param name="options">How.</param>
    /// <param name="seed">Decides all randomness.</param>
    /// <exception cref="UsageException">
    /// A condition is forgotten twice, forgotten and retained, or not there; the model has no columns for a first stage; or a Fisher matrix that
    /// is a mean over conditions is to be weighed by condition.
    /// </exception>
    /// <exception cref="BadInputException">The Fisher matrix belongs to another model.</exception>
    public SelectiveAmnesia(
        IConditionalLikelihood model, IConditionalLikelihood frozen, FisherInformation fisher, IReadOnlyList<ForgetTarget> targets,
        IReadOnlyList<int> retained, SelectiveAmnesiaOptions options, ulong seed)
    {
        Check(model, frozen, targets, retained, options);
        this.model = model;
        this.frozen = frozen;
        this.targets = targets;
        this.retained = retained;
        this.options = options;
        parameters = [.. model.TrainedParameters.Select(entry => entry.Tensor)];
        var device = parameters[0].Device;
        var type = parameters[0].DType;
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        // What may be refused comes first, while nothing has left the scope.
        var diagonal = fisher.Diagonal(retained, [.. targets.Select(target => target.Condition)], options.OwnInformation, model.TrainedParameters);
        this.fisher = [.. diagonal.Select(TensorScope.Detach)];
        anchors = [.. parameters.Select(parameter => TensorScope.Detach(parameter.Detach().Clone()))];
        forgetting = new ForgettingBatch(targets, options.ForgetBatch, options.GenerationLatents, model);
        weights = TensorScope.Detach(Tensor.Cat([
            Tensor.Full([options.ForgetBatch], 1.0 / options.ForgetBatch, type, device),
            Tensor.Full([options.ReplayBatch], options.Gamma / options.ReplayBatch, type, device)]));
        divergenceWeights = TensorScope.Detach(Tensor.Cat([forgetting.DivergenceWeights, Tensor.Ones([options.ReplayBatch], type, device)]));
        if (options.ColumnSteps > 0)
            ownColumns = new OwnColumnStage(model, targets, options);
        using (var replay = new RandomStream(RandomStream.ChildSeed(seed, "replay"), device))
            pool = options.ReplayPool > 0 ? SamplePool.Generate(frozen, retained, options.ReplayPool, replay).Detached() : null;
        if (options.CheckEvery > 0)
            validation = new ForgettingValidation(frozen, targets, retained, options, seed);
        random = new RandomStream(RandomStream.ChildSeed(seed, "forget"), device);
        optimizer = new Adam(model.TrainedParameters, options.LearningRate);
        schedule = new ConstantRate(options.LearningRate).AfterWarmUp(options.WarmUp);
        average = options.Average > 0 ? new Ema(model.TrainedParameters, options.Average, warmUp: true) : null;
    }

    /// <inheritdoc/>
    public long Step { get; private set; }

    /// <inheritdoc/>
    public long TotalSteps => options.ColumnSteps + options.Steps;

    /// <inheritdoc/>
    public bool Finished => StopReason is not null || Step >= TotalSteps;

    /// <inheritdoc/>
    public string? StopReason { get; private set; }

    /// <summary>Whether it was the criterion that stopped it, not a lack of progress.</summary>
    public bool CriterionMet { get; private set; }

    /// <summary>What the validation samples said, in order.</summary>
    public IReadOnlyList<ForgettingReading> Readings => validation?.Readings ?? [];

    /// <inheritdoc/>
    /// <remarks>Measures "loss", "forget" and "replay" in nats an image, and "ewc", the value of (λ/2) Σ F (θ − θ*)². The first stage has no replay.</remarks>
    public IReadOnlyList<(string Name, double Value)> Advance()
    {
        using var scope = new TensorScope();
        // The average is one of the second stage; what the first stage has moved is where it begins.
        if (Step == options.ColumnSteps)
            average?.Restart();
        double forget, replay = 0, ewc = 0;
        if (Step < options.ColumnSteps)
            forget = ownColumns!.Advance(random);
        else
            (forget, replay, ewc) = MoveAll();
        if (!double.IsFinite(forget + replay + ewc))
            throw new RunFailedException($"Forgetting became not finite at step {Step}: forget {forget}, replay {replay}, ewc {ewc}. Lower method.learning_rate, method.column_learning_rate or method.lambda.");
        Step++;
        var second = Step - options.ColumnSteps;
        if (validation is not null && second > 0 && second % options.CheckEvery == 0 && Averaged(() => validation.Read(model, second)) is { } stop)
            (StopReason, CriterionMet) = (stop.Reason, stop.CriterionMet);
        return [("loss", forget + options.Gamma * replay + ewc), ("forget", forget), ("replay", replay), ("ewc", ewc)];
    }

    /// <summary>Puts the result into the model: the averaged weights, if there is an average, as far from θ* as the strength says. Call once, when finished.</summary>
    public void Finish()
    {
        if (average is { Swapped: false })
            average.Swap();
        if (options.Strength == 1)
            return;
        using var noGrad = Autograd.NoGrad();
        using var scope = new TensorScope();
        for (var k = 0; k < parameters.Length; k++)
            parameters[k].CopyInPlace(anchors[k].Lerp(parameters[k], options.Strength));
    }

    /// <inheritdoc/>
    public void Save(StateWriter state)
    {
        state.Add("step", Step);
        state.Add("stop_reason", StopReason ?? "");
        state.Add("criterion_met", CriterionMet ? 1L : 0L);
        state.Add("random", random.State());
        foreach (var (name, tensor) in model.TrainedParameters)
            state.Add("parameters." + name, tensor.ToHost());
        optimizer.Save(state, "optimizer.");
        ownColumns?.Save(state, "own_columns.");
        average?.Save(state, "average.");
        validation?.Save(state);
    }

    /// <inheritdoc/>
    public void Load(StateReader state)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        foreach (var (name, tensor) in model.TrainedParameters)
            tensor.CopyInPlace(Tensor.From(state.Array("parameters." + name, tensor)));
        optimizer.Load(state, "optimizer.");
        ownColumns?.Load(state, "own_columns.");
        average?.Load(state, "average.");
        validation?.Load(state);
        random.Restore(state.Array("random"));
        StopReason = state.Text("stop_reason") is { Length: > 0 } reason ? reason : null;
        CriterionMet = state.Integer("criterion_met") != 0;
        Step = state.Integer("step");
    }

    /// <summary>Frees everything but the models.</summary>
    public void Dispose()
    {
        foreach (var tensor in anchors.Concat(fisher).Append(weights).Append(divergenceWeights))
            tensor.Dispose();
        forgetting.Dispose();
        ownColumns?.Dispose();
        pool?.Dispose();
        validation?.Dispose();
        random.Dispose();
        optimizer.Dispose();
        average?.Dispose();
        foreach (var target in targets)
            target.Surrogate.Dispose();
    }

    /// <summary>A bound of a batch whose first rows may have latents of their own.</summary>
    internal static Tensor Bound(IConditionalLikelihood model, Tensor images, Tensor conditions, Tensor? latents, Tensor divergenceWeights, RandomStream random)
    {
        var noise = model.DrawNoise(images.Size(0), random);
        return latents is null
            ? model.NegativeElbo(images, conditions, noise)
            : ((ILatentGenerator)model).NegativeElbo(images, conditions, noise, latents, divergenceWeights);
    }

    private (double Forget, double Replay, double Ewc) MoveAll()
    {
        var (surrogates, latents) = forgetting.Draw(random);
        var (replayed, replayConditions) = DrawReplay();
        var bound = Bound(model, Tensor.Cat([surrogates, replayed]), Tensor.Cat([forgetting.Conditions, replayConditions]), latents, divergenceWeights, random); // (B)
        var gradients = Autograd.Grad([(bound * weights).Sum()], parameters);
        using var noGrad = Autograd.NoGrad();
        var forget = bound.Narrow(0, 0, options.ForgetBatch).Mean().Item();
        var replay = bound.Narrow(0, options.ForgetBatch, options.ReplayBatch).Mean().Item();
        var ewc = Consolidation();
        DirectGradient.AddPull(gradients, options.Lambda, fisher, parameters, anchors);
        if (options.ClipNorm > 0)
            GradientClipping.ByNorm(gradients, options.ClipNorm);
        optimizer.LearningRate = schedule.At(Step - options.ColumnSteps + 1);
        MoveOwnColumnsFaster(() => optimizer.Step(gradients));
        average?.Update();
        return (forget, replay, ewc);
    }

    private (Tensor Images, Tensor Conditions) DrawReplay()
    {
        if (pool is not null)
            return pool.Draw(options.ReplayBatch, random);
        var all = Tensor.FromArray(retained.Select(condition => (long)condition).ToArray(), retained.Count).To(random.Device);
        var conditions = all.IndexSelect(0, Tensor.RandInt(0, retained.Count, [options.ReplayBatch], random));
        return (frozen.Sample(conditions, random), conditions);
    }

    private double Consolidation()
    {
        Tensor[] parts = [.. parameters.Select((parameter, k) => (parameter - anchors[k]).Square().Mul(fisher[k]).Sum())];
        return options.Lambda / 2 * Tensor.Stack(parts).Sum().Item();
    }

    // Adam's update of a column that only the forgotten condition reads, scaled; the update of every other weight as it is.
    private void MoveOwnColumnsFaster(Action step)
    {
        if (options.OwnColumnRate == 1)
        {
            step();
            return;
        }
        Tensor[] columns = [.. OwnColumnStage.Columns(model, targets).Select(own => own.Column)];
        Tensor[] before = [.. columns.Select(column => column.Clone())];
        step();
        for (var k = 0; k < columns.Length; k++)
            columns[k].CopyInPlace(before[k].Lerp(columns[k], options.OwnColumnRate));
    }

    private T Averaged<T>(Func<T> read)
    {
        average?.Swap();
        try
        {
            return read();
        }
        finally
        {
            average?.Swap();
        }
    }

    private static void Check(IConditionalLikelihood model, IConditionalLikelihood frozen, IReadOnlyList<ForgetTarget> targets, IReadOnlyList<int> retained, SelectiveAmnesiaOptions options)
    {
        if (ReferenceEquals(model, frozen))
            throw new ArgumentException("The model that is changed cannot give the replay: read it twice.", nameof(frozen));
        if (targets.Count == 0)
            throw new UsageException("There is nothing to forget: name at least one concept.");
        if (retained.Count == 0)
            throw new UsageException("There is nothing to retain: at least one condition must stay.");
        if (options.ForgetBatch < targets.Count)
            throw new UsageException($"method.forget_batch is {options.ForgetBatch}, too few for {targets.Count} concepts: each needs at least one image a step.");
        foreach (var condition in targets.Select(target => target.Condition).Concat(retained))
            if (condition < 0 || condition >= model.Conditions)
                throw new UsageException($"Condition {condition} does not exist; the model has 0 to {model.Conditions - 1}.");
        if (targets.GroupBy(target => target.Condition).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new UsageException($"Condition {twice.Key} is to be forgotten twice; name it once.");
        if (targets.FirstOrDefault(target => retained.Contains(target.Condition)) is { } both)
            throw new UsageException($"Condition {both.Condition} is to be forgotten and retained; leave it out of one of the two.");
        if (options.ColumnSteps > 0 && targets.FirstOrDefault(target => model.OwnColumns(target.Condition).Count == 0) is { } shared)
            throw new UsageException($"method.column_steps is {options.ColumnSteps}, but this model has no weights that condition {shared.Condition} alone reads; set it to 0.");
    }
}
