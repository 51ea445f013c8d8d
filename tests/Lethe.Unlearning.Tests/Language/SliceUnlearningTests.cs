using Lethe.Models.Language;
using Lethe.Torch;
using Lethe.Unlearning.Language;

namespace Lethe.Unlearning.Tests.Language;

public sealed class SliceUnlearningTests
{
    private static readonly MaskedRepresentationMisdirectionOptions Options = new() { Layer = 2, EditedLayers = [1, 2], Steps = 9, LearningRate = 1e-2 };

    [TorchTheory]
    [InlineData(0, null)]
    [InlineData(2000, null)]
    [InlineData(0, DType.BFloat16)]
    [InlineData(1000, DType.BFloat16)]
    public void What_is_not_cached_gives_the_same_numbers(long bytes, DType? storage)
    {
        var slice = LanguageBench.Slice(LanguageBench.Tiny, 1, 2) with { Storage = storage };
        var (all, loss, kept) = Run(slice);
        var (some, sameLoss, less) = Run(slice with { MaximumBytes = bytes });
        Assert.True(LanguageBench.SameBits(all, some));
        Assert.Equal(loss, sameLoss);
        Assert.True(less <= bytes && kept > bytes && (bytes == 0) == (less == 0), $"{less} of {kept} bytes are kept where {bytes} are allowed");
    }

    [TorchFact]
    public void The_estimate_is_what_the_cache_takes()
    {
        using var model = LanguageBench.Model();
        using var cache = SliceCache.Of(model, LanguageBench.Slice(LanguageBench.Tiny, 1, 2) with { Storage = DType.BFloat16 });
        using var loop = Loop(cache);
        LanguageBench.Finish(loop);
        Assert.Equal(loop.CacheEstimate, cache.CachedBytes);
    }

    [TorchTheory]
    [InlineData("llama")]
    [InlineData("gemma2")]
    [InlineData("gpt2")]
    [InlineData("gpt_neox")]
    public void A_slice_of_a_file_gives_what_the_whole_model_gives_each_text_alone(string family)
    {
        using var checkpoint = LanguageBench.Checkpoint(family);
        using var whole = checkpoint.Load();
        using var cache = SliceCache.Open(checkpoint, new() { Weights = LayerWeights.Of(checkpoint.Weights, [1], "mlp.last"), Reads = [2] });
        var batch = LanguageBench.Texts(4, 3).At(0);
        Assert.True(batch.Positions < batch.Rows * batch.Length, "no text is shorter than another");
        using var scope = new TensorScope();
        var (frozen, updated) = (cache.Frozen(batch)[0], cache.Updated(batch)[0]);
        var (ids, mask) = (batch.Ids(Device.Cpu), batch.Mask(DType.Float32, Device.Cpu));
        foreach (var text in Enumerable.Range(0, batch.Rows))
        {
            // All positions of a text but the first count.
            var length = 1 + (int)mask.Select(0, text).Sum().Item();
            using var recorder = new SiteRecorder([new(2, SiteKind.ResidualAfter)]);
            whole.Hidden(ids.Narrow(0, text, 1).Narrow(1, 0, length), new ForwardContext { Sites = recorder });
            var expected = recorder.Values[new(2, SiteKind.ResidualAfter)];
            foreach (var state in new[] { frozen, updated })
            {
                // Products of other shapes are summed in another order.
                Assert.InRange(LanguageBench.Difference(expected, state.Narrow(0, text, 1).Narrow(1, 0, length)), 0, 1e-5 * expected.Abs().Max().Item());
                Assert.Equal(0, state.Narrow(0, text, 1).Narrow(1, length, batch.Length - length).Abs().Sum().Item());
            }
        }
    }

    [TorchFact]
    public void Padding_changes_no_gradient()
    {
        using var model = LanguageBench.Model();
        using var cache = SliceCache.Of(model, LanguageBench.Slice(LanguageBench.Tiny, 1, 2));
        // Where padding counts it goes through the model; the mask leaves it out here all the same.
        var (alone, padded) = (LanguageBench.Texts(4, 3).At(0), LanguageBench.Texts(4, 3, options: new() { Rows = 3, CountPadding = true }).At(0));
        Assert.True(alone.Positions < padded.Positions);
        using var scope = new TensorScope();
        var mask = alone.Mask(DType.Float32, Device.Cpu);
        Tensor[] Gradients(TextBatch batch) => Autograd.Grad([HiddenDifference.MeanSquare(cache.Updated(batch)[0], Tensor.Full([16], 0.3), mask, PositionMean.Masked)], [.. cache.Weights]);
        foreach (var (one, other) in Gradients(alone).Zip(Gradients(padded)))
            Assert.InRange(LanguageBench.Difference(one, other), 0, 1e-5 * other.Abs().Max().Item());
    }

    [TorchTheory]
    [InlineData("llama", null)]
    [InlineData("gemma2", null)]
    [InlineData("gpt2", null)]
    [InlineData("gpt_neox", null)]
    [InlineData("llama", DType.BFloat16)]
    public void Entered_at_the_neurons_a_slice_gives_what_it_gives_from_its_beginning(string family, DType? storage)
    {
        using var model = Tiny.Model(family);
        var slice = new SliceOptions { Weights = LayerWeights.Of(model.NamedParameters().Select(entry => entry.Name), [1, 2], "mlp.last"), Reads = [2, 3], Storage = storage };
        var batch = LanguageBench.Texts(4, 3).At(0);
        using var neurons = SliceCache.Of(model, slice);
        using var stream = SliceCache.Of(model, slice with { KeepNeurons = false });
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        neurons.Put([.. neurons.Originals.Select(weight => weight * 1.5)]);
        stream.MarkMoved();
        // The same operators on the same numbers; kept as bfloat16, they are rounded at another place.
        var most = storage is null ? 0 : 0.05;
        foreach (var (one, other) in neurons.Updated(batch).Zip(stream.Updated(batch)).Concat(neurons.Frozen(batch).Zip(stream.Frozen(batch))))
            Assert.InRange(LanguageBench.Difference(one, other) / one.Norm().Item(), 0, most);
        Assert.True(neurons.CachedBytes > stream.CachedBytes);
        Assert.Equal(neurons.Estimate([batch], frozen: true), neurons.CachedBytes);
        // Who looks at what lies before the neurons finds it.
        Site[] sites = [new(1, SiteKind.ResidualBefore), new(1, SiteKind.MlpNeurons)];
        using var seen = new SiteRecorder(sites);
        using var expected = new SiteRecorder(sites);
        neurons.Visit(batch, seen);
        stream.Visit(batch, expected);
        if (storage is null)
            Assert.All(sites, site => Assert.Equal(0, LanguageBench.Difference(seen.Values[site], expected.Values[site])));
    }

    [Fact]
    public void Neurons_are_kept_where_all_of_them_fit()
    {
        var (slice, batches) = (LanguageBench.Slice(LanguageBench.Tiny, 1, 2), LanguageBench.Texts(4, 9).Batches);
        var positions = batches.Sum(batch => batch.Positions);
        var bytes = positions * sizeof(float) * (16 + 20 + 16);
        Assert.True((slice with { MaximumBytes = bytes }).Fitting(LanguageBench.Tiny, batches).KeepNeurons);
        Assert.False((slice with { MaximumBytes = bytes - 1 }).Fitting(LanguageBench.Tiny, batches).KeepNeurons);
    }

    [TorchFact]
    public void Only_the_edited_weights_change_and_Changed_gives_them()
    {
        using var model = LanguageBench.Model();
        var before = model.StateDict();
        using (var cache = SliceCache.Of(model, LanguageBench.Slice(LanguageBench.Tiny, 1, 2)))
        {
            using var loop = Loop(cache, Options with { Strength = 0.5 });
            LanguageBench.Finish(loop);
            loop.Finish();
            var changed = loop.Changed();
            Assert.Equal(cache.Names.Order(), changed.Keys.Order());
            foreach (var (name, after) in model.StateDict())
                if (changed.TryGetValue(name, out var edited))
                {
                    Assert.Equal(0, LanguageBench.Difference(edited, after));
                    var (half, full) = (Tensor.From(after) - Tensor.From(before[name]), Tensor.From(loop.Changed(1)[name]) - Tensor.From(before[name]));
                    Assert.True(half.Norm().Item() > 1e-3);
                    Assert.Equal(0, LanguageBench.Difference(full / 2, half), 1e-6);
                }
                else
                    Assert.True(before[name].Bytes.Span.SequenceEqual(after.Bytes.Span), name);
            Assert.True(LanguageBench.SameBits(before.Where(entry => changed.ContainsKey(entry.Key)).ToDictionary(), loop.Changed(0)));
        }
        Assert.All(model.Parameters(), parameter => Assert.False(parameter.RequiresGrad));
    }

    [TorchFact]
    public void Killed_and_resumed_it_ends_bit_for_bit_where_it_would_have()
    {
        using var model = LanguageBench.Model();
        using var cache = SliceCache.Of(model, LanguageBench.Slice(LanguageBench.Tiny, 1, 2));
        using var loop = Loop(cache, stop: _ => null);
        for (var step = 0; step < 4; step++)
            loop.Advance();
        var (tensors, values) = LanguageBench.Saved(loop);
        LanguageBench.Finish(loop);

        using var fresh = LanguageBench.Model();
        using var other = SliceCache.Of(fresh, LanguageBench.Slice(LanguageBench.Tiny, 1, 2));
        using var resumed = Loop(other, stop: _ => null);
        resumed.Load(new StateReader(tensors, values));
        Assert.Equal(4, resumed.Step);
        LanguageBench.Finish(resumed);
        Assert.Equal((loop.Step, loop.TokensSeen), (resumed.Step, resumed.TokensSeen));
        Assert.True(LanguageBench.SameBits(loop.Changed(), resumed.Changed()));
        var (after, again) = (LanguageBench.Saved(loop), LanguageBench.Saved(resumed));
        Assert.True(LanguageBench.SameBits(after.Tensors, again.Tensors));
        Assert.Equal(after.Values, again.Values);
    }

    [TorchFact]
    public void The_seed_decides_the_result()
    {
        IReadOnlyDictionary<string, HostArray> Result(ulong seed)
        {
            using var model = LanguageBench.Model();
            using var cache = SliceCache.Of(model, LanguageBench.Slice(LanguageBench.Tiny, 1, 2));
            using var loop = Loop(cache, Options with { Rank = 2 }, seed);
            LanguageBench.Finish(loop);
            return loop.Changed();
        }
        Assert.True(LanguageBench.SameBits(Result(1), Result(1)));
        Assert.False(LanguageBench.SameBits(Result(1), Result(2)));
    }

    [TorchFact]
    public void A_rate_that_falls_to_nothing_ends_with_a_step_of_none()
    {
        (double Last, double Before) Moves(double finalShare)
        {
            using var model = LanguageBench.Model();
            using var cache = SliceCache.Of(model, LanguageBench.Slice(LanguageBench.Tiny, 1, 2));
            using var loop = Loop(cache, Options with { FinalShare = finalShare });
            var changes = new List<IReadOnlyDictionary<string, HostArray>>();
            while (!loop.Finished)
            {
                loop.Advance();
                changes.Add(loop.Changed());
            }
            double Move(int step) => changes[step].Sum(entry => LanguageBench.Difference(entry.Value, changes[step - 1][entry.Key]));
            return (Move(changes.Count - 1), Move(changes.Count - 2));
        }
        var (falling, constant) = (Moves(0), Moves(1));
        Assert.Equal(0, falling.Last);
        Assert.InRange(falling.Before, 1e-9, constant.Before / 2);
        Assert.True(constant.Last > 0);
    }

    [TorchFact]
    public void The_loss_by_a_low_rank_parameter_has_the_slope_that_is_handed_to_the_optimizer()
    {
        using var model = LanguageBench.Model(DType.Float64);
        using var cache = SliceCache.Of(model, LanguageBench.Slice(LanguageBench.Tiny, 1, 2));
        var edited = new EditedWeight(cache.Names[0], 1, cache.Originals[0], DType.Float64);
        using var space = new LowRankUpdate(edited, 2, 4, 1);
        var batch = LanguageBench.Texts(4, 3).At(0);
        using var target = new SteeringLoss(Tensor.Ones([LanguageBench.Tiny.HiddenSize], DType.Float64), PositionMean.Masked);
        using (Autograd.NoGrad())
        {
            using var random = new RandomStream(3);
            foreach (var (_, value) in space.Parameters)
                value.AddInPlace(Tensor.Randn(value.Shape.ToArray(), random, DType.Float64) * 0.1);
        }
        double Loss()
        {
            using var scope = new TensorScope();
            using var noGrad = Autograd.NoGrad();
            cache.Put([cache.Originals[0] + space.Change(), cache.Originals[1]]);
            return target.Loss(cache.States(batch, false)).Item();
        }
        Loss();
        var gradients = space.Gradients(Autograd.Grad([target.Loss(cache.States(batch, false))], [.. cache.Weights])[0]);
        using var off = Autograd.NoGrad();
        foreach (var ((name, value), gradient) in space.Parameters.Zip(gradients))
        {
            var (values, slopes) = (value.ToArray<double>(), gradient.ToArray<double>());
            for (var at = 0; at < values.Length; at++)
            {
                double At(double by)
                {
                    var moved = (double[])values.Clone();
                    moved[at] += by;
                    value.CopyInPlace(Tensor.FromArray(moved, value.Shape));
                    return Loss();
                }
                var slope = (At(1e-5) - At(-1e-5)) / 2e-5;
                Assert.True(Math.Abs(slope - slopes[at]) < 1e-7 * Math.Max(1, Math.Abs(slope)), $"{name}[{at}]: gradient {slopes[at]}, slope {slope}");
            }
            value.CopyInPlace(Tensor.FromArray(values, value.Shape));
        }
    }

    [TorchFact]
    public void A_stop_criterion_sees_the_result_so_far_and_may_send_it_back()
    {
        using var model = LanguageBench.Model();
        using var cache = SliceCache.Of(model, LanguageBench.Slice(LanguageBench.Tiny, 1, 2));
        var asked = new List<(long Step, float[] Weights)>();
        StopVerdict? Criterion(StopCheck check)
        {
            asked.Add((check.Step, check.Weights[0].Weight.ToArray<float>()));
            return check.Step == 6 ? new StopVerdict("far enough", GoBack: true) : null;
        }
        using var loop = Loop(cache, Options with { CheckEvery = 3, Strength = 0.25 }, stop: Criterion);
        LanguageBench.Finish(loop);
        loop.Finish();
        Assert.Equal([3, 6], asked.Select(entry => entry.Step));
        Assert.Equal(("far enough", 6L, true), (loop.StopReason, loop.Step, loop.Finished));
        // What was asked about had the strength applied, and the result is that of the check that passed.
        Assert.Equal(asked[0].Weights, cache.Weights[0].ToArray<float>());
        Assert.NotEqual(asked[1].Weights, asked[0].Weights);
    }

    [TorchFact]
    public void Several_layers_can_be_read()
    {
        using var model = LanguageBench.Model();
        using var cache = SliceCache.Of(model, LanguageBench.Slice(LanguageBench.Tiny, 1) with { Reads = [3, 1] });
        Assert.Equal((1, 4), (cache.From, cache.To));
        var batch = LanguageBench.Texts(4, 3).At(0);
        var states = cache.States(batch, frozen: true);
        Assert.Equal([1, 3], states.Layers);
        // What a layer gives further on; padding, which is 0 here, is not asked.
        var mask = states.Mask.Unsqueeze(-1);
        Assert.InRange(LanguageBench.Difference(model.Run(states.UpdatedAt(1), 2, 4) * mask, states.Updated * mask), 0, 1e-5);
        Assert.Equal(0, LanguageBench.Difference(states.FrozenAt(3), states.Updated));
        Assert.Throws<ArgumentOutOfRangeException>(() => states.UpdatedAt(2));
        Assert.Throws<InvalidOperationException>(() => cache.States(batch, frozen: false).Frozen);
    }

    [TorchFact]
    public void Frozen_states_are_those_of_the_untouched_weights_whenever_they_are_asked_for()
    {
        using var model = LanguageBench.Model();
        using var cache = SliceCache.Of(model, LanguageBench.Slice(LanguageBench.Tiny, 1, 2) with { MaximumBytes = 0 });
        var batch = LanguageBench.Texts(4, 3).At(0);
        var before = cache.Frozen(batch)[0].ToArray<float>();
        using var loop = Loop(cache);
        LanguageBench.Finish(loop);
        var weight = cache.Weights[0].ToArray<float>();
        Assert.Equal(before, cache.Frozen(batch)[0].ToArray<float>());
        Assert.Equal(weight, cache.Weights[0].ToArray<float>());
        Assert.NotEqual(before, cache.Updated(batch)[0].ToArray<float>());
    }

    [TorchFact]
    public void What_cannot_be_edited_is_refused_in_a_sentence()
    {
        using var model = LanguageBench.Model();
        var slice = LanguageBench.Slice(LanguageBench.Tiny, 1, 2);
        void Refused(string words, SliceOptions options) => Assert.Contains(words, Assert.Throws<UsageException>(() => SliceCache.Of(model, options)).Message);
        Refused("name at least one", slice with { Weights = [] });
        Refused("No layer is read", slice with { Reads = [] });
        Refused("layers 0 to 3", slice with { Reads = [4] });
        Refused("could not be seen", slice with { Reads = [1] });
        Refused("nothing changes there", slice with { Reads = [0, 2] });
        Refused("no weight 'model.layers.1.mlp.gone.weight'", slice with { Weights = ["model.layers.1.mlp.gone.weight"] });
        Refused("named twice", slice with { Weights = [slice.Weights[0], slice.Weights[0]] });
        Refused("belongs to no layer", slice with { Weights = ["model.embed_tokens.weight"] });
        Refused("float32 and bfloat16", slice with { Storage = DType.Int64 });
        using var checkpoint = LanguageBench.Checkpoint("llama");
        Assert.Contains("no layer 9", Assert.Throws<UsageException>(() => LayerWeights.Of(checkpoint.Weights, [9], "mlp.last")).Message);
        Assert.Contains("it has", Assert.Throws<UsageException>(() => LayerWeights.Of(checkpoint.Weights, [1], "mlp.gone")).Message);
        using var cache = SliceCache.Of(model, slice);
        Assert.Contains("at least one topic", Assert.Throws<UsageException>(() => new SliceUnlearning(cache, [], Options)).Message);
    }

    [TorchFact]
    public void A_loss_that_is_not_finite_stops_the_run()
    {
        using var model = LanguageBench.Model();
        using var cache = SliceCache.Of(model, LanguageBench.Slice(LanguageBench.Tiny, 1, 2));
        var topic = new SliceTopic(LanguageBench.Texts(1, 3), new SteeringLoss(Tensor.Full([LanguageBench.Tiny.HiddenSize], 1e30), PositionMean.Masked), null, null, 0);
        using var loop = new SliceUnlearning(cache, [topic], Options);
        Assert.Contains("at step 0", Assert.Throws<RunFailedException>(() => loop.Advance()).Message);
    }

    private static SliceUnlearning Loop(SliceCache cache, MaskedRepresentationMisdirectionOptions? options = null, ulong seed = 5, StopCriterion? stop = null) =>
        RepresentationMisdirection.Create(cache, [(Forget(), Retain())], options ?? Options, seed, stop: stop);

    private static TextBatches Forget() => LanguageBench.Texts(1, 8, options: new() { Rows = 3, Seed = 7 });

    private static TextBatches Retain() => LanguageBench.Texts(2, 10, options: new() { Rows = 3, Seed = 8, ByLength = true });

    private static (IReadOnlyDictionary<string, HostArray> Changed, double Loss, long Bytes) Run(SliceOptions slice)
    {
        using var model = LanguageBench.Model();
        using var cache = SliceCache.Of(model, slice);
        using var loop = Loop(cache);
        var loss = LanguageBench.Finish(loop)[^1]["loss"];
        return (loop.Changed(), loss, cache.CachedBytes);
    }
}
