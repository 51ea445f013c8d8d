using System.Text.Json;
using Lethe.Models.Generative;
using Lethe.Torch;

namespace Lethe.Unlearning.Generative;

/// <summary>
/// Surrogates and replayed images set aside, generated, with noise of their own and the same at every reading: they say when a concept is
/// forgotten and whether the rest still stands, without a judge and without real images.
/// </summary>
internal sealed class ForgettingValidation : IDisposable
{
    private readonly IReadOnlyList<ForgetTarget> targets;
    private readonly SelectiveAmnesiaOptions options;
    private readonly (SurrogateDraw Draw, Tensor Conditions, Tensor[] Noise)[] forget;
    private readonly double?[] floors; // mean over the draws; null where none is known or latents of generation are not fitted
    private readonly SamplePool replay;
    private readonly Tensor[] replayNoise;
    private readonly double before;
    private readonly List<ForgettingReading> readings = [];
    private double[]? last;

    public ForgettingValidation(IConditionalLikelihood frozen, IReadOnlyList<ForgetTarget> targets, IReadOnlyList<int> retained, SelectiveAmnesiaOptions options, ulong seed)
    {
        this.targets = targets;
        this.options = options;
        var n = options.ValidationSamples;
        var device = frozen.TrainedParameters[0].Tensor.Device;
        using var random = new RandomStream(RandomStream.ChildSeed(seed, "validation"), device);
        using var scope = new TensorScope();
        forget = [.. targets.Select(target => (target.Surrogate.Draw(n, random), Tensor.Full([n], target.Condition, DType.Int64, device), frozen.DrawNoise(n, random)))];
        replay = SamplePool.Generate(frozen, retained, n, random);
        replayNoise = frozen.DrawNoise(n, random);
        floors = [.. forget.Select(entry => options.GenerationLatents ? entry.Draw.Floors?.Mean().Item() : null)];
        foreach (var tensor in Tensors())
            TensorScope.Detach(tensor);
        before = Bound(frozen, replay.Images, replay.Conditions, replayNoise);
    }

    public IReadOnlyList<ForgettingReading> Readings => readings;

    /// <summary>Reads the model as it is; returns why to stop, or null to go on.</summary>
    public ForgettingStop? Read(IConditionalLikelihood model, long step)
    {
        var now = targets.Select((target, k) => Surrogates(model, k)).ToArray();
        var above = now.Select((nats, k) => floors[k] is { } floor ? nats - floor : last?[k] - nats).ToArray();
        last = now;
        var reading = new ForgettingReading(step, above, Bound(model, replay.Images, replay.Conditions, replayNoise) - before);
        readings.Add(reading);
        if (step < options.MinimumSteps || reading.Rise > options.StopRise)
            return null;
        if (above.All(nats => nats <= options.StopWithin)) // null, where nothing is known yet, is not
            return new ForgettingStop(CriterionMet: true, FormattableString.Invariant($"at step {step} every surrogate is within {options.StopWithin} nats of its floor and replay has risen by {reading.Rise:0.00} nats"));
        return options.Patience > 0 && Stalled()
            ? new ForgettingStop(CriterionMet: false, FormattableString.Invariant($"at step {step} no surrogate has come nearer to its floor for {options.Patience} readings; the farthest is {above.Max():0.00} nats above"))
            : null;
    }

    public void Save(StateWriter state)
    {
        state.Add("readings", JsonSerializer.Serialize(readings));
        state.Add("last", JsonSerializer.Serialize(last));
    }

    public void Load(StateReader state)
    {
        readings.Clear();
        readings.AddRange(JsonSerializer.Deserialize<List<ForgettingReading>>(state.Text("readings")) ?? []);
        last = JsonSerializer.Deserialize<double[]>(state.Text("last"));
    }

    public void Dispose()
    {
        foreach (var tensor in Tensors())
            tensor.Dispose();
    }

    // The best of the last readings is no better than the best before them.
    private bool Stalled() => readings.Count > options.Patience && Enumerable.Range(0, targets.Count).All(k =>
        readings.TakeLast(options.Patience).Min(reading => reading.Forget[k]) >= readings.SkipLast(options.Patience).Min(reading => reading.Forget[k]));

    // At the latents that generation uses where the surrogate has them and they are fitted; the bound else.
    private double Surrogates(IConditionalLikelihood model, int target)
    {
        var (draw, conditions, noise) = forget[target];
        if (floors[target] is null || model is not ILatentGenerator generator || draw.Latents is null)
            return Bound(model, draw.Images, conditions, noise);
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        return generator.NegativeLogLikelihood(draw.Images, conditions, draw.Latents).Mean().Item();
    }

    private static double Bound(IConditionalLikelihood model, Tensor images, Tensor conditions, Tensor[] noise)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        return model.NegativeElbo(images, conditions, noise).Mean().Item();
    }

    private IEnumerable<Tensor> Tensors()
    {
        foreach (var (draw, conditions, noise) in forget)
            foreach (var tensor in (Tensor[])[.. draw.Tensors, conditions, .. noise])
                yield return tensor;
        foreach (var tensor in (Tensor[])[replay.Images, replay.Conditions, .. replayNoise])
            yield return tensor;
    }
}
