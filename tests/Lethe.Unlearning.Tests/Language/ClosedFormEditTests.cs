using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.Language.Training;
using Lethe.Torch;
using Lethe.Unlearning.Language;
using Lethe.Unlearning.Language.Subspaces;

namespace Lethe.Unlearning.Tests.Language;

public sealed class ClosedFormEditTests
{
    [TorchFact]
    public void The_change_solves_the_normal_equations_and_nothing_near_is_better()
    {
        using var random = new RandomStream(1);
        Tensor Draw(params long[] shape) => Tensor.Randn(shape, random, DType.Float64);
        var (keys, changes, read) = (Draw(3, 6), Draw(3, 4), Draw(50, 6));
        var covariance = read.T().MatMul(read) / 50;
        var change = ClosedFormEdit.Solve(keys, changes, covariance, 0.5);
        Assert.Equal([4L, 6], change.Shape.ToArray());
        // ΔW (λ n C + Kᵀ K) = Rᵀ K, but for the ridge of 1e-6 of what is held.
        var left = change.MatMul(covariance * 1.5 + keys.T().MatMul(keys));
        Assert.Equal(0, LanguageBench.Difference(changes.T().MatMul(keys), left), 1e-5);
        double Cost(Tensor w) => (keys.MatMul(w.T()) - changes).Square().Sum().Item() + 1.5 * (w.MatMul(covariance) * w).Sum().Item();
        for (var k = 0; k < 5; k++)
            Assert.True(Cost(change + Draw(4, 6) * 1e-2) > Cost(change));
        // Nothing held: every key gets its value.
        Assert.Equal(0, LanguageBench.Difference(changes, keys.MatMul(ClosedFormEdit.Solve(keys, changes, covariance, 1e-9).T())), 1e-6);
    }

    [TorchTheory]
    [InlineData(ValueGoal.Unsay)]
    [InlineData(ValueGoal.Say)]
    public void Continuations_become_unlikely_or_likely_and_only_the_edited_matrices_change(ValueGoal goal)
    {
        using var model = LanguageBench.Model();
        var before = model.StateDict();
        var (forget, retain) = (Prompts(1), LanguageBench.Texts(2, 12));
        var nats = Nats(model, forget);
        using var found = Values(model, forget, Options with { Goal = goal });
        using var read = Read(model, Options, forget, retain);
        using var edit = new ClosedFormEdit(model, forget, found.Found, read, Options with { Goal = goal });
        Assert.Equal((forget.Count, 2), (found.TotalSteps, edit.TotalSteps));
        LanguageBench.Finish(edit);
        edit.Finish();
        Assert.True(goal == ValueGoal.Unsay ? Nats(model, forget) > nats + 1 : Nats(model, forget) < nats - 1, $"{nats} nats before, {Nats(model, forget)} after");
        Assert.Equal(["model.layers.1.mlp.down_proj.weight", "model.layers.2.mlp.down_proj.weight"], edit.Changed().Keys);
        foreach (var (name, after) in model.StateDict())
            Assert.Equal(!edit.Changed().ContainsKey(name), before[name].Bytes.Span.SequenceEqual(after.Bytes.Span));
    }

    [TorchTheory]
    [InlineData("llama")]
    [InlineData("gemma2")]
    [InlineData("gpt2")]
    public void The_residual_stream_comes_to_where_it_is_wanted(string name)
    {
        using var checkpoint = LanguageBench.Checkpoint(name);
        using var model = checkpoint.Load();
        // Few prompts and nearly nothing held, so that values can be reached; the layer is edited, then asked again how far it is.
        var options = Options with { EditedLayers = [1], RetainWeight = 1e-6, ValueClamp = 0.2 };
        var (forget, retain) = (Prompts(1), LanguageBench.Texts(2, 40));
        using var found = Values(model, forget, options);
        using var read = Read(model, options, forget, retain);
        using var edit = new ClosedFormEdit(model, forget, found.Found, read, options);
        var measured = LanguageBench.Finish(edit);
        var missing = 0.0;
        foreach (var (k, batch) in forget.Batches.Index())
        {
            using var noGrad = Autograd.NoGrad();
            var rows = batch.TokenRows();
            var hidden = model.Run(model.Embed(batch.Ids(Device.Cpu)), 0, 2);
            var wanted = found.Found[k];
            for (var row = 0; row < batch.Rows; row++)
            {
                var key = Enumerable.Range(0, rows.Length).First(t => rows.Targets[row * rows.Length + t] >= 0);
                var now = hidden.Select(0, row).Select(0, key);
                missing += (wanted.Select(0, row) - now).Norm().Item() / now.Norm().Item() / 4;
            }
        }
        // The norm behind Gemma-2's matrix bounds how long its answer can be, so that it is met in direction and not quite in length.
        Assert.True(missing < (name == "gemma2" ? 0.7 : 0.05) * measured[^1]["distance"], $"{missing} of {measured[^1]["distance"]}");
    }

    [TorchFact]
    public void Killed_and_resumed_it_ends_bit_for_bit_where_it_would_have()
    {
        var (forget, retain) = (Prompts(1), LanguageBench.Texts(2, 6));
        var options = Options with { Strength = 0.5 };
        using var untouched = LanguageBench.Model();
        using var read = Read(untouched, options, forget, retain);
        using var all = Values(untouched, forget, options);
        using var begun = new EditValues(untouched, forget, options);
        begun.Advance();
        var part = LanguageBench.Saved(begun);
        using var found = new EditValues(untouched, forget, options);
        found.Load(new StateReader(part.Tensors, part.Values));
        Assert.Equal(1, found.Step);
        while (!found.Finished)
            found.Advance();
        Assert.All(all.Found.Zip(found.Found), pair => Assert.Equal(0, LanguageBench.Difference(pair.First, pair.Second)));

        using var model = LanguageBench.Model();
        using var edit = new ClosedFormEdit(model, forget, found.Found, read, options);
        edit.Advance();
        var (tensors, values) = LanguageBench.Saved(edit);
        LanguageBench.Finish(edit);
        var half = edit.Changed();
        edit.Finish();
        Assert.True(LanguageBench.SameBits(half, edit.Changed()));
        using var fresh = LanguageBench.Model();
        using var resumed = new ClosedFormEdit(fresh, forget, found.Found, read, options);
        resumed.Load(new StateReader(tensors, values));
        LanguageBench.Finish(resumed);
        Assert.True(LanguageBench.SameBits(half, resumed.Changed()));
    }

    [TorchFact]
    public void Padding_and_neighbours_in_a_batch_change_no_value()
    {
        using var model = LanguageBench.Model();
        TextRow[] rows = [new([1, 2, 3, 4, 5], 3), new([9, 8, 7], 2), new([5, 6, 7, 8, 9, 10, 11], 3)];
        using var together = Values(model, TextBatches.Of(rows, new() { Rows = 3 }), Options);
        foreach (var (k, row) in rows.Index())
        {
            using var alone = Values(model, TextBatches.Of([row]), Options);
            Assert.InRange(LanguageBench.Difference(alone.Found[0], together.Found[0].Narrow(0, k, 1)), 0, 1e-4 * alone.Found[0].Abs().Max().Item());
        }
    }

    [TorchFact]
    public void What_cannot_be_edited_is_refused_in_a_sentence()
    {
        using var model = LanguageBench.Model();
        EditValues Over(TextBatches prompts, ClosedFormEditOptions? options = null) => new(model, prompts, options ?? Options);
        Assert.Contains("no prompt", Assert.Throws<BadInputException>(() => Over(LanguageBench.Texts(1, 3))).Message);
        Assert.Contains("no continuation", Assert.Throws<BadInputException>(() => Over(TextBatches.Of([new TextRow([1, 2, 3], 3)]))).Message);
        Assert.Contains("no layer 9", Assert.Throws<UsageException>(() => Over(Prompts(1), Options with { EditedLayers = [9] })).Message);
        using var checkpoint = LanguageBench.Checkpoint("llama");
        using var slice = checkpoint.Load(new LoadOptions { ToLayer = 2 });
        Assert.Contains("a slice is loaded", Assert.Throws<UsageException>(() => new EditValues(slice, Prompts(1), Options)).Message);
        using var read = Read(model, Options, Prompts(1), LanguageBench.Texts(1, 3));
        Assert.Contains("The values are those of 0 prompts; there are 4", Assert.Throws<UsageException>(() => new ClosedFormEdit(model, Prompts(1), [], read, Options)).Message);
    }

    private static EditValues Values(CausalLanguageModel model, TextBatches prompts, ClosedFormEditOptions options)
    {
        var values = new EditValues(model, prompts, options);
        while (!values.Finished)
            values.Advance();
        return values;
    }

    private static InputMoments Read(CausalLanguageModel model, ClosedFormEditOptions options, TextBatches forget, TextBatches retain)
    {
        using var cache = SliceCache.Of(model, new() { Weights = LayerWeights.Of(model.NamedParameters().Select(entry => entry.Name), options.EditedLayers, "mlp.last"), Reads = [options.EditedLayers.Max()] });
        return InputMoments.Read(cache, forget.Batches, [new InputText("retain", retain.Batches)]);
    }

    private static readonly ClosedFormEditOptions Options = new() { EditedLayers = [1, 2], ValueDecay = 0.01, RetainWeight = 0.1 };

    /// <summary>Four prompts of three tokens with a continuation of two.</summary>
    private static TextBatches Prompts(ulong seed)
    {
        var random = new SplitMix64(seed);
        return TextBatches.Of([.. Enumerable.Range(0, 4).Select(_ => new TextRow([.. Enumerable.Range(0, 5).Select(_ => (int)random.Below(40))], 3))], new() { Rows = 2 });
    }

    private static double Nats(CausalLanguageModel model, TextBatches texts) => texts.Batches.Sum(batch => NextTokenLoss.MeasureRows(model, batch.TokenRows()).Nats.Sum());
}
