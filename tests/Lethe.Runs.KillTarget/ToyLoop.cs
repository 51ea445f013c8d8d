using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Lethe.Torch;

namespace Lethe.Runs.KillTarget;

/// <summary>
/// A real training loop that needs no libtorch: stochastic gradient descent with momentum on Σ (w − target)², with noise from a
/// generator of its own. Its state is of every kind that a checkpoint must bring back: arrays, a counter, a number, a generator.
/// </summary>
public sealed class ToyLoop : ITrainingLoop
{
    private const double LearningRate = 0.05;
    private const double Momentum = 0.9;

    private readonly double[] weights;
    private readonly double[] velocity;
    private readonly double stopBelow;
    private readonly Action<long> onStep;
    private ulong generator;
    private double smoothed = double.MaxValue;

    /// <summary>Makes the loop.</summary>
    /// <param name="seed">Seed of the noise.</param>
    /// <param name="size">Number of weights.</param>
    /// <param name="steps">Most steps.</param>
    /// <param name="stopBelow">It stops early once the smoothed loss is below this.</param>
    /// <param name="onStep">Called after each step.</param>
    public ToyLoop(long seed, int size, long steps, double stopBelow = 0, Action<long>? onStep = null)
    {
        weights = new double[size];
        velocity = new double[size];
        TotalSteps = steps;
        generator = unchecked((ulong)seed * 2862933555777941757UL + 3037000493UL);
        this.stopBelow = stopBelow;
        this.onStep = onStep ?? (_ => { });
    }

    /// <summary>The weights now.</summary>
    public IReadOnlyList<double> Weights => weights;

    /// <summary>Step whose loss is made NaN; never if 0.</summary>
    public long BreakAt { get; init; }

    /// <summary>After how many steps the next one waits for something before it changes anything; never if 0.</summary>
    public long WaitsAt { get; init; }

    /// <summary>What it waits for.</summary>
    public Action? Waits { get; init; }

    public long Step { get; private set; }

    public long TotalSteps { get; }

    public bool Finished => Step >= TotalSteps || StopReason is not null;

    public string? StopReason => smoothed < stopBelow ? $"the smoothed loss fell below {stopBelow}" : null;

    public IReadOnlyList<(string Name, double Value)> Advance()
    {
        if (WaitsAt > 0 && Step == WaitsAt)
            Waits?.Invoke();
        var loss = 0.0;
        for (var i = 0; i < weights.Length; i++)
        {
            var error = weights[i] - i % 7 + 0.1 * (Next() - 0.5);
            loss += error * error;
            velocity[i] = Momentum * velocity[i] - LearningRate * error;
            weights[i] += velocity[i];
        }
        Step++;
        loss = Step == BreakAt ? double.NaN : loss / weights.Length;
        smoothed = smoothed == double.MaxValue ? loss : 0.95 * smoothed + 0.05 * loss;
        onStep(Step);
        return [("loss", loss), ("smoothed", smoothed)];
    }

    public void Save(StateWriter state)
    {
        state.Add("weights", Array(weights));
        state.Add("velocity", Array(velocity));
        state.Add("step", Step);
        state.Add("smoothed", smoothed);
        state.Add("generator", generator.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    public void Load(StateReader state)
    {
        Read(state.Array("weights"), weights);
        Read(state.Array("velocity"), velocity);
        Step = state.Integer("step");
        smoothed = state.Real("smoothed");
        generator = ulong.Parse(state.Text("generator"), System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>The weights as bytes.</summary>
    public byte[] Bytes() => MemoryMarshal.AsBytes(weights.AsSpan()).ToArray();

    private static HostArray Array(double[] values) => new(DType.Float64, [values.Length], MemoryMarshal.AsBytes(values.AsSpan()).ToArray());

    private static void Read(HostArray array, double[] values)
    {
        if (array.Type != DType.Float64 || array.Count != values.Length)
            throw new BadInputException($"{array.Count} values of {array.Type} cannot fill {values.Length} weights.");
        for (var i = 0; i < values.Length; i++)
            values[i] = BinaryPrimitives.ReadDoubleLittleEndian(array.Bytes.Span[(8 * i)..]);
    }

    /// <summary>Uniform in [0, 1): Knuth's MMIX generator.</summary>
    private double Next()
    {
        generator = unchecked(generator * 6364136223846793005UL + 1442695040888963407UL);
        return (generator >> 11) * (1.0 / (1UL << 53));
    }
}
