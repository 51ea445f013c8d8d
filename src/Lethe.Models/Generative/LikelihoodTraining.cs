using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Lethe.Torch;

namespace Lethe.Models.Generative;

/// <summary>How a generator is trained on its bound.</summary>
public sealed record LikelihoodTrainingOptions
{
    /// <summary>Steps.</summary>
    [Description("Training steps")]
    [Range(1, 100_000_000)]
    public long Steps { get; init; } = 20_000;

    /// <summary>Images in a step.</summary>
    [Description("Images in a step; 256 in the paper's code")]
    [Range(1, 65_536)]
    public int Batch { get; init; } = 128;

    /// <summary>Adam's largest learning rate.</summary>
    [Description("Adam's largest learning rate, reached after the warm-up; a cosine takes it to 0 at the last step")]
    [Range(1e-9, 1)]
    public double LearningRate { get; init; } = 2e-3;

    /// <summary>Steps of linear warm-up.</summary>
    [Description("Steps over which the learning rate rises from 0")]
    [Range(0, 10_000_000)]
    public long WarmUp { get; init; } = 1000;

    /// <summary>Decay of the running average of the weights that becomes the result; 0 takes the last weights.</summary>
    [Description("Decay of the running average of the weights that becomes the result; 0 takes the last weights")]
    [Range(0, 0.999999)]
    public double Average { get; init; } = 0.999;
}

/// <summary>Images in bytes and their labels, as training and measuring take them.</summary>
/// <param name="Images">(N, pixels), uint8.</param>
/// <param name="Labels">(N), int64.</param>
public sealed record ImageTensors(Tensor Images, Tensor Labels) : IDisposable
{
    /// <summary>Number of images.</summary>
    public long Count => Labels.Size(0);

    /// <summary>From arrays as data files hold them: (N, height, width) or (N, pixels) bytes, and (N) labels.</summary>
    public static ImageTensors From(HostArray images, HostArray labels)
    {
        using var scope = new TensorScope();
        return new ImageTensors(
            TensorScope.Detach(Tensor.From(images).Reshape(images.Shape[0], -1)), TensorScope.Detach(Tensor.From(labels).To(DType.Int64)));
    }

    /// <summary>Values in [0, 1] of the images at the given indexes, and their labels.</summary>
    public (Tensor Images, Tensor Labels) Batch(Tensor indexes, DType type = DType.Float32)
    {
        using var scope = new TensorScope();
        return (scope.Keep(Images.IndexSelect(0, indexes).To(type) / 255), scope.Keep(Labels.IndexSelect(0, indexes)));
    }

    /// <summary>The images of some labels alone.</summary>
    public ImageTensors Only(Func<long, bool> wanted)
    {
        using var scope = new TensorScope();
        var labels = Labels.ToArray<long>();
        var indexes = Tensor.FromArray(Enumerable.Range(0, labels.Length).Where(k => wanted(labels[k])).Select(k => (long)k).ToArray());
        return new ImageTensors(TensorScope.Detach(Images.IndexSelect(0, indexes)), TensorScope.Detach(Labels.IndexSelect(0, indexes)));
    }

    /// <summary>Frees both.</summary>
    public void Dispose()
    {
        Images.Dispose();
        Labels.Dispose();
    }
}

/// <summary>
/// Indexes of batches, each image once an epoch, in an order that depends on seed and step alone: resuming needs no state. The last
/// images of an epoch that fill no batch are left out, other ones in every epoch.
/// </summary>
public sealed class EpochOrder(long count, int batch, ulong seed) : IDisposable
{
    private readonly long perEpoch = Math.Max(1, count / batch);
    private Tensor? order;
    private long epoch = -1;

    /// <summary>Indexes of the images of a step, (batch); the caller's scope owns them.</summary>
    public Tensor At(long step)
    {
        if (step / perEpoch != epoch)
        {
            epoch = step / perEpoch;
            order?.Dispose();
            using var random = new RandomStream(RandomStream.ChildSeed(seed, $"epoch {epoch}"));
            order = TensorScope.Detach(Tensor.RandPerm(count, random));
        }
        return order!.Narrow(0, step % perEpoch * batch, Math.Min(batch, count)).Clone();
    }

    /// <summary>Frees the order.</summary>
    public void Dispose() => order?.Dispose();
}

/// <summary>Trains a generator: minimises the mean −ELBO of labelled images with Adam, warm-up, a cosine and averaged weights.</summary>
public sealed class LikelihoodTraining : ITrainingLoop, IDisposable
{
    private readonly IConditionalLikelihood model;
    private readonly ImageTensors data;
    private readonly LikelihoodTrainingOptions options;
    private readonly EpochOrder order;
    private readonly RandomStream random;
    private readonly Adam optimizer;
    private readonly Ema? average;
    private readonly LearningRateSchedule schedule;
    private readonly Tensor[] parameters;

    /// <summary>Prepares training; nothing is computed yet.</summary>
    public LikelihoodTraining(IConditionalLikelihood model, ImageTensors data, LikelihoodTrainingOptions options, ulong seed)
    {
        if (data.Count == 0)
            throw new BadInputException("There is no image to train on: the labels left out take all of them.");
        this.model = model;
        this.data = data;
        this.options = options;
        order = new EpochOrder(data.Count, options.Batch, RandomStream.ChildSeed(seed, "order"));
        random = new RandomStream(RandomStream.ChildSeed(seed, "training"), model.TrainedParameters[0].Tensor.Device);
        optimizer = new Adam(model.TrainedParameters, options.LearningRate);
        average = options.Average > 0 ? new Ema(model.TrainedParameters, options.Average, warmUp: true) : null;
        schedule = new CosineRate(options.LearningRate, Math.Max(1, options.Steps - options.WarmUp)).AfterWarmUp(options.WarmUp);
        parameters = [.. model.TrainedParameters.Select(entry => entry.Tensor)];
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
    /// <remarks>Measures "loss", the batch's mean −ELBO in nats an image.</remarks>
    public IReadOnlyList<(string Name, double Value)> Advance()
    {
        using var scope = new TensorScope();
        var (images, labels) = data.Batch(order.At(Step), parameters[0].DType);
        var loss = model.NegativeElbo(images, labels, model.DrawNoise(images.Size(0), random)).Mean();
        var gradients = Autograd.Grad([loss], parameters);
        var value = loss.Item();
        if (!double.IsFinite(value))
            throw new RunFailedException($"The training loss is {value} at step {Step}. Lower training.learning_rate, or look for damaged images.");
        using var noGrad = Autograd.NoGrad();
        optimizer.LearningRate = schedule.At(Step + 1);
        optimizer.Step(gradients);
        average?.Update();
        Step++;
        return [("loss", value)];
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
        state.Add("random", random.State());
        foreach (var (name, tensor) in model.TrainedParameters)
            state.Add("parameters." + name, tensor.ToHost());
        optimizer.Save(state, "optimizer.");
        average?.Save(state, "average.");
    }

    /// <inheritdoc/>
    public void Load(StateReader state)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        foreach (var (name, tensor) in model.TrainedParameters)
            tensor.CopyInPlace(Tensor.From(state.Array("parameters." + name, tensor)));
        optimizer.Load(state, "optimizer.");
        average?.Load(state, "average.");
        random.Restore(state.Array("random"));
        Step = state.Integer("step");
    }

    /// <summary>Frees everything but model and data.</summary>
    public void Dispose()
    {
        order.Dispose();
        random.Dispose();
        optimizer.Dispose();
        average?.Dispose();
    }
}
