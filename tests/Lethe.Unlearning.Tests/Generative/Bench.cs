using Lethe.Models.Generative;
using Lethe.Torch;
using Lethe.Unlearning.Generative;

namespace Lethe.Unlearning.Tests.Generative;

/// <summary>A tiny conditional VAE, its frozen twin and its Fisher information: what a forgetting run starts from.</summary>
internal sealed class Bench : IDisposable
{
    public static readonly ConditionalVaeOptions Tiny = new() { Pixels = 12, Conditions = 4, Outer = 7, Inner = 5, Latent = 2 };

    public Bench(DType type = DType.Float32, IReadOnlyDictionary<string, HostArray>? state = null)
    {
        using var random = new RandomStream(21);
        Frozen = state is null ? new ConditionalVae(Tiny, random, type) : ConditionalVae.FromState(state, type);
        State = Frozen.StateDict();
        Model = ConditionalVae.FromState(State, type);
        using var estimate = new FisherEstimator(Frozen, new FisherOptions { Samples = 40, Batch = 10 }, 3);
        while (!estimate.Finished)
            estimate.Advance();
        Fisher = estimate.Result();
    }

    public ConditionalVae Frozen { get; }

    public ConditionalVae Model { get; }

    public FisherInformation Fisher { get; }

    public IReadOnlyDictionary<string, HostArray> State { get; }

    /// <summary>Small and quick; tests change what they are about.</summary>
    public static FixedSelectiveAmnesiaOptions Quick { get; } = new()
    {
        ColumnSteps = 5, Steps = 12, WarmUp = 3, ForgetBatch = 8, ReplayBatch = 6, ReplayPool = 50, CheckEvery = 4, ValidationSamples = 20, MinimumSteps = 0, StopWithin = 0,
    };

    public SelectiveAmnesia Forget(SelectiveAmnesiaOptions options, params ForgetTarget[] targets) => new(
        Model, Frozen, Fisher, targets, [.. Enumerable.Range(0, 4).Except(targets.Select(target => target.Condition))], options, 17);

    public ForgetTarget Noise(int condition) => new(condition, new NoiseSurrogate(Frozen));

    /// <summary>Runs a method to its end.</summary>
    public static void Finish(SelectiveAmnesia method)
    {
        while (!method.Finished)
            method.Advance();
        method.Finish();
    }

    public static byte[] Bytes(IReadOnlyDictionary<string, HostArray> state) =>
        [.. state.OrderBy(entry => entry.Key, StringComparer.Ordinal).SelectMany(entry => entry.Value.Bytes.ToArray())];

    public void Dispose()
    {
        Frozen.Dispose();
        Model.Dispose();
    }
}
