using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.Language.Training;
using Lethe.Torch;
using Lethe.Unlearning.Language;

namespace Lethe.Unlearning.Tests.Language;

public sealed class WholeModelUnlearningTests
{
    private const string Down = "model.layers.1.mlp.down_proj.weight";

    [TorchTheory]
    [InlineData("llama", "grad_ascent")]
    [InlineData("llama", "grad_diff")]
    [InlineData("llama", "npo")]
    [InlineData("llama", "npo_retain")]
    [InlineData("llama", "simnpo")]
    [InlineData("gemma2", "grad_ascent")]
    [InlineData("gemma2", "grad_diff")]
    [InlineData("gemma2", "npo")]
    [InlineData("gemma2", "npo_retain")]
    [InlineData("gemma2", "simnpo")]
    public void Losses_and_gradients_are_those_of_PyTorch(string name, string method)
    {
        WholeModelOptions options = method switch
        {
            "grad_ascent" => new GradientAscentOptions(),
            "grad_diff" => new GradientDifferenceOptions(),
            "npo" => new NegativePreferenceOptions { RetainWeight = 0 },
            "npo_retain" => new NegativePreferenceOptions(),
            _ => new SimpleNegativePreferenceOptions { Gamma = 0.125, RetainWeight = 0 },
        };
        using var checkpoint = LanguageBench.Checkpoint(name);
        var (forget, retain) = (Batch(name, "forget"), Batch(name, "retain"));
        IReadOnlyDictionary<TextBatch, double[]>? reference = null;
        if (options.NeedsReference)
        {
            using var other = ReferenceModel(name);
            using var frozen = other.Checkpoint.Load();
            reference = WholeModelUnlearning.Reference(frozen, forget);
        }
        // Trained with the head and without: the two ways in which the gradient reaches the layers.
        foreach (var trainable in new[] { "*", Down })
        {
            using var model = checkpoint.Load();
            using var loop = new WholeModelUnlearning(model, forget, retain, options with { Trainable = [trainable] }, seed: 1, references: reference);
            var measured = loop.Advance().Values();
            // SimNPO's loss of such a model is nearly 0, e^−score: what counts is its relative error, and there the score's enters whole.
            var value = LanguageBench.Golden(name, $"loss.{method}").Item();
            Assert.Equal(value, measured["loss"], method == "simnpo" ? 1e-3 * value : 1e-4);
            var gradient = model.NamedParameters().Single(entry => entry.Name == Down).Tensor.Grad!;
            var expected = LanguageBench.Golden(name, $"loss.{method}.grad");
            var largest = expected.Abs().Max().Item();
            Assert.True(largest > 0 && LanguageBench.Difference(expected, gradient) is var difference && difference < (method == "simnpo" ? 1e-3 : 1e-4) * largest, $"{trainable}: {LanguageBench.Difference(expected, gradient)} of {largest}");
        }
    }

    [TorchFact]
    public void Losses_by_row_are_the_loss_whatever_the_pieces()
    {
        using var model = LanguageBench.Model();
        var rows = LanguageBench.Texts(1, 4, options: new() { Rows = 4 }).At(0).TokenRows();
        var (nats, asked) = NextTokenLoss.MeasureRows(model, rows, mostLogits: 40 * 5);
        var (sum, count) = NextTokenLoss.Measure(model, rows);
        Assert.Equal((sum, count), (nats.Sum(), asked.Sum()), (x, y) => Math.Abs(x.Item1 - y.Item1) < 1e-3 && x.Item2 == y.Item2);
        Assert.All(asked, one => Assert.True(one >= 2));
    }

    [TorchFact]
    public void Slopes_of_rows_give_the_gradient_that_autograd_gives()
    {
        foreach (var head in new[] { true, false })
        {
            using var model = LanguageBench.Model(DType.Float64);
            foreach (var (name, tensor) in model.NamedParameters())
                tensor.RequiresGrad = head || LayerWeights.LayerOf(name) is not null;
            var rows = LanguageBench.Texts(1, 3).At(0).TokenRows();
            // L = Σ nats², whose slope is 2 nats.
            NextTokenLoss.Backward(model, rows, (nats, _) => [.. nats.Select(one => 2 * one)], mostLogits: 40 * 4);
            Tensor[] trained = [.. model.Parameters().Where(parameter => parameter.RequiresGrad)];
            var losses = model.Logits(Tensor.FromArray(rows.Ids, rows.Rows, rows.Length)).View(-1, 40).LogSoftmax(-1);
            Tensor? whole = null;
            for (var row = 0; row < rows.Rows; row++)
            {
                var places = Enumerable.Range(row * rows.Length, rows.Length).Where(k => rows.Targets[k] >= 0).ToArray();
                var square = losses.IndexSelect(0, Tensor.FromArray(places.Select(k => (long)k).ToArray())).NllLoss(Tensor.FromArray(places.Select(k => rows.Targets[k]).ToArray()), Reduction.Sum).Square();
                whole = whole is null ? square : whole + square;
            }
            foreach (var (expected, parameter) in Autograd.Grad([whole!], trained).Zip(trained))
                Assert.Equal(0, LanguageBench.Difference(expected, parameter.Grad!), 1e-8);
        }
    }

    [TorchFact]
    public void Negative_preference_becomes_gradient_ascent_as_beta_goes_to_0()
    {
        var (nats, reference, asked) = (new[] { 5.0, 9 }, new[] { 4.0, 9.5 }, new long[] { 2, 3 });
        var loss = new NegativePreferenceOptions { Beta = 1e-6 }.Forget(nats, asked, reference);
        // −mean of the row sums, up to a constant: slopes of −1/rows each.
        Assert.All(loss.Slopes, slope => Assert.Equal(-0.5, slope, 1e-5));
        // Bounded: a row that is forgotten pulls no more.
        Assert.Equal(0, new NegativePreferenceOptions().Forget([1e4, 1e4], asked, reference).Slopes[0], 1e-10);
        Assert.Equal(0, new NegativePreferenceOptions().Forget([1e4, 1e4], asked, reference).Value, 1e-10);
    }

    [TorchFact]
    public void Slopes_are_those_of_the_values()
    {
        foreach (WholeModelOptions options in new WholeModelOptions[] { new GradientAscentOptions(), new NegativePreferenceOptions { Beta = 0.7 }, new SimpleNegativePreferenceOptions { Gamma = 0.3 }, new TaskVectorNegationOptions() })
        {
            var (nats, reference, asked) = (new[] { 5.0, 9, 2 }, new[] { 4.0, 9.5, 3 }, new long[] { 2, 3, 1 });
            var slopes = options.Forget(nats, asked, reference).Slopes;
            for (var row = 0; row < 3; row++)
            {
                double At(double by) => options.Forget([.. nats.Select((one, k) => k == row ? one + by : one)], asked, reference).Value;
                Assert.Equal((At(1e-5) - At(-1e-5)) / 2e-5, slopes[row], 1e-8);
            }
        }
    }

    [TorchFact]
    public void Each_method_moves_the_likelihood_the_way_it_should()
    {
        var (forget, retain) = (LanguageBench.Texts(1, 6), LanguageBench.Texts(2, 6));
        foreach (WholeModelOptions options in new WholeModelOptions[] { new GradientAscentOptions(), new GradientDifferenceOptions(), new NegativePreferenceOptions(), new SimpleNegativePreferenceOptions { Beta = 0.5 }, new TaskVectorNegationOptions { Scale = 0.5 } })
        {
            using var model = LanguageBench.Model();
            double Nats(TextBatches texts) => texts.Batches.Sum(batch => NextTokenLoss.MeasureRows(model, batch.TokenRows()).Nats.Sum());
            var before = Nats(forget);
            using var loop = new WholeModelUnlearning(model, forget, retain, options with { Steps = 5, LearningRate = 3e-3, Trainable = ["*.mlp.*"] }, seed: 1);
            LanguageBench.Finish(loop);
            loop.Finish();
            Assert.True(Nats(forget) > before + 1, options.GetType().Name);
        }
    }

    [TorchFact]
    public void Only_the_chosen_parameters_change_and_resuming_is_exact()
    {
        var options = new NegativePreferenceOptions { Steps = 6, LearningRate = 1e-2, Trainable = ["*.mlp.up_proj.*", "*.2.self_attn.*"], Rank = 2 };
        var (forget, retain) = (LanguageBench.Texts(1, 6, options: new() { Rows = 3, Seed = 1 }), LanguageBench.Texts(2, 9, options: new() { Rows = 3, Seed = 1 }));
        using var model = LanguageBench.Model();
        var before = model.StateDict();
        using var loop = new WholeModelUnlearning(model, forget, retain, options, seed: 1);
        for (var step = 0; step < 3; step++)
            loop.Advance();
        var (tensors, values) = LanguageBench.Saved(loop);
        LanguageBench.Finish(loop);
        loop.Finish();
        var changed = loop.Changed();
        Assert.Equal(8, changed.Count);
        foreach (var (name, after) in model.StateDict())
            Assert.Equal(!changed.ContainsKey(name), before[name].Bytes.Span.SequenceEqual(after.Bytes.Span));

        using var fresh = LanguageBench.Model();
        using var resumed = new WholeModelUnlearning(fresh, forget, retain, options, seed: 1);
        resumed.Load(new StateReader(tensors, values));
        LanguageBench.Finish(resumed);
        Assert.True(LanguageBench.SameBits(changed, resumed.Changed()));
    }

    [TorchFact]
    public void A_task_vector_is_subtracted()
    {
        using var original = LanguageBench.Checkpoint("llama");
        using var folder = ReferenceModel("llama");
        var tuned = folder.Checkpoint.Weights;
        var changed = TaskVectorNegation.Negate(original.Weights, tuned, 0.5);
        foreach (var name in original.Weights.Names)
        {
            var (before, after) = (Tensor.From(original.Weights.Read(name)), Tensor.From(tuned.Read(name)));
            Assert.Equal(0, LanguageBench.Difference(before * 1.5 - after * 0.5, Tensor.From(changed[name])), 1e-6);
        }
        Assert.Equal([Down], TaskVectorNegation.Negate(original.Weights, tuned, 1, Down).Keys);
        Assert.Empty(TaskVectorNegation.Negate(original.Weights, original.Weights, 1));
        using var other = LanguageBench.Checkpoint("gemma2");
        Assert.Contains("not the same model", Assert.Throws<BadInputException>(() => TaskVectorNegation.Negate(other.Weights, tuned, 1)).Message);
    }

    [TorchFact]
    public void What_cannot_be_done_is_refused_in_a_sentence()
    {
        using var model = LanguageBench.Model();
        var texts = LanguageBench.Texts(1, 3);
        string Refused(WholeModelOptions options, TextBatches? retain = null) => Assert.Throws<UsageException>(() => new WholeModelUnlearning(model, texts, retain, options, 1)).Message;
        Assert.Contains("there is no retain text", Refused(new GradientDifferenceOptions()));
        Assert.Contains("fits 'nothing*'", Refused(new GradientAscentOptions { Trainable = ["nothing*"] }));
        Assert.Contains("on the right", Refused(new GradientDifferenceOptions(), LanguageBench.Texts(1, 3, options: new() { Padding = PaddingSide.Left })));
        using var checkpoint = LanguageBench.Checkpoint("llama");
        using var slice = checkpoint.Load(new LoadOptions { FromLayer = 1 });
        Assert.Contains("a slice is loaded", Assert.Throws<UsageException>(() => new WholeModelUnlearning(slice, texts, null, new GradientAscentOptions(), 1)).Message);
    }

    /// <summary>A fixture's batch of the baselines: prompts of 5 tokens, the last row shorter.</summary>
    private static TextBatches Batch(string model, string which)
    {
        var ids = LanguageBench.Golden(model, $"loss.{which}.input_ids");
        var (tokens, mask) = (ids.ToArray<long>(), LanguageBench.Golden(model, $"loss.{which}.attention_mask").ToArray<long>());
        var length = (int)ids.Size(1);
        return TextBatches.Of([.. Enumerable.Range(0, (int)ids.Size(0)).Select(row =>
            new TextRow([.. Enumerable.Range(row * length, length).Where(k => mask[k] != 0).Select(k => (int)tokens[k])], FirstTarget: 5))]);
    }

    private static ReferenceFolder ReferenceModel(string name)
    {
        var folder = Directory.CreateTempSubdirectory("lethe-test").FullName;
        File.Copy(Repository.Fixture("language", name, "config.json"), Path.Combine(folder, "config.json"));
        File.Copy(Repository.Fixture("unlearning", name + "_reference.safetensors"), Path.Combine(folder, "model.safetensors"));
        return new(LanguageCheckpoint.Open(folder), folder);
    }

    private sealed record ReferenceFolder(LanguageCheckpoint Checkpoint, string Folder) : IDisposable
    {
        public void Dispose()
        {
            Checkpoint.Dispose();
            Directory.Delete(Folder, recursive: true);
        }
    }
}
