using Lethe.Models.Classifiers;
using Lethe.Models.Generative;
using Lethe.Torch;

namespace Lethe.Models.Tests.Classifiers;

public class ClassifierTrainingTests
{
    private static readonly ClassifierTrainingOptions Options = new() { Epochs = 2, Batch = 8, LearningRate = 1e-2 };

    // Dropout is drawn at every step, so that a stream which began anew would show.
    [TorchFact]
    public void Training_resumed_from_a_checkpoint_equals_training_undisturbed_bit_for_bit()
    {
        using var data = Data(41);
        byte[] Train(int interruptAt)
        {
            var state = new StateWriter();
            using (var random = new RandomStream(5))
            using (var judge = new JudgeClassifier(3, random))
            using (var training = new ClassifierTraining(judge, data, Options, random, 6))
            {
                while (training.Step < interruptAt)
                    training.Advance();
                training.Save(state);
            }
            using var other = new RandomStream(99);
            using var resumed = new JudgeClassifier(3, other);
            using var rest = new ClassifierTraining(resumed, data, Options, other, 6);
            rest.Load(new StateReader(state.Tensors, state.Values));
            Assert.Equal(10, rest.TotalSteps);
            while (!rest.Finished)
                rest.Advance();
            return [.. resumed.StateDict().OrderBy(entry => entry.Key, StringComparer.Ordinal).SelectMany(entry => entry.Value.Bytes.ToArray())];
        }
        var undisturbed = Train(0);
        Assert.Equal(undisturbed, Train(4));
        Assert.Equal(undisturbed, Train(10));
    }

    [TorchFact]
    public void It_learns_to_tell_bars_apart()
    {
        using var data = Data(120);
        using var random = new RandomStream(5);
        using var judge = new JudgeClassifier(3, random);
        using var training = new ClassifierTraining(judge, data, Options with { Epochs = 4 }, random, 6);
        while (!training.Finished)
            training.Advance();
        judge.Eval();
        var (images, labels) = data.Batch(Tensor.Arange(0, 120));
        using var noGrad = Autograd.NoGrad();
        Assert.True(judge.Forward(images).Argmax(1).Eq(labels).To(DType.Float32).Mean().Item() > 0.95);
    }

    [TorchFact]
    public void Fewer_images_than_a_batch_are_refused()
    {
        using var data = Data(7);
        using var random = new RandomStream(5);
        using var judge = new JudgeClassifier(3, random);
        Assert.Contains("7 images", Assert.Throws<BadInputException>(() => new ClassifierTraining(judge, data, Options, random, 6)).Message, StringComparison.Ordinal);
    }

    // Class c is a bright bar.
    private static ImageTensors Data(int count)
    {
        var (images, labels) = (new byte[count * 784], new byte[count]);
        new Random(1).NextBytes(images);
        for (var i = 0; i < count; i++)
        {
            labels[i] = (byte)(i % 3);
            images.AsSpan((i * 784) + (labels[i] * 200), 150).Fill(255);
        }
        return ImageTensors.From(new HostArray(DType.UInt8, [count, 28, 28], images), new HostArray(DType.UInt8, [count], labels));
    }
}
