using System.Globalization;
using Lethe.Torch;

namespace Lethe.Evaluation.Statistics;

/// <summary>What every statistic asks of its arguments.</summary>
internal static class Check
{
    /// <summary>A confidence lies strictly between 0 and 1.</summary>
    public static void Confidence(double confidence)
    {
        if (!(confidence > 0 && confidence < 1))
            throw new ArgumentOutOfRangeException(nameof(confidence), confidence, "a confidence is a share of 1, above 0 and below 1, for example 0.95");
    }

    /// <summary>An option, which a plan may have set, lies in its range.</summary>
    public static void Option(bool allowed, string name, object value, string range)
    {
        if (!allowed)
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"The {name} is {value}; it must be {range}."));
    }

    /// <summary>There are enough items.</summary>
    public static void AtLeast(int count, int least, string what)
    {
        if (count < least)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{count} {what} given, but at least {least} are needed"));
    }

    /// <summary>Two lists are of one length.</summary>
    public static void SameLength(int first, int second, string what)
    {
        if (first != second)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{first} {what} on one side and {second} on the other; they are compared item by item, so both need the same number"));
    }

    /// <summary>
    /// Every item is a finite number. What is measured comes out of models, so that a bad item is a failed run and not a slip of the
    /// programmer; a mean that is not a number must never reach a report.
    /// </summary>
    public static void Finite(ReadOnlySpan<double> items, string what)
    {
        for (var i = 0; i < items.Length; i++)
            if (!double.IsFinite(items[i]))
                throw new RunFailedException(string.Create(CultureInfo.InvariantCulture, $"Item {i} of {items.Length} {what} is {items[i]}, and nothing can be computed from it; look for the model or layer that produced it."));
    }
}
