using System.Globalization;
using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders.Training;

/// <summary>An autoencoder to train.</summary>
/// <param name="Name">Its name in metrics and folders; unlike all others.</param>
/// <param name="Site">Index of its site in the stream.</param>
/// <param name="Width">Latents.</param>
public sealed record SaeJob(string Name, int Site, long Width);

/// <summary>
/// Trains autoencoders on activations as they stream: any number of them, at any sites, on one pass through the model. Activations are mixed in a
/// <see cref="ShuffleBuffer"/> and scaled to a fixed mean norm that the first block gives; b_dec starts as that block's mean; Adam with warm-up and a falling end; decoders of unit
/// norm, their gradients projected.
/// </summary>
public sealed class SaeTraining : ITrainingLoop, IDisposable
{
    // Activations by which scale and first bias are set.
    private const long SampleRows = 16_384;

    private readonly IActivationStream stream;
    private readonly SaeTrainingOptions options;
    private readonly IReadOnlyList<SaeJob> jobs;
    private readonly ShuffleBuffer buffer;
    private readonly SaeTrainer[] trainers;
    private readonly Adam[] optimizers;
    private readonly double[] norms;
    private readonly LearningRateSchedule schedule;

    /// <summary>Prepares training; nothing is read yet.</summary>
    /// <param name="stream">The activations.</param>
    /// <param name="jobs">What is trained.</param>
    /// <param name="options">How.</param>
    /// <param name="seed">Decides initial directions and the order of activations.</param>
    /// <param name="device">Where it is computed.</param>
    /// <param name="filling">Told how far the shuffle buffer is filled: activations in it and all that it takes. It may throw to stop; the state is then that of before the step.</param>
    /// <exception cref="UsageException">Options do not fit together.</exception>
    public SaeTraining(IActivationStream stream, IReadOnlyList<SaeJob> jobs, SaeTrainingOptions options, ulong seed, Device? device = null, Action<long, long>? filling = null)
    {
        if (jobs.Count == 0 || jobs.DistinctBy(job => job.Name).Count() != jobs.Count)
            throw new UsageException($"{jobs.Count} autoencoders were asked for{(jobs.Count == 0 ? "; at least one is needed" : ", and two have one name: " + string.Join(", ", jobs.Select(job => job.Name)))}.");
        (this.stream, this.jobs, this.options) = (stream, jobs, options);
        buffer = new ShuffleBuffer(stream, options.Buffer, options.Batch, RandomStream.ChildSeed(seed, "buffer"), options.Storage == ActivationStorage.Bfloat16 ? DType.BFloat16 : DType.Float32, device, filling);
        trainers = [.. jobs.Select(job => MakeTrainer(job, seed, device))];
        optimizers = [.. trainers.Select(trainer => new Adam(trainer.Parameters, options.LearningRate))];
        norms = new double[jobs.Count];
        var falling = (long)(options.Steps * options.Decay);
        schedule = new TrapezoidRate(options.LearningRate, Math.Min(options.WarmUp, options.Steps), options.Steps - falling, options.Steps);
    }

    /// <inheritdoc/>
    public long Step { get; private set; }

    /// <inheritdoc/>
    public long TotalSteps => options.Steps;

    /// <inheritdoc/>
    public bool Finished => Step >= TotalSteps;

    /// <inheritdoc/>
    public string? StopReason => null;

    /// <inheritdoc/>
    public (string Unit, double PerStep)? Work => ("tokens", options.Batch);

    /// <inheritdoc/>
    /// <remarks>
    /// Where there are several autoencoders their mean "explained_variance" and all "dead" latents. Then measures of each, with its name and a dot before them where there are several: "loss", "explained_variance" and "active" (latents of an activation) of the
    /// batch, and "dead" (latents that were not active of late).
    /// </remarks>
    public IReadOnlyList<(string Name, double Value)> Advance()
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        if (Step == 0)
            Begin();
        var batches = buffer.Next();
        var values = new List<(string, double)>(4 * jobs.Count);
        var pressure = options.SparsityWarmUp == 0 ? 1 : Math.Min(1, (Step + 1.0) / options.SparsityWarmUp);
        for (var k = 0; k < jobs.Count; k++)
        {
            using var inner = new TensorScope();
            var (trainer, optimizer) = (trainers[k], optimizers[k]);
            var x = batches[jobs[k].Site] * trainer.Scale;
            var step = trainer.Step(x, pressure, options.DeadAfter);
            if (!double.IsFinite(step.Loss))
                throw new RunFailedException(string.Create(CultureInfo.InvariantCulture, $"The loss of autoencoder '{jobs[k].Name}' is {step.Loss} at step {Step}. Lower training.learning_rate, or look for damaged activations."));
            trainer.ProjectGradient(step.Gradients[1]);
            optimizer.LearningRate = schedule.At(Step + 1);
            optimizer.Step(step.Gradients);
            trainer.Normalise();
            var dead = trainer.Count(step.Active, x.Size(0), options.DeadAfter);
            var variation = (x - x.Mean(0L)).Square().Sum().Item();
            var prefix = jobs.Count == 1 ? "" : jobs[k].Name + ".";
            values.Add((prefix + "loss", step.Loss));
            values.Add((prefix + "explained_variance", variation > 0 ? 1 - step.Error / variation : 0));
            values.Add((prefix + "active", step.Active.Sum().Item() / x.Size(0)));
            values.Add((prefix + "dead", dead));
        }
        Step++;
        if (jobs.Count > 1)
            values.InsertRange(0, [("explained_variance", values.Where(value => value.Item1.EndsWith(".explained_variance", StringComparison.Ordinal)).Average(value => value.Item2)),
                ("dead", values.Where(value => value.Item1.EndsWith(".dead", StringComparison.Ordinal)).Sum(value => value.Item2))]);
        return values;
    }

    /// <summary>The autoencoders as they are now, in the order of the jobs; the caller frees them.</summary>
    public IReadOnlyList<SparseAutoencoder> Export() => [.. jobs.Index().Select(job => trainers[job.Index].Export(new SparseAutoencoderConfiguration
    {
        Architecture = "",
        InputSize = trainers[job.Index].Inputs,
        Width = job.Item.Width,
        Site = stream.Sites[job.Item.Site].Site,
        Model = stream.Model,
        ContextSize = stream.ContextSize,
        ActivationNorm = norms[job.Index],
        Training = new Dictionary<string, string> { ["tokens"] = (Step * options.Batch).ToString(CultureInfo.InvariantCulture), ["sparsity"] = options.Sparsity.ToString() },
    }))];

    /// <inheritdoc/>
    public void Save(StateWriter state)
    {
        state.Add("step", Step);
        buffer.Save(state, "buffer.");
        for (var k = 0; k < jobs.Count; k++)
        {
            var (trainer, prefix) = (trainers[k], jobs[k].Name + ".");
            state.Add(prefix + "scale", trainer.Scale);
            state.Add(prefix + "norm", norms[k]);
            state.Add(prefix + "since_active", trainer.SinceActive.ToHost());
            foreach (var (name, tensor) in trainer.Parameters)
                state.Add(prefix + "parameters." + name, tensor.ToHost());
            trainer.Save(state, prefix);
            optimizers[k].Save(state, prefix + "optimizer.");
        }
    }

    /// <inheritdoc/>
    public void Load(StateReader state)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        for (var k = 0; k < jobs.Count; k++)
        {
            var (trainer, prefix) = (trainers[k], jobs[k].Name + ".");
            trainer.Scale = state.Real(prefix + "scale");
            norms[k] = state.Real(prefix + "norm");
            trainer.SinceActive.CopyInPlace(Tensor.From(state.Array(prefix + "since_active", trainer.SinceActive)));
            foreach (var (name, tensor) in trainer.Parameters)
                tensor.CopyInPlace(Tensor.From(state.Array(prefix + "parameters." + name, tensor)));
            trainer.Load(state, prefix);
            optimizers[k].Load(state, prefix + "optimizer.");
        }
        Step = state.Integer("step");
        buffer.Load(state, "buffer.");
    }

    /// <summary>Frees everything but the stream.</summary>
    public void Dispose()
    {
        buffer.Dispose();
        foreach (var optimizer in optimizers)
            optimizer.Dispose();
        foreach (var trainer in trainers)
            trainer.Dispose();
    }

    private SaeTrainer MakeTrainer(SaeJob job, ulong seed, Device? device)
    {
        using var random = new RandomStream(RandomStream.ChildSeed(seed, "directions " + job.Name), device);
        var inputs = stream.Sites[job.Site].Size;
        return options.Sparsity switch
        {
            TopKOptions topK => new TopKTrainer(inputs, job.Width, topK, random),
            ReluOptions relu => new ReluTrainer(inputs, job.Width, relu, random),
            JumpReluOptions jump => new JumpReluTrainer(inputs, job.Width, jump, random),
            GatedOptions gated => new GatedTrainer(inputs, job.Width, gated, random),
            _ => throw new UsageException($"{options.Sparsity.GetType().Name} is no kind of sparsity."),
        };
    }

    private void Begin()
    {
        var samples = buffer.Sample(SampleRows);
        for (var k = 0; k < jobs.Count; k++)
        {
            using var scope = new TensorScope();
            var x = samples[jobs[k].Site];
            norms[k] = x.Norm(2, [1]).Mean().Item();
            if (!double.IsFinite(norms[k]) || norms[k] == 0)
                throw new RunFailedException(string.Create(CultureInfo.InvariantCulture, $"Activations of {stream.Sites[jobs[k].Site].Site} have a mean norm of {norms[k]}; there is nothing to learn from."));
            trainers[k].Scale = trainers[k].TargetNorm / norms[k];
            trainers[k].DecoderBias.CopyInPlace(x.Mean(0L) * trainers[k].Scale);
        }
    }
}

/// <summary>Up in a straight line, level, and down to 0 in a straight line.</summary>
/// <param name="Rate">The rate on the level.</param>
/// <param name="WarmUp">Steps of the rise.</param>
/// <param name="FallsAt">First step of the fall.</param>
/// <param name="Steps">Steps in all.</param>
internal sealed record TrapezoidRate(double Rate, long WarmUp, long FallsAt, long Steps) : LearningRateSchedule
{
    /// <inheritdoc/>
    public override double At(long step) => Rate * Math.Min(1,
        Math.Min(WarmUp == 0 ? 1 : (double)step / WarmUp, step <= FallsAt || Steps == FallsAt ? 1 : Math.Max(0, (double)(Steps + 1 - step) / (Steps + 1 - FallsAt))));
}
