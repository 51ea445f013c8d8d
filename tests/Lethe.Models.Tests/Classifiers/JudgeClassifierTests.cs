using Lethe.Formats;
using Lethe.Models.Classifiers;
using Lethe.Torch;

namespace Lethe.Models.Tests.Classifiers;

public class JudgeClassifierTests
{
    [TorchFact]
    public void Names_and_shapes_are_those_of_the_published_checkpoint()
    {
        using var random = new RandomStream(0);
        using var judge = new JudgeClassifier(10, random);
        Assert.Equal(
            ["bn1.bias [10]", "bn1.num_batches_tracked []", "bn1.running_mean [10]", "bn1.running_var [10]", "bn1.weight [10]",
             "bn2.bias [20]", "bn2.num_batches_tracked []", "bn2.running_mean [20]", "bn2.running_var [20]", "bn2.weight [20]",
             "conv1.bias [10]", "conv1.weight [10, 1, 5, 5]", "conv2.bias [20]", "conv2.weight [20, 10, 5, 5]",
             "fc1.bias [50]", "fc1.weight [50, 320]", "fc2.bias [10]", "fc2.weight [10, 50]"],
            judge.StateDict().Select(entry => $"{entry.Key} [{string.Join(", ", entry.Value.Shape)}]").Order(StringComparer.Ordinal));
    }

    [SharedTorchFact]
    public void The_published_judge_is_as_accurate_as_published()
    {
        using var file = SafetensorsFile.Open(SharedData.Path("models", "selective_amnesia_mnist", "judge.safetensors"));
        using var judge = JudgeClassifier.FromState(file.ReadAll());
        using var noGrad = Autograd.NoGrad();
        var test = DatasetFiles.Find("mnist", SharedData.Path("data", "mnist")).Load(DatasetPart.Test);
        var images = Tensor.From(test.Images).Reshape(-1, 784).To(DType.Float32) / 255;
        var labels = test.Labels;
        var right = 0L;
        for (var start = 0L; start < 10_000; start += 1000)
        {
            using var scope = new TensorScope();
            right += (long)judge.Forward(images.Narrow(0, start, 1000)).Argmax(1).Eq(Tensor.From(labels).Narrow(0, start, 1000)).To(DType.Int64).Sum().Item();
        }
        Assert.Equal(9719, right);
    }

    [TorchFact]
    public void A_forward_pass_is_features_and_then_a_layer_and_rows_sum_to_one()
    {
        using var random = new RandomStream(1);
        using var judge = new JudgeClassifier(10, random);
        judge.Eval();
        var images = Tensor.Rand([3, 1, 28, 28], random);
        var features = judge.Features(images);
        Assert.Equal([3L, 50], features.Shape.ToArray());
        Assert.Equal(judge.Forward(images.Reshape(3, 784)).ToArray<float>(), judge.Classify(features).ToArray<float>());
        Assert.All(judge.Forward(images).Exp().Sum(1).ToArray<float>(), sum => Assert.Equal(1, sum, tolerance: 1e-5));
    }

    [TorchFact]
    public void What_a_hostile_file_claims_is_refused_before_anything_is_allocated()
    {
        using var random = new RandomStream(1);
        using var judge = new JudgeClassifier(10, random);
        var state = judge.StateDict().ToDictionary();
        HostArray Empty(params long[] shape) => new(DType.Float32, shape, ReadOnlyMemory<byte>.Empty);
        foreach (var shape in new long[][] { [0, 50], [long.MaxValue, 0], [1L << 40, 50], [10, 51], [10] })
        {
            state["fc2.weight"] = Empty(shape);
            Assert.Contains("'fc2.weight'", Assert.Throws<BadInputException>(() => JudgeClassifier.FromState(state)).Message, StringComparison.Ordinal);
        }
    }
}
