using Lethe.Models.Generative;
using Lethe.Torch;
using Lethe.Unlearning.Generative;

namespace Lethe.Unlearning.Tests.Generative;

public class SelectiveAmnesiaTests
{
    [TorchFact]
    public void The_first_stage_moves_own_columns_only_and_retained_images_stay_bit_for_bit()
    {
        using var bench = new Bench();
        using var random = new RandomStream(1);
        var latents = bench.Frozen.DrawLatents(5, random);
        byte[] Images(ConditionalVae model, int condition) => model.Generate(latents, Tensor.Full([5], condition, DType.Int64)).ToHost().Bytes.ToArray();
        using var method = bench.Forget(Bench.Quick with { ColumnSteps = 9 }, bench.Noise(1), bench.Noise(3));
        for (var k = 0; k < 9; k++)
            method.Advance();
        foreach (var (name, parameter) in bench.Model.TrainedParameters)
        {
            long[] own = [.. new[] { 1, 3 }.SelectMany(bench.Model.OwnColumns).Where(column => column.Parameter == name).Select(column => column.Column)];
            var original = Tensor.From(bench.State[name]);
            if (own.Length == 0)
                Assert.Equal(original.ToArray<float>(), parameter.ToArray<float>());
            else
                for (var column = 0L; column < parameter.Size(1); column++)
                    Assert.True(own.Contains(column) != original.Select(1, column).ToArray<float>().SequenceEqual(parameter.Select(1, column).ToArray<float>()), $"{name} column {column}");
        }
        foreach (var retained in new[] { 0, 2 })
            Assert.Equal(Images(bench.Frozen, retained), Images(bench.Model, retained));
        foreach (var forgotten in new[] { 1, 3 })
            Assert.NotEqual(Images(bench.Frozen, forgotten), Images(bench.Model, forgotten));
    }

    [TorchFact]
    public void The_result_begins_where_the_first_stage_ended()
    {
        // One step of the second stage at rate 0 moves nothing, so the average is what the first stage made.
        using var bench = new Bench();
        using var method = bench.Forget(Bench.Quick with { Steps = 1, WarmUp = 0, LearningRate = 1e-9, OwnColumnRate = 0, CheckEvery = 0 }, bench.Noise(1));
        for (var k = 0; k < 5; k++)
            method.Advance();
        var first = bench.Model.StateDict();
        Bench.Finish(method);
        foreach (var (name, parameter) in bench.Model.TrainedParameters)
            Assert.True((parameter - Tensor.From(first[name])).Abs().Max().Item() < 1e-6, name);
    }

    [TorchFact]
    public void Strength_is_the_share_of_the_way_from_the_weights_before_to_those_found()
    {
        IReadOnlyDictionary<string, HostArray> Result(double strength)
        {
            using var bench = new Bench();
            using var method = bench.Forget(Bench.Quick with { Strength = strength }, bench.Noise(1));
            Bench.Finish(method);
            return bench.Model.StateDict();
        }
        using var start = new Bench();
        var (whole, part) = (Result(1), Result(0.3));
        foreach (var (name, before) in start.State)
        {
            var expected = Tensor.From(before).Lerp(Tensor.From(whole[name]), 0.3);
            Assert.True((Tensor.From(part[name]) - expected).Abs().Max().Item() < 1e-6, name);
        }
        Assert.Contains(start.State, entry => (Tensor.From(whole[entry.Key]) - Tensor.From(entry.Value)).Abs().Max().Item() > 1e-2);
    }

    // Interrupted in the first stage, at the boundary, in the second before and after readings, and after the last step.
    [TorchTheory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(9)]
    [InlineData(15)]
    [InlineData(17)]
    public void Resumed_at_any_step_it_ends_as_if_undisturbed_bit_for_bit(int interruptAt)
    {
        var threads = Engine.Threads;
        Engine.Threads = 1;
        try
        {
            var (model, readings, steps) = Run(interruptAt, Bench.Quick);
            var (calm, calmReadings, calmSteps) = Run(null, Bench.Quick);
            Assert.Equal(calm, model);
            Assert.Equal(calmReadings, readings);
            Assert.Equal(calmSteps, steps);
            Assert.Equal(3, readings.Split('\n').Length);
        }
        finally
        {
            Engine.Threads = threads;
        }
    }

    [TorchFact]
    public void A_stop_is_saved_with_its_reason()
    {
        var options = Bench.Quick with { StopWithin = 1e6, StopRise = 1e6 };
        var (calm, readings, steps) = Run(null, options);
        Assert.Equal(9, steps); // five steps of the first stage, four to the first reading
        Assert.Single(readings.Split('\n'));
        var (model, resumedReadings, resumedSteps) = Run(9, options);
        Assert.Equal(calm, model);
        Assert.Equal((readings, steps), (resumedReadings, resumedSteps));
    }

    [TorchFact]
    public void Other_seeds_give_other_models()
    {
        byte[] Run(ulong seed)
        {
            using var bench = new Bench();
            using var method = new SelectiveAmnesia(bench.Model, bench.Frozen, bench.Fisher, [bench.Noise(1)], [0, 2, 3], Bench.Quick, seed);
            Bench.Finish(method);
            return Bench.Bytes(bench.Model.StateDict());
        }
        Assert.Equal(Run(1), Run(1));
        Assert.NotEqual(Run(1), Run(2));
    }

    [TorchFact]
    public void Several_concepts_are_forgotten_in_one_run_and_one_after_another()
    {
        // Weights thrice as large draw vivid images; long enough that each condition ends nearer to grey than it began.
        var vivid = new Dictionary<string, HostArray>();
        using (var tiny = new Bench())
            foreach (var (name, array) in tiny.State)
                vivid.Add(name, (Tensor.From(array) * 3).ToHost());
        var options = Bench.Quick with { ColumnSteps = 60, Steps = 30, CheckEvery = 0, Lambda = 1 };
        using var both = new Bench(state: vivid);
        var (one, three) = (Distance(both.Frozen, 1), Distance(both.Frozen, 3));
        using (var method = both.Forget(options, both.Noise(1), both.Noise(3)))
            Bench.Finish(method);
        Assert.True(Distance(both.Model, 1) < 0.7 * one, $"{Distance(both.Model, 1)} of {one}");
        Assert.True(Distance(both.Model, 3) < 0.7 * three, $"{Distance(both.Model, 3)} of {three}");

        using var first = new Bench(state: vivid);
        using (var method = first.Forget(options, first.Noise(1)))
            Bench.Finish(method);
        using var second = new Bench(state: first.Model.StateDict());
        using (var method = second.Forget(options, second.Noise(3)))
            Bench.Finish(method);
        Assert.True(Distance(second.Model, 3) < 0.7 * three);
        Assert.True(Distance(second.Model, 1) < 0.7 * one, "what was forgotten first stays forgotten");
    }

    [TorchFact]
    public void It_works_on_a_model_without_latents_layers_or_own_columns()
    {
        using var random = new RandomStream(5);
        using var model = new LogisticGenerator(6, 3, 4, random);
        using var frozen = new LogisticGenerator(6, 3, 4, random);
        frozen.LoadStateDict(model.StateDict());
        using var estimate = new FisherEstimator(frozen, new FisherOptions { Samples = 90, Batch = 30 }, 3);
        while (!estimate.Finished)
            estimate.Advance();
        Tensor Means(LogisticGenerator of, int condition) => of.Logits(Tensor.FromArray([(long)condition])).Sigmoid();
        var options = Bench.Quick with { ColumnSteps = 0, Steps = 300, LearningRate = 0.02, Lambda = 0.1, ReplayPool = 2000, ForgetBatch = 32, ReplayBatch = 32, CheckEvery = 50 };
        using var method = new SelectiveAmnesia(model, frozen, estimate.Result(), [new(1, new NoiseSurrogate(frozen))], [0, 2], options, 6);
        Bench.Finish(method);
        Assert.True((Means(model, 1) - 0.5).Abs().Max().Item() < 0.15, "noise has the mean ½");
        foreach (var kept in new[] { 0, 2 })
            Assert.True((Means(model, kept) - Means(frozen, kept)).Abs().Max().Item() < 0.3, $"condition {kept}: {(Means(model, kept) - Means(frozen, kept)).Abs().Max().Item()}");
        Assert.Null(method.Readings[0].Forget[0]); // no floor is known, and nothing has fallen yet
        Assert.All(method.Readings.Skip(1), reading => Assert.NotNull(reading.Forget[0]));
    }

    [TorchFact]
    public void Nothing_is_left_alive_after_a_whole_run()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var (live, leaked) = (Tensor.Live, Tensor.Leaked);
        using (var outer = new TensorScope())
        using (var bench = new Bench())
        {
            var blend = new BlendSurrogate(new NoiseSurrogate(bench.Frozen), new ImagesSurrogate(Tensor.Zeros([2, 12])), 0.5);
            using var random = new RandomStream(1);
            using var method = bench.Forget(Bench.Quick, bench.Noise(0), new(1, new LabelSurrogate(bench.Frozen, 3, 10, random)), new(2, blend));
            var state = new StateWriter();
            method.Advance();
            method.Save(state);
            method.Load(new StateReader(state.Tensors, state.Values));
            Bench.Finish(method);
        }
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Equal((live, leaked), (Tensor.Live, Tensor.Leaked));
    }

    private static (byte[] Model, string Readings, long Steps) Run(int? interruptAt, SelectiveAmnesiaOptions options)
    {
        using var bench = new Bench();
        var state = new StateWriter();
        SelectiveAmnesia Begin()
        {
            using var random = new RandomStream(8);
            return bench.Forget(options, bench.Noise(1), new(3, new LabelSurrogate(bench.Frozen, 2, 30, random)));
        }
        if (interruptAt is { } step)
        {
            using var first = Begin();
            while (first.Step < step)
                first.Advance();
            first.Save(state);
            bench.Model.LoadStateDict(bench.State); // a new process reads the model as it was
        }
        using var method = Begin();
        if (interruptAt is not null)
            method.Load(new StateReader(state.Tensors, state.Values));
        Bench.Finish(method);
        return (Bench.Bytes(bench.Model.StateDict()), string.Join('\n', method.Readings.Select(reading => $"{reading.Step} {string.Join(' ', reading.Forget)} {reading.Rise:R}")) + method.StopReason, method.Step);
    }

    // Mean distance of a condition's images from grey.
    private static double Distance(ConditionalVae model, int condition)
    {
        using var random = new RandomStream(2);
        return (model.Sample(Tensor.Full([100], condition, DType.Int64), random) - 0.5).Abs().Mean().Item();
    }
}
