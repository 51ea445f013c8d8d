using Lethe.Torch;

namespace Lethe.Models.Classifiers;

/// <summary>
/// The judge of the paper's code (clear-nus/selective-amnesia, vae/train_classifier.py) for 28 × 28 grey images: two convolutions (10 and 20
/// channels, 5 × 5, batch norm), 2 × 2 max pooling, 2-D dropout, a layer of 50 and one of the classes. Parameters are named as there.
/// </summary>
public sealed class JudgeClassifier : Module
{
    /// <summary>Most classes.</summary>
    public const int MostClasses = 4096;

    private const int Side = 28;
    private const int Width = 50; // of the layer before the last
    private readonly Conv2d conv1, conv2;
    private readonly BatchNorm2d bn1, bn2;
    private readonly Dropout2d dropConvolution;
    private readonly Dropout drop;
    private readonly Linear fc1, fc2;

    /// <summary>A judge with PyTorch's initial values.</summary>
    /// <param name="classes">Number of classes, 1 to <see cref="MostClasses"/>.</param>
    /// <param name="random">Where initial values and dropout come from; must outlive the judge while it trains.</param>
    public JudgeClassifier(int classes, RandomStream random)
    {
        Classes = classes;
        conv1 = Part("conv1", new Conv2d(1, 10, 5, random));
        bn1 = Part("bn1", new BatchNorm2d(10, device: random.Device));
        conv2 = Part("conv2", new Conv2d(10, 20, 5, random));
        bn2 = Part("bn2", new BatchNorm2d(20, device: random.Device));
        fc1 = Part("fc1", new Linear(320, Width, random));
        fc2 = Part("fc2", new Linear(Width, classes, random));
        // One half each, as PyTorch's defaults that the paper's code takes.
        dropConvolution = Part("drop_convolution", new Dropout2d(0.5, random));
        drop = Part("drop", new Dropout(0.5, random));
    }

    /// <summary>Number of classes.</summary>
    public int Classes { get; }

    /// <summary>A judge with the tensors of a checkpoint, in evaluation mode.</summary>
    /// <exception cref="BadInputException">A tensor is missing, left over, or of another shape.</exception>
    public static JudgeClassifier FromState(IReadOnlyDictionary<string, HostArray> state, Device? device = null)
    {
        if (!state.TryGetValue("fc2.weight", out var last) || last.Shape is not [> 0 and <= MostClasses, Width])
            throw new BadInputException($"The checkpoint is no judge: it has no matrix 'fc2.weight' of [classes, {Width}], 1 to {MostClasses} classes.");
        using var scope = new TensorScope();
        using var random = new RandomStream(0, device);
        var judge = new JudgeClassifier((int)last.Shape[0], random);
        try
        {
            // Some writers keep the count of batches as a vector of one.
            judge.LoadStateDict(state.ToDictionary(entry => entry.Key, entry => entry.Key.EndsWith("num_batches_tracked", StringComparison.Ordinal) && entry.Value.Count == 1 ? entry.Value with { Shape = [] } : entry.Value));
        }
        catch (BadInputException)
        {
            judge.Dispose();
            throw;
        }
        judge.Eval();
        return judge;
    }

    /// <summary>Log-probabilities (B, classes) of images (B, 784) or (B, 1, 28, 28), values in [0, 1].</summary>
    public Tensor Forward(Tensor images) => Classify(Features(images));

    /// <summary>Log-probabilities (B, classes) of what <see cref="Features"/> gave.</summary>
    public Tensor Classify(Tensor features) => fc2.Forward(drop.Forward(features)).LogSoftmax(1);

    /// <summary>The layer before the last, (B, 50): the space in which Fréchet distance, precision and recall are measured.</summary>
    public Tensor Features(Tensor images)
    {
        var x = images.Reshape(-1, 1, Side, Side);
        x = bn1.Forward(conv1.Forward(x)).MaxPool2d(2).Relu(); // (B, 10, 12, 12)
        x = dropConvolution.Forward(bn2.Forward(conv2.Forward(x))).MaxPool2d(2).Relu(); // (B, 20, 4, 4)
        return fc1.Forward(x.Flatten(1)).Relu();
    }
}
