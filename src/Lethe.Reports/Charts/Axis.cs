namespace Lethe.Reports.Charts;

/// <summary>How values are laid out along an axis.</summary>
internal enum AxisKind
{
    /// <summary>Evenly.</summary>
    Linear,
    /// <summary>By log(1 + x): for step counts, where the first few matter most and zero must have a place.</summary>
    LogOnePlus,
}

/// <summary>A range of values with round ticks, and the map from values to positions between 0 and 1.</summary>
internal sealed class Axis
{
    private Axis(AxisKind kind, double low, double high, IReadOnlyList<double> ticks)
    {
        Kind = kind;
        Low = low;
        High = high;
        Ticks = ticks;
    }

    /// <summary>How values are laid out.</summary>
    public AxisKind Kind { get; }

    /// <summary>Value at position 0.</summary>
    public double Low { get; }

    /// <summary>Value at position 1.</summary>
    public double High { get; }

    /// <summary>Where the labels stand, ascending, all within the range.</summary>
    public IReadOnlyList<double> Ticks { get; }

    /// <summary>
    /// An even axis over the values, its ends moved out to round ticks 1, 2 or 5 times a power of ten apart (Heckbert, "Nice
    /// numbers for graph labels", Graphics Gems, 1990).
    /// </summary>
    /// <param name="low">Smallest value.</param>
    /// <param name="high">Largest value.</param>
    /// <param name="target">About how many ticks.</param>
    public static Axis Linear(double low, double high, int target = 5)
    {
        if (!(high > low))
            (low, high) = low == 0 ? (0, 1) : (low - Math.Abs(low) / 2, high + Math.Abs(high) / 2);
        var step = NiceStep((high - low) / Math.Max(1, target - 1));
        return Over(Math.Floor(low / step + 1e-9) * step, Math.Ceiling(high / step - 1e-9) * step, step);
    }

    /// <summary>An even axis that keeps its ends and puts round ticks between them; for shares, whose ends 0 and 1 mean something.</summary>
    public static Axis Fixed(double low, double high, int target = 5) => Over(low, high, NiceStep((high - low) / Math.Max(1, target - 1)));

    /// <summary>An axis by log(1 + x) from 0 to the largest value, with ticks at 0, 1, 2, 5, 10 and so on.</summary>
    public static Axis LogOnePlus(double high, int target = 6)
    {
        high = Math.Max(high, 1);
        List<double> ticks = [];
        for (var power = 1.0; power <= high; power *= 10)
            ticks.AddRange(new[] { power, 2 * power, 5 * power }.Where(tick => tick <= high));
        if (ticks.Count > target)
            ticks = [.. ticks.Where(tick => Math.Log10(tick) % 1 == 0)];
        return new Axis(AxisKind.LogOnePlus, 0, high, [0, .. ticks]);
    }

    /// <summary>Position of a value: 0 at the low end, 1 at the high end; values outside are held at the ends.</summary>
    public double Position(double value)
    {
        var position = Kind == AxisKind.Linear
            ? (value - Low) / (High - Low)
            : Math.Log(1 + Math.Max(0, value)) / Math.Log(1 + High);
        return Math.Clamp(position, 0, 1);
    }

    /// <summary>Decimals that tell the ticks apart.</summary>
    public int Decimals { get; private init; }

    private static Axis Over(double low, double high, double step)
    {
        List<double> ticks = [];
        for (var i = (long)Math.Ceiling(low / step - 1e-9); i * step <= high + step * 1e-9; i++)
            ticks.Add(Math.Round(i * step, 12));
        return new Axis(AxisKind.Linear, low, high, ticks) { Decimals = Math.Clamp(-(int)Math.Floor(Math.Log10(step) + 1e-9), 0, 9) };
    }

    private static double NiceStep(double rough)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        return (rough / power) switch
        {
            < 1.5 => 1,
            < 3.5 => 2,
            < 7.5 => 5,
            _ => 10,
        } * power;
    }
}
