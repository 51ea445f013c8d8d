using Lethe.Evaluation.Features;

namespace Lethe.Evaluation.Tests.Features;

/// <summary>What all distances between feature sets share: golden values, symmetry and invariance.</summary>
public sealed class FeatureMetricTests
{
    [Fact]
    public void All_metrics_equal_the_published_definitions()
    {
        var golden = Golden.Of("features");
        JudgeFeatures real = Golden.Features("a"), samples = Golden.Features("b");
        Golden.Close(golden.Number("frechet"), FrechetDistance.Between(real, samples).Value);
        Golden.Close(golden.Number("kid"), KernelDistance.Between(real, samples).Value);
        var near = Neighbourhoods.Between(real, samples);
        Golden.Close(golden.Number("precision"), near.Precision.Value);
        Golden.Close(golden.Number("recall"), near.Recall.Value);
        Golden.Close(golden.Number("density"), near.Density.Value);
        Golden.Close(golden.Number("coverage"), near.Coverage.Value);
    }

    [Fact]
    public void Distances_are_symmetric_and_precision_mirrors_recall()
    {
        JudgeFeatures a = Golden.Features("a"), b = Golden.Features("b");
        Golden.Close(FrechetDistance.Between(a, b).Value, FrechetDistance.Between(b, a).Value, 1e-10);
        Golden.Close(KernelDistance.Between(a, b).Value, KernelDistance.Between(b, a).Value, 1e-10);
        Golden.Close(KernelDistance.Between(a, b).StandardError!.Value, KernelDistance.Between(b, a).StandardError!.Value, 1e-10);
        Assert.Equal(Neighbourhoods.Between(a, b).Precision.Value, Neighbourhoods.Between(b, a).Recall.Value);
    }

    [Fact]
    public void The_order_of_images_does_not_matter()
    {
        JudgeFeatures a = Golden.Features("a"), b = Golden.Features("b");
        int[] order = [.. Enumerable.Range(0, a.Count).Select(i => (i * 7 + 3) % a.Count)];
        var shuffled = a.Select(order);
        Golden.Close(FrechetDistance.Between(a, b).Value, FrechetDistance.Between(shuffled, b).Value, 1e-10);
        Golden.Close(KernelDistance.Between(a, b).Value, KernelDistance.Between(shuffled, b).Value, 1e-10);
        Assert.Equal(Neighbourhoods.Between(a, b).Coverage.Value, Neighbourhoods.Between(shuffled, b).Coverage.Value);
    }

    [Fact]
    public void Turning_and_shifting_both_sets_changes_no_distance()
    {
        JudgeFeatures a = Golden.Features("a"), b = Golden.Features("b");
        Golden.Close(FrechetDistance.Between(a, b).Value, FrechetDistance.Between(Turn(a, 5), Turn(b, 5)).Value, 1e-9);
        Golden.Close(KernelDistance.Between(a, b).Value, KernelDistance.Between(Turn(a, 0), Turn(b, 0)).Value, 1e-9); // its kernel sees the origin
        var near = Neighbourhoods.Between(Turn(a, 5), Turn(b, 5));
        Assert.Equal(Neighbourhoods.Between(a, b).Density.Value, near.Density.Value);
        Assert.Equal(Neighbourhoods.Between(a, b).Recall.Value, near.Recall.Value);
    }

    [Fact]
    public void Sets_of_two_judges_are_refused()
    {
        JudgeFeatures a = JudgeFeatures.FromRows(new double[300], 3), b = JudgeFeatures.FromRows(new double[300], 4);
        foreach (var measure in new Action[] { () => FrechetDistance.Between(a, b), () => KernelDistance.Between(a, b), () => Neighbourhoods.Between(a, b) })
            Assert.Contains("3 features and samples 4", Assert.Throws<ArgumentException>(measure).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_feature_that_is_not_finite_is_named()
    {
        var error = Assert.Throws<Torch.RunFailedException>(() => JudgeFeatures.FromRows([1, 2, 3, double.PositiveInfinity], 2));
        Assert.Contains("Feature 1 of image 1", error.Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void Features_are_read_in_batches_and_joined()
    {
        using var random = new Torch.RandomStream(1);
        var images = Torch.Tensor.Rand([7, 4], random);
        var whole = JudgeFeatures.Read(x => x.Square().Narrow(1, 0, 3), images);
        var joined = JudgeFeatures.Join(JudgeFeatures.Read(x => x.Square().Narrow(1, 0, 3), images.Narrow(0, 0, 5), batch: 2), whole.Select([5, 6]));
        Assert.Equal((7, 3), (whole.Count, whole.Dimension));
        var pixels = images.ToArray<float>();
        for (var i = 0; i < 7; i++)
        {
            Assert.Equal(whole[i].ToArray(), joined[i].ToArray());
            Assert.Equal((double)pixels[4 * i + 2] * pixels[4 * i + 2], whole[i][2], 6);
        }
    }

    /// <summary>Reflects every row at the plane orthogonal to (1, 2, … d), then shifts it.</summary>
    private static JudgeFeatures Turn(JudgeFeatures set, double shift)
    {
        var d = set.Dimension;
        var axis = Enumerable.Range(1, d).Select(i => (double)i).ToArray();
        var norm = axis.Sum(x => x * x);
        var turned = new double[set.Count * d];
        for (var row = 0; row < set.Count; row++)
        {
            var along = 0.0;
            for (var i = 0; i < d; i++)
                along += set[row][i] * axis[i];
            for (var i = 0; i < d; i++)
                turned[row * d + i] = set[row][i] - 2 * along / norm * axis[i] + shift;
        }
        return JudgeFeatures.FromRows(turned, d);
    }
}
