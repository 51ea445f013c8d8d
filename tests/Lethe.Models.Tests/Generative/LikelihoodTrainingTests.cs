using Lethe.Formats;
using Lethe.Models.Generative;
using Lethe.Torch;

namespace Lethe.Models.Tests.Generative;

public class LikelihoodTrainingTests
{
    [TorchFact]
    public void Every_epoch_takes_each_image_once_in_an_order_of_its_own()
    {
        using var order = new EpochOrder(12, 4, 3);
        long[] Epoch(int epoch) => [.. Enumerable.Range(epoch * 3, 3).SelectMany(step => order.At(step).ToArray<long>())];
        var first = Epoch(0);
        Assert.Equal(Enumerable.Range(0, 12).Select(k => (long)k), first.Order());
        Assert.Equal(Enumerable.Range(0, 12).Select(k => (long)k), Epoch(1).Order());
        Assert.NotEqual(first, Epoch(1));
        // The order depends on nothing but seed and step: asked again after another epoch, or of a new object.
        Assert.Equal(first, Epoch(0));
        using var again = new EpochOrder(12, 4, 3);
        Assert.Equal(order.At(7).ToArray<long>(), again.At(7).ToArray<long>());
    }

    [TorchFact]
    public void What_fills_no_batch_is_left_out_other_images_in_every_epoch()
    {
        using var order = new EpochOrder(5, 2, 3);
        long[] Left(int epoch) => [.. Enumerable.Range(0, 5).Select(k => (long)k).Except([.. order.At(2 * epoch).ToArray<long>(), .. order.At((2 * epoch) + 1).ToArray<long>()])];
        var left = Enumerable.Range(0, 20).Select(Left).ToList();
        Assert.All(left, images => Assert.Single(images));
        Assert.True(left.Select(images => images[0]).Distinct().Count() > 2);
        using var small = new EpochOrder(3, 8, 3);
        Assert.Equal([0L, 1, 2], small.At(0).ToArray<long>().Order());
    }

    [TorchFact]
    public void The_loss_falls()
    {
        using var random = new RandomStream(1);
        using var model = new ConditionalVae(new ConditionalVaeOptions { Pixels = 12, Conditions = 3, Outer = 16, Inner = 8, Latent = 2 }, random);
        // Each label lights four pixels of its own: 12 pixels by chance cost 12 ln 2 = 8.3 nats, known ones nearly nothing.
        var images = new byte[60 * 12];
        for (var k = 0; k < 60; k++)
            images.AsSpan((k * 12) + (k % 3 * 4), 4).Fill(255);
        using var data = ImageTensors.From(new HostArray(DType.UInt8, [60, 12], images), Tensor.FromArray([.. Enumerable.Range(0, 60).Select(k => (long)k % 3)], 60).ToHost());
        using var training = new LikelihoodTraining(model, data, new LikelihoodTrainingOptions { Steps = 300, Batch = 20, WarmUp = 10, LearningRate = 2e-2, Average = 0.9 }, 4);
        var losses = new List<double>();
        while (!training.Finished)
            losses.Add(training.Advance()[0].Value);
        training.Finish();
        Assert.InRange(losses[0], 7, 12);
        Assert.True(losses[^1] < 1, $"{losses[^1]}");
        using var noGrad = Autograd.NoGrad();
        var (x, y) = data.Batch(Tensor.Arange(0, 60));
        Assert.True(model.NegativeElbo(x, y, model.DrawNoise(60, random)).Mean().Item() < 1, "the averaged weights know it too");
    }

    [TorchFact]
    public void Leaving_out_labels_leaves_the_rest()
    {
        using var data = ImageTensors.From(new HostArray(DType.UInt8, [4, 1], new byte[] { 10, 20, 30, 40 }), Tensor.FromArray([0L, 1, 2, 1], 4).ToHost());
        using var rest = data.Only(label => label != 1);
        Assert.Equal([10, 30], rest.Images.ToArray<byte>().Select(value => (int)value));
        Assert.Equal([0L, 2], rest.Labels.ToArray<long>());
        using var none = data.Only(_ => false);
        using var random = new RandomStream(1);
        using var model = new ConditionalVae(new ConditionalVaeOptions { Pixels = 1, Conditions = 3, Outer = 2, Inner = 2, Latent = 1 }, random);
        Assert.Throws<BadInputException>(() => new LikelihoodTraining(model, none, new LikelihoodTrainingOptions(), 1));
    }

    // What the peer's weights give by 16 draws over the whole test set: 96.84 nats.
    [SharedTorchFact]
    public void The_published_model_explains_the_test_set_as_published()
    {
        using var file = SafetensorsFile.Open(SharedData.Path("models", "selective_amnesia_mnist", "vae.safetensors"));
        using var model = ConditionalVae.FromState(file.ReadAll());
        var test = DatasetFiles.Find("mnist", SharedData.Path("data", "mnist")).Load(DatasetPart.Test);
        using var data = ImageTensors.From(test.Images, test.Labels);
        using var random = new RandomStream(1);
        using var noGrad = Autograd.NoGrad();
        var sum = 0.0;
        for (var start = 0; start < 10_000; start += 1000)
            for (var draw = 0; draw < 16; draw++)
            {
                using var scope = new TensorScope();
                var (images, labels) = data.Batch(Tensor.Arange(start, start + 1000));
                sum += model.NegativeElbo(images, labels, model.DrawNoise(1000, random)).To(DType.Float64).Sum().Item();
            }
        Assert.InRange(sum / 160_000, 96.79, 96.89);
    }
}
