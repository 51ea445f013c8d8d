using System.Globalization;
using System.Text.Json;
using Lethe.Evaluation.Judging;
using Lethe.Evaluation.Likelihood;
using Lethe.Evaluation.Statistics;
using Lethe.Models.Generative;
using Lethe.Torch;

namespace Lethe.Evaluation.Attacks;

/// <summary>Options of <see cref="Relearning"/>.</summary>
public sealed record RelearningOptions
{
    /// <summary>Most steps, at least 1. The published VAE that forgot the digit 0 (λ = 100) is back after 150 with these defaults.</summary>
    public long Steps { get; init; } = 1_000;

    /// <summary>Adam's learning rate, above 0; 1e-4 is what the published code trains with (Selective Amnesia, vae/train_cvae.py).</summary>
    public double LearningRate { get; init; } = 1e-4;

    /// <summary>Images a step, at least 1, drawn with replacement; 256 is what the published code trains with.</summary>
    public int Batch { get; init; } = 256;

    /// <summary>
    /// Steps after which the model is measured, ascending; the last step always is. Steps to the return are known to this grid only, so that
    /// it is dense where things happen: about four points a decade.
    /// </summary>
    public IReadOnlyList<long> MeasureAt { get; init; } = [0, 1, 2, 3, 5, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750, 1_000];

    /// <summary>Share of samples judged as the class from which on it counts as back, above 0 and at most 1; 0.5 is "as often as not".</summary>
    public double Threshold { get; init; } = 0.5;

    /// <summary>Whether the attack ends at the first measurement that finds the class back.</summary>
    public bool StopWhenBack { get; init; } = true;

    /// <summary>Samples judged at each measurement, at least 1; 1,000 give a standard error of at most 1.6 points.</summary>
    public int Samples { get; init; } = 1_000;

    /// <summary>Draws for each held-out image at each measurement, at least 1. Fewer than for a headline figure: a curve shows changes of hundreds of nats.</summary>
    public int Draws { get; init; } = 4;
}

/// <summary>One point of a relearning curve.</summary>
/// <param name="Step">Steps on real images of the class.</param>
/// <param name="Share">Share of samples judged as the class (Wilson's interval).</param>
/// <param name="NegativeElbo">−ELBO of held-out real images of the class, nats an image.</param>
public sealed record RelearningPoint(long Step, Measure Share, Measure NegativeElbo);

/// <summary>
/// The relearning attack: train a model on real images of the forgotten class and see how soon the class is back. What comes back faster
/// than in a control that never saw the class was hidden and not forgotten.
/// </summary>
/// <remarks>
/// Adam from fresh moments on all trained parameters, loss the mean −ELBO. Every measurement uses the same latent noise, so that curves of
/// two models attacked with the same stream differ by the models alone. The model is changed: attack a copy.
/// Read both columns of the curve. The judge's share says only that samples look like the class on average: an untrained network that learned
/// nothing but the mean zero passes it after 30 steps, with a −ELBO of 450 nats, where the forgotten model passes it later, at 133.
/// <see cref="ExplainedStep"/> says when real images are explained again.
/// </remarks>
public sealed class Relearning : ITrainingLoop, IDisposable
{
    private readonly IConditionalLikelihood model;
    private readonly int label;
    private readonly Tensor images, heldOut;
    private readonly Func<Tensor, Tensor> judge;
    private readonly RelearningOptions options;
    private readonly RandomStream random, batches, noise;
    private readonly Adam optimizer;
    private readonly List<RelearningPoint> curve = [];

    /// <summary>Prepares an attack.</summary>
    /// <param name="model">The model to attack; it is changed, and stays the caller's.</param>
    /// <param name="label">The forgotten condition, which is also the judge's class.</param>
    /// <param name="images">Real images of the class to train on, (N, …), N at least 1.</param>
    /// <param name="heldOut">Real images of the class that the model is measured on and never trained on, (M, …), M at least 1.</param>
    /// <param name="judge">Log-probabilities (B, C) of images (B, …); in evaluation mode.</param>
    /// <param name="random">On the model's device; named sub-streams are used, so that equal streams give equal attacks. It must outlive the loop.</param>
    /// <param name="options">How to attack.</param>
    /// <exception cref="UsageException">An option is out of its range.</exception>
    public Relearning(IConditionalLikelihood model, int label, Tensor images, Tensor heldOut, Func<Tensor, Tensor> judge, RandomStream random, RelearningOptions? options = null)
    {
        this.options = options ?? new RelearningOptions();
        Validate(this.options);
        if (label < 0 || label >= model.Conditions)
            throw new ArgumentOutOfRangeException(nameof(label), label, string.Create(CultureInfo.InvariantCulture, $"conditions count from 0 to {model.Conditions - 1}"));
        if (images.Size(0) == 0 || heldOut.Size(0) == 0)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{images.Size(0)} images to train on and {heldOut.Size(0)} held out; at least one of each is needed"));
        (this.model, this.label, this.images, this.heldOut, this.judge, this.random) = (model, label, images, heldOut, judge, random);
        batches = random.Child("relearning-batches");
        noise = random.Child("relearning-noise");
        optimizer = new Adam(model.TrainedParameters, this.options.LearningRate);
    }

    /// <inheritdoc/>
    public long Step { get; private set; }

    /// <inheritdoc/>
    public long TotalSteps => options.Steps;

    /// <inheritdoc/>
    public bool Finished => Step >= options.Steps || (options.StopWhenBack && ReturnStep is not null);

    /// <inheritdoc/>
    public string? StopReason => Finished && Step < options.Steps
        ? string.Create(CultureInfo.InvariantCulture, $"after {ReturnStep} steps, {curve[^1].Share.Value:P1} of the samples are judged as class {label} again")
        : null;

    /// <summary>What was measured so far, by ascending step. Points do not keep the values of single items.</summary>
    public IReadOnlyList<RelearningPoint> Curve => curve;

    /// <summary>The first measured step at which the class is back; null if it is not.</summary>
    public long? ReturnStep => curve.FirstOrDefault(point => point.Share.Value >= options.Threshold)?.Step;

    /// <summary>The first measured step at which held-out images cost at most this; null if they did not so far. Attack with <see cref="RelearningOptions.StopWhenBack"/> off to follow it to the end.</summary>
    /// <param name="nats">−ELBO, nats an image; for example what the model gave before it forgot, and a tenth more.</param>
    public long? ExplainedStep(double nats) => curve.FirstOrDefault(point => point.NegativeElbo.Value <= nats)?.Step;

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, double Value)> Advance()
    {
        if (Step == 0 && curve.Count == 0 && options.MeasureAt.Contains(0))
            MeasureNow();
        double loss;
        using (var scope = new TensorScope())
        {
            var x = images.IndexSelect(0, Tensor.RandInt(0, images.Size(0), [options.Batch], batches)); // (batch, …)
            var c = Tensor.Full([options.Batch], label, DType.Int64, x.Device);
            optimizer.ZeroGrad();
            var mean = model.NegativeElbo(x, c, model.DrawNoise(options.Batch, noise)).Mean();
            loss = mean.Item();
            if (!double.IsFinite(loss))
                throw new RunFailedException(string.Create(CultureInfo.InvariantCulture, $"The loss of relearning is {loss} at step {Step + 1}; lower its learning rate ({options.LearningRate})."));
            mean.Backward();
            optimizer.Step();
        }
        Step++;
        if (Step == options.Steps || options.MeasureAt.Contains(Step))
            MeasureNow();
        return [("loss", loss)];
    }

    /// <inheritdoc/>
    public void Save(StateWriter state)
    {
        state.Add("step", Step);
        state.Add("curve", JsonSerializer.Serialize(curve));
        foreach (var (name, tensor) in model.TrainedParameters)
            state.Add("model." + name, tensor.ToHost());
        optimizer.Save(state, "optimizer.");
        state.Add("random.batches", batches.State());
        state.Add("random.noise", noise.State());
    }

    /// <inheritdoc/>
    public void Load(StateReader state)
    {
        List<RelearningPoint> points;
        try
        {
            points = JsonSerializer.Deserialize<List<RelearningPoint>>(state.Text("curve"))!;
        }
        catch (JsonException error)
        {
            throw new BadInputException("The checkpoint's relearning curve cannot be read; start the run anew in an empty folder.", error);
        }
        using (var scope = new TensorScope())
        using (Autograd.NoGrad())
            foreach (var (name, tensor) in model.TrainedParameters)
                tensor.CopyInPlace(Tensor.From(state.Array("model." + name, tensor)));
        optimizer.Load(state, "optimizer.");
        batches.Restore(state.Array("random.batches"));
        noise.Restore(state.Array("random.noise"));
        curve.Clear();
        curve.AddRange(points);
        Step = state.Integer("step");
    }

    /// <summary>Frees the optimizer's state and the streams; the model stays.</summary>
    public void Dispose()
    {
        optimizer.ZeroGrad();
        optimizer.Dispose();
        batches.Dispose();
        noise.Dispose();
    }

    private void MeasureNow()
    {
        const int most = 1_000; // samples at once
        using var noGrad = Autograd.NoGrad();
        using var scope = new TensorScope();
        using var stream = random.Child("relearning-samples");
        var judgedAs = new List<bool>(options.Samples);
        for (var done = 0; done < options.Samples; done += most)
        {
            using var inner = new TensorScope();
            var conditions = Tensor.Full([Math.Min(most, options.Samples - done)], label, DType.Int64, images.Device);
            judgedAs.AddRange(judge(model.Sample(conditions, stream)).Argmax(1).ToArray<long>().Select(verdict => verdict == label));
        }
        var labels = Tensor.Full([heldOut.Size(0)], label, DType.Int64, heldOut.Device);
        var elbo = NegativeElbo.Measure(model, heldOut, labels, random, new NegativeElboOptions { Draws = options.Draws });
        curve.Add(new RelearningPoint(Step, Proportion.Share(judgedAs, Better.Lower) with { Items = null }, elbo.Of(better: Better.Higher) with { Items = null }));
    }

    private static void Validate(RelearningOptions options)
    {
        Check.Option(options.Steps >= 1, "steps of relearning", options.Steps, "at least 1");
        Check.Option(options.LearningRate > 0 && double.IsFinite(options.LearningRate), "learning rate of relearning", options.LearningRate, "above 0");
        Check.Option(options.Batch >= 1, "batch of relearning", options.Batch, "at least 1");
        Check.Option(options.Threshold is > 0 and <= 1, "threshold of relearning", options.Threshold, "above 0 and at most 1");
        Check.Option(options.Samples >= 1, "samples of relearning", options.Samples, "at least 1");
        Check.Option(options.Draws >= 1, "draws of relearning", options.Draws, "at least 1");
        for (var i = 0; i < options.MeasureAt.Count; i++)
            Check.Option(options.MeasureAt[i] >= (i == 0 ? 0 : options.MeasureAt[i - 1] + 1), "step at which relearning measures", options.MeasureAt[i], "0 or more, and above the one before");
    }
}
