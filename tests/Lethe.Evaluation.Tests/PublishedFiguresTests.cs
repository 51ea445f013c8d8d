using Lethe.Evaluation.Judging;
using Lethe.Evaluation.Likelihood;
using Lethe.Evaluation.Weights;
using Lethe.Formats;
using Lethe.Models.Generative;
using Lethe.Torch;

namespace Lethe.Evaluation.Tests;

/// <summary>The figures that the published code gives for its own models (models/selective_amnesia_mnist/README.md), measured here.</summary>
public sealed class PublishedFiguresTests
{
    private const string Folder = "selective_amnesia_mnist";

    /// <summary>1,000 samples of the digit 0 from seed 0, as there: probability, entropy and share to the last printed digit.</summary>
    [SharedTorchFact]
    public void The_judge_reads_samples_of_zero_as_published()
    {
        foreach (var (file, probability, entropy, share) in new[] { ("vae", 0.9644, 0.1124, 0.984), ("vae_forgot_0", 0.0868, 2.1729, 0.004) })
        {
            using var model = ConditionalVae.FromState(Read(file));
            using var random = new RandomStream(0);
            var readings = new JudgeReadings(10, 10);
            readings.Read(0, model.Sample(Tensor.Zeros([1_000], DType.Int64), random), Judge());
            Assert.Equal(probability, readings.ProbabilityOfAsked([0]).Value, tolerance: 2e-4);
            Assert.Equal(entropy, readings.MeanEntropy([0]).Value, tolerance: 2e-4);
            Assert.Equal(share, readings.ShareJudgedAsAsked([0]).Value, tolerance: 1.5e-3);
        }
    }

    [SharedTorchFact]
    public void Real_zeros_cost_what_is_published()
    {
        var pixels = Tensor.From(IdxFile.Read(SharedData.Path("data", "mnist", "t10k-images-idx3-ubyte.gz")));
        var digits = Tensor.From(IdxFile.Read(SharedData.Path("data", "mnist", "t10k-labels-idx1-ubyte.gz"))).To(DType.Int64);
        var zeros = pixels.IndexSelect(0, digits.Eq(0).Nonzero().Flatten()).To(DType.Float32).Reshape(-1, 784) / 255;
        var labels = Tensor.Zeros([zeros.Size(0)], DType.Int64);
        using var noise = new RandomStream(1);
        NegativeElbo Of(string file)
        {
            using var model = ConditionalVae.FromState(Read(file));
            return NegativeElbo.Measure(model, zeros, labels, noise);
        }
        NegativeElbo before = Of("vae"), after = Of("vae_forgot_0");
        Assert.Equal(980, before.Of().N);
        Assert.Equal(104.97, before.Of().Value, tolerance: 0.5); // published from one draw an image
        Assert.Equal(543.93, after.Of().Value, tolerance: 0.5);
        var change = NegativeElbo.Change(before, after, better: Better.Higher);
        Assert.Equal(after.Of().Value - before.Of().Value, change.Value, 9);
    }

    /// <summary>Forgetting moved what the penalty allowed: every tensor, none beyond its own size, and Σ F Δ² stayed far below the 439 nats that were lost on the digit.</summary>
    [SharedTorchFact]
    public void Forgetting_moved_every_tensor_within_its_penalty()
    {
        var moves = TensorMovement.Compare(Read("vae"), Read("vae_forgot_0"), Read("fisher"));
        Assert.Equal(14, moves.Count);
        Assert.All(moves, move => Assert.InRange(move.Relative, 1e-4, 1.1));
        Assert.InRange(moves.Sum(move => move.FisherWeighted!.Value), 1, 20);
    }

    private static IReadOnlyDictionary<string, HostArray> Read(string name)
    {
        using var file = SafetensorsFile.Open(SharedData.Path("models", Folder, name + ".safetensors"));
        return file.ReadAll();
    }

    /// <summary>The published judge, layer by layer as its README tells.</summary>
    private static Func<Tensor, Tensor> Judge()
    {
        var p = Read("judge").ToDictionary(entry => entry.Key, entry => Tensor.From(entry.Value));
        Tensor Block(Tensor x, int n) => x.Conv2d(p[$"conv{n}.weight"], p[$"conv{n}.bias"])
            .BatchNorm(p[$"bn{n}.weight"], p[$"bn{n}.bias"], p[$"bn{n}.running_mean"], p[$"bn{n}.running_var"], training: false, momentum: 0.1, epsilon: 1e-5)
            .MaxPool2d(2).Relu();
        return x => Block(Block(x.Reshape(-1, 1, 28, 28), 1), 2).Flatten(1)
            .Linear(p["fc1.weight"], p["fc1.bias"]).Relu().Linear(p["fc2.weight"], p["fc2.bias"]).LogSoftmax(1);
    }
}
