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
/// and before Adam's moments. Replay comes from a pool that is made once.
/// </remarks>
public sealed class SelectiveAmnesia : ITrainingLoop, IDisposable
{
    private readonly IConditionalLikelihood model;
    private readonly IConditionalLikelihood frozen;
    private readonly IReadOnlyList<ForgetTarget> targets;
    private readonly IReadOnlyList<int> retained;
    private readonly SelectiveAmnesiaOptions options;
    private readonly Func<ForgettingReading, string?>? stop;
    private readonly Tensor[] parameters;
    private readonly Tensor[] anchors;
    private readonly Tensor[] fisher;
    private readonly Tensor weights; // (B): 1/forget batch, then γ/replay batch
    private readonly Tensor forgetConditions; // (forget batch)
    private readonly SamplePool? pool;
    private readonly Validation? validation;
    private readonly RandomStream random;
    private readonly Adam optimizer;
    private readonly Ema? average;

    /// <summary>Prepares forgetting; makes the replay pool and the validation samples.</summary>
    /// <param name="model">The model to change; holds θ* now.</param>
    /// <param name="frozen">The model as it was; gives the replay. May not be <paramref name="model"/>.</param>
    /// <param name="fisher">Fisher information at θ*.</param>
    /// <param name="targets">What to forget; at least one.</param>
    /// <param name="retained">Conditions that must stay.</param>
    /// <param name="options">How.</param>
    /// <param name="seed">Decides all randomness.</param>
    /// <param name="stop">Reads the validation samples and returns why to stop, or null to go on.</param>
    /// <exception cref="UsageException">A condition is forgotten twice, forgotten and retained, or not there.</exception>
    public SelectiveAmnesia(
        IConditionalLikelihood model, IConditionalLikelihood frozen, FisherInformation fisher, IReadOnlyList<ForgetTarget> targets,
        IReadOnlyList<int> retained, SelectiveAmnesiaOptions options, ulong seed, Func<ForgettingReading, string?>? stop = null)
    {
        Check(model, targets, retained);
        this.model = model;
        this.frozen = frozen;
        this.targets = targets;
        this.retained = retained;
        this.options = options;
        this.stop = stop;
        parameters = [.. model.TrainedParameters.Select(entry => entry.Tensor)];
        var device = parameters[0].Device;
        var type = parameters[0].DType;
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        anchors = [.. parameters.Select(parameter => TensorScope.Detach(parameter.Detach().Clone()))];
        this.fisher = [.. fisher.Diagonal(retained, [.. targets.Select(target => target.Condition)], options.Strength, model.TrainedParameters).Select(TensorScope.Detach)];
        weights = TensorScope.Detach(Tensor.Cat([
            Tensor.Full([options.ForgetBatch], 1.0 / options.ForgetBatch, type, device),
            Tensor.Full([options.ReplayBatch], options.Gamma / options.ReplayBatch, type, device)]));
        forgetConditions = TensorScope.Detach(Tensor.FromArray(
            targets.SelectMany((target, k) => Enumerable.Repeat((long)target.Condition, ShareOf(k))).ToArray()).To(device));
        using var replay = new RandomStream(RandomStream.ChildSeed(seed, "replay"), device);
        if (options.ReplayPool > 0)
            pool = Detach(SamplePool.Generate(frozen, retained, options.ReplayPool, replay));
        random = new RandomStream(RandomStream.ChildSeed(seed, "forget"), device);
        optimizer = new Adam(model.TrainedParameters, options.LearningRate);
        average = options.Average > 0 ? new Ema(model.TrainedParameters, options.Average) : null;
        if (options.CheckEvery > 0)
            validation = new Validation(frozen, targets, retained, options.ValidationSamples, seed);
    }

    /// <inheritdoc/>
    public long Step { get; private set; }

    /// <inheritdoc/>
    public long TotalSteps => options.Steps;

    /// <inheritdoc/>
    public bool Finished => StopReason is not null || Step >= TotalSteps;

    /// <inheritdoc/>
    public string? StopReason { get; private set; }

    /// <summary>What the validation samples said, in order.</summary>
    public IReadOnlyList<ForgettingReading> Readings => validation?.Readings ?? [];

    /// <inheritdoc/>
    /// <remarks>Measures "loss", "forget" and "replay" in nats an image, and "ewc", the value of (λ/2) Σ F (θ − θ*)².</remarks>
    public IReadOnlyList<(string Name, double Value)> Advance()
    {
        using var scope = new TensorScope();
        Tensor[] surrogates = [.. targets.Select((target, k) => target.Surrogate.Draw(ShareOf(k), random))];
        var (replayed, replayConditions) = DrawReplay();
        var images = Tensor.Cat([.. surrogates, replayed]);
        var conditions = Tensor.Cat([forgetConditions, replayConditions]);
        var bound = model.NegativeElbo(images, conditions, model.DrawNoise(images.Size(0), random)); // (B)
        var gradients = Autograd.Grad([(bound * weights).Sum()], parameters);
        double forget, replay, ewc;
        using (Autograd.NoGrad())
        {
            forget = bound.Narrow(0, 0, options.ForgetBatch).Mean().Item();
            replay = bound.Narrow(0, options.ForgetBatch, options.ReplayBatch).Mean().Item();
            ewc = Consolidation();
            if (!double.IsFinite(forget + replay + ewc))
                throw new RunFailedException($"Forgetting became not finite at step {Step}: forget {forget}, replay {replay}, ewc {ewc}. Lower method.learning_rate or method.lambda.");
            DirectGradient.AddPull(gradients, options.Lambda, fisher, parameters, anchors);
            if (options.ClipNorm > 0)
                GradientClipping.ByNorm(gradients, options.ClipNorm);
            MoveOwnColumnsFaster(() => optimizer.Step(gradients));
            average?.Update();
        }
        Step++;
        if (validation is not null && Step % options.CheckEvery == 0)
            StopReason = Averaged(() => stop?.Invoke(validation.Read(model, Step)));
        return [("loss", forget + options.Gamma * replay + ewc), ("forget", forget), ("replay", replay), ("ewc", ewc)];
    }

    /// <summary>Puts the result into the model: the averaged weights, if there is an average. Call once, when finished.</summary>
    public void Finish()
    {
        if (average is { Swapped: false })
            average.Swap();
    }

    /// <inheritdoc/>
    public void Save(StateWriter state)
    {
        state.Add("step", Step);
        state.Add("stop_reason", StopReason ?? "");
        state.Add("random", random.State());
        foreach (var (name, tensor) in model.TrainedParameters)
            state.Add("parameters." + name, tensor.ToHost());
        optimizer.Save(state, "optimizer.");
        average?.Save(state, "average.");
        validation?.Save(state);
    }

    /// <inheritdoc/>
    public void Load(StateReader state)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        foreach (var (name, tensor) in model.TrainedParameters)
            tensor.CopyInPlace(Tensor.From(state.Array("parameters." + name)));
        optimizer.Load(state, "optimizer.");
        average?.Load(state, "average.");
        validation?.Load(state);
        random.Restore(state.Array("random"));
        StopReason = state.Text("stop_reason") is { Length: > 0 } reason ? reason : null;
        Step = state.Integer("step");
    }

    /// <summary>Frees everything but the models.</summary>
    public void Dispose()
    {
        foreach (var tensor in anchors.Concat(fisher).Append(weights).Append(forgetConditions))
            tensor.Dispose();
        pool?.Dispose();
        validation?.Dispose();
        random.Dispose();
        optimizer.Dispose();
        average?.Dispose();
        foreach (var target in targets)
            target.Surrogate.Dispose();
    }

    private static void Check(IConditionalLikelihood model, IReadOnlyList<ForgetTarget> targets, IReadOnlyList<int> retained)
    {
        if (targets.Count == 0)
            throw new UsageException("There is nothing to forget: name at least one concept.");
        if (retained.Count == 0)
            throw new UsageException("There is nothing to retain: at least one condition must stay.");
        foreach (var condition in targets.Select(target => target.Condition).Concat(retained))
            if (condition < 0 || condition >= model.Conditions)
                throw new UsageException($"Condition {condition} does not exist; the model has 0 to {model.Conditions - 1}.");
        if (targets.GroupBy(target => target.Condition).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new UsageException($"Condition {twice.Key} is to be forgotten twice; name it once.");
        foreach (var target in targets)
            if (retained.Contains(target.Condition))
                throw new UsageException($"Condition {target.Condition} is to be forgotten and retained; leave it out of one of the two.");
    }

    // The batch is shared evenly; the remainder goes to the first concepts.
    private int ShareOf(int target) => options.ForgetBatch / targets.Count + (target < options.ForgetBatch % targets.Count ? 1 : 0);

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
        using var scope = new TensorScope();
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
        using var scope = new TensorScope();
        var columns = targets.SelectMany(target => model.OwnColumns(target.Condition))
            .Select(own => model.TrainedParameters.First(entry => entry.Name == own.Parameter).Tensor.Detach().Select(1, own.Column)).ToArray();
        var before = columns.Select(column => column.Clone()).ToArray();
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

    private static SamplePool Detach(SamplePool pool)
    {
        TensorScope.Detach(pool.Images);
        TensorScope.Detach(pool.Conditions);
        return pool;
    }

    /// <summary>Surrogates and replayed images set aside, with noise of their own: the same at every reading.</summary>
    private sealed class Validation : IDisposable
    {
        private readonly (Tensor Images, Tensor Conditions, Tensor[] Noise)[] sets; // concepts, then replay
        private readonly List<ForgettingReading> readings = [];
        private readonly double before;

        public Validation(IConditionalLikelihood frozen, IReadOnlyList<ForgetTarget> targets, IReadOnlyList<int> retained, long n, ulong seed)
        {
            var device = frozen.TrainedParameters[0].Tensor.Device;
            using var random = new RandomStream(RandomStream.ChildSeed(seed, "validation"), device);
            using var scope = new TensorScope();
            var replay = SamplePool.Generate(frozen, retained, n, random);
            sets = [
                .. targets.Select(target => (target.Surrogate.Draw(n, random), Tensor.Full([n], target.Condition, DType.Int64, device), frozen.DrawNoise(n, random))),
                (replay.Images, replay.Conditions, frozen.DrawNoise(n, random))];
            foreach (var tensor in sets.SelectMany(Tensors))
                TensorScope.Detach(tensor);
            before = Mean(frozen, sets[^1]);
        }

        public IReadOnlyList<ForgettingReading> Readings => readings;

        public ForgettingReading Read(IConditionalLikelihood model, long step)
        {
            var reading = new ForgettingReading(step, [.. sets.SkipLast(1).Select(set => Mean(model, set))], Mean(model, sets[^1]), before);
            readings.Add(reading);
            return reading;
        }

        public void Save(StateWriter state) =>
            state.Add("readings", System.Text.Json.JsonSerializer.Serialize(readings));

        public void Load(StateReader state)
        {
            readings.Clear();
            readings.AddRange(System.Text.Json.JsonSerializer.Deserialize<List<ForgettingReading>>(state.Text("readings")) ?? []);
        }

        public void Dispose()
        {
            foreach (var tensor in sets.SelectMany(Tensors))
                tensor.Dispose();
        }

        private static double Mean(IConditionalLikelihood model, (Tensor Images, Tensor Conditions, Tensor[] Noise) set)
        {
            using var scope = new TensorScope();
            using var noGrad = Autograd.NoGrad();
            return model.NegativeElbo(set.Images, set.Conditions, set.Noise).Mean().Item();
        }

        private static IEnumerable<Tensor> Tensors((Tensor Images, Tensor Conditions, Tensor[] Noise) set) => [set.Images, set.Conditions, .. set.Noise];
    }
}
