using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Lethe.Models.Generative;
using Lethe.Torch;

namespace Lethe.Models.Classifiers;

/// <summary>How a judge is trained.</summary>
public sealed record ClassifierTrainingOptions
{
    /// <summary>Passes over the images.</summary>
    [Description("Passes over the images; 20 in the paper's code, of which the first few bring nearly all of the accuracy")]
    [Range(1, 1000)]
    public int Epochs { get; init; } = 3;

    /// <summary>Images in a step.</summary>
    [Description("Images in a step; 64 in the paper's code")]
    [Range(2, 65_536)]
    public int Batch { get; init; } = 64;

    /// <summary>Adam's largest learning rate.</summary>
    [Description("Adam's largest learning rate; a cosine takes it to 0")]
    [Range(1e-9, 1)]
    public double LearningRate { get; init; } = 1e-3;
}

/// <summary>Trains a judge on labelled images: cross-entropy, Adam, a cosine.</summary>
public sealed class ClassifierTraining : ITrainingLoop, IDisposable
{
    private readonly JudgeClassifier judge;
    private readonly ImageTensors data;
    private readonly ClassifierTrainingOptions options;
    private readonly EpochOrder order;
    private readonly RandomStream dropout;
    private readonly Adam optimizer;

    /// <summary>Prepares training.</summary>
    /// <param name="judge">Changed; in training mode.</param>
    /// <param name="data">What it learns from.</param>
    /// <param name="options">How.</param>
    /// <param name="dropout">The stream that the judge draws dropout from: part of the saved state.</param>
    /// <param name="seed">Decides the order of the images.</param>
    public ClassifierTraining(JudgeClassifier judge, ImageTensors data, ClassifierTrainingOptions options, RandomStream dropout, ulong seed)
    {
        if (data.Count < options.Batch)
            throw new BadInputException($"There are {data.Count} images to train the judge on, fewer than one batch of {options.Batch}.");
        this.judge = judge;
        this.data = data;
        this.options = options;
        this.dropout = dropout;
        order = new EpochOrder(data.Count, options.Batch, RandomStream.ChildSeed(seed, "order"));
        optimizer = new Adam(judge.NamedParameters(), options.LearningRate);
    }

    /// <inheritdoc/>
    public long Step { get; private set; }

    /// <inheritdoc/>
    public long TotalSteps => data.Count / options.Batch * options.Epochs;

    /// <inheritdoc/>
    public bool Finished => Step >= TotalSteps;

    /// <inheritdoc/>
    public string? StopReason => null;

    /// <inheritdoc/>
    /// <remarks>Measures "loss", the batch's mean cross-entropy in nats.</remarks>
    public IReadOnlyList<(string Name, double Value)> Advance()
    {
        using var scope = new TensorScope();
        var (images, labels) = data.Batch(order.At(Step));
        var loss = judge.Forward(images).NllLoss(labels);
        var gradients = Autograd.Grad([loss], optimizer.Parameters);
        var value = loss.Item();
        if (!double.IsFinite(value))
            throw new RunFailedException($"The judge's loss is {value} at step {Step}. Lower judge.training.learning_rate, or look for damaged images.");
        optimizer.LearningRate = new CosineRate(options.LearningRate, TotalSteps).At(Step);
        optimizer.Step(gradients);
        Step++;
        return [("loss", value)];
    }

    /// <inheritdoc/>
    public void Save(StateWriter state)
    {
        state.Add("step", Step);
        state.Add("dropout", dropout.State());
        foreach (var (name, array) in judge.StateDict())
            state.Add("judge." + name, array);
        optimizer.Save(state, "optimizer.");
    }

    /// <inheritdoc/>
    public void Load(StateReader state)
    {
        judge.LoadStateDict(judge.StateDict().Keys.ToDictionary(name => name, name => state.Array("judge." + name)));
        optimizer.Load(state, "optimizer.");
        dropout.Restore(state.Array("dropout"));
        Step = state.Integer("step");
    }

    /// <summary>Frees everything but judge and data.</summary>
    public void Dispose()
    {
        order.Dispose();
        optimizer.Dispose();
    }
}
