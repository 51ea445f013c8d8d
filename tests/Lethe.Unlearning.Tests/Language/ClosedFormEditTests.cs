using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.Language.Training;
using Lethe.Torch;
using Lethe.Unlearning.Language;

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
        using var edit = new ClosedFormEdit(model, forget, retain, Options with { Goal = goal });
        Assert.Equal(forget.Count + 2, edit.TotalSteps);
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
        using var edit = new ClosedFormEdit(model, forget, retain, options);
        var measured = LanguageBench.Finish(edit);
        var state = LanguageBench.Saved(edit);
        var missing = 0.0;
        foreach (var (k, batch) in forget.Batches.Index())
        {
            using var noGrad = Autograd.NoGrad();
            var rows = batch.TokenRows();
            var hidden = model.Run(model.Embed(batch.Ids(Device.Cpu)), 0, 2);
            var wanted = Tensor.From(state.Tensors[$"values.{k}"]);
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
        foreach (var kill in new[] { 1, forget.Count + 1 })
        {
            using var model = LanguageBench.Model();
            using var edit = new ClosedFormEdit(model, forget, retain, Options with { Strength = 0.5 });
            for (var step = 0; step < kill; step++)
                edit.Advance();
            var (tensors, values) = LanguageBench.Saved(edit);
            LanguageBench.Finish(edit);
            var half = edit.Changed();
            edit.Finish();
            Assert.True(LanguageBench.SameBits(half, edit.Changed()));
            using var fresh = LanguageBench.Model();
            using var resumed = new ClosedFormEdit(fresh, forget, retain, Options with { Strength = 0.5 });
            resumed.Load(new StateReader(tensors, values));
            LanguageBench.Finish(resumed);
            Assert.True(LanguageBench.SameBits(half, resumed.Changed()));
        }
    }

    [TorchFact]
    public void What_cannot_be_edited_is_refused_in_a_sentence()
    {
        using var model = LanguageBench.Model();
        var texts = LanguageBench.Texts(1, 3);
        Assert.Contains("no prompt", Assert.Throws<BadInputException>(() => new ClosedFormEdit(model, texts, texts, Options)).Message);
        Assert.Contains("no continuation", Assert.Throws<BadInputException>(() => new ClosedFormEdit(model, TextBatches.Of([new TextRow([1, 2, 3], 3)]), texts, Options)).Message);
        Assert.Contains("no layer 9", Assert.Throws<UsageException>(() => new ClosedFormEdit(model, Prompts(1), texts, Options with { EditedLayers = [9] })).Message);
        using var checkpoint = LanguageBench.Checkpoint("llama");
        using var slice = checkpoint.Load(new LoadOptions { ToLayer = 2 });
        Assert.Contains("a slice is loaded", Assert.Throws<UsageException>(() => new ClosedFormEdit(slice, Prompts(1), texts, Options)).Message);
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
