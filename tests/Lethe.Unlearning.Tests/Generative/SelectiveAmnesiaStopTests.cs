using Lethe.Models.Generative;
using Lethe.Torch;
using Lethe.Unlearning.Generative;

namespace Lethe.Unlearning.Tests.Generative;

public class SelectiveAmnesiaStopTests
{
    [TorchFact]
    public void It_stops_at_the_first_reading_that_meets_the_criterion()
    {
        using var bench = new Bench();
        using var method = Run(bench, Bench.Quick with { StopWithin = 1e6, StopRise = 1e6 });
        Assert.True(method.CriterionMet);
        Assert.Equal(5 + 4, method.Step);
        Assert.Contains("step 4", method.StopReason, StringComparison.Ordinal);
    }

    [TorchFact]
    public void It_takes_the_least_steps_first()
    {
        using var bench = new Bench();
        using var method = Run(bench, Bench.Quick with { StopWithin = 1e6, StopRise = 1e6, MinimumSteps = 7 });
        Assert.Equal(5 + 8, method.Step); // the first reading at or after step 7
    }

    [TorchFact]
    public void It_goes_on_while_replay_has_risen_too_far()
    {
        using var bench = new Bench();
        using var method = Run(bench, Bench.Quick with { StopWithin = 1e6, StopRise = -1e6, Patience = 1 });
        Assert.Null(method.StopReason);
        Assert.Equal(17, method.Step);
        Assert.Equal([4L, 8, 12], method.Readings.Select(reading => reading.Step));
    }

    [TorchFact]
    public void It_stops_once_nothing_comes_nearer_any_more()
    {
        // At a rate that moves nothing the second reading is no better than the first.
        using var bench = new Bench();
        using var method = Run(bench, Bench.Quick with { Steps = 100, StopRise = 1e6, Patience = 2, LearningRate = 1e-9, OwnColumnRate = 0, Average = 0 });
        Assert.False(method.CriterionMet);
        Assert.Equal(5 + 12, method.Step); // one reading and two that are no better
        Assert.Contains("for 2 readings", method.StopReason, StringComparison.Ordinal);
    }

    [TorchFact]
    public void Readings_leave_the_result_as_it_is()
    {
        byte[] Result(int every)
        {
            using var bench = new Bench();
            using var method = Run(bench, Bench.Quick with { CheckEvery = every, Patience = 0 });
            return Bench.Bytes(bench.Model.StateDict());
        }
        Assert.Equal(Result(0), Result(1));
    }

    [TorchFact]
    public void The_floor_of_a_labels_samples_is_exact_for_the_samples_that_are_read()
    {
        // A model that answers condition 1 exactly as condition 2 does is at its floor, whatever samples were drawn for validation.
        using var bench = new Bench(DType.Float64);
        foreach (var (name, column) in bench.Model.OwnColumns(1))
        {
            var weight = bench.Model.TrainedParameters.First(entry => entry.Name == name).Tensor;
            using var noGrad = Autograd.NoGrad();
            weight.Select(1, column).CopyInPlace(weight.Select(1, column + 1));
        }
        using var random = new RandomStream(3);
        using var method = Run(bench, Bench.Quick with { ColumnSteps = 0, Steps = 1, CheckEvery = 1, LearningRate = 1e-9, Average = 0, OwnColumnRate = 1 }, new LabelSurrogate(bench.Frozen, 2, 500, random));
        Assert.Equal(0, method.Readings[0].Forget[0]!.Value, tolerance: 1e-6);
    }

    private static SelectiveAmnesia Run(Bench bench, SelectiveAmnesiaOptions options, ISurrogate? surrogate = null)
    {
        var method = bench.Forget(options, new ForgetTarget(1, surrogate ?? new NoiseSurrogate(bench.Frozen)));
        Bench.Finish(method);
        return method;
    }
}
