using System.Globalization;
using Lethe.Evaluation;

namespace Lethe.Reports;

/// <summary>Figures as a reader sees them: the same in every language and on every machine, a true minus sign, no false digits.</summary>
internal static class Numbers
{
    /// <summary>Stands where there is no finite figure.</summary>
    public const string None = "–";

    private const char Minus = '−';

    /// <summary>A fixed number of decimals, thousands separated: 12,345.7.</summary>
    public static string Fixed(double value, int decimals)
    {
        if (!double.IsFinite(value))
            return None;
        var text = Math.Abs(value).ToString("N" + decimals, CultureInfo.InvariantCulture);
        return value < 0 && text.AsSpan().ContainsAnyInRange('1', '9') ? Minus + text : text;
    }

    /// <summary>The same with its sign, so that a change is seen to be one: +0.21, −0.21; zero has none.</summary>
    public static string Signed(double value, int decimals)
    {
        var text = Fixed(value, decimals);
        return value > 0 && text.AsSpan().ContainsAnyInRange('1', '9') ? "+" + text : text;
    }

    /// <summary>A share of 1 as per cent: 97.1%.</summary>
    public static string Percent(double share, int decimals) => double.IsFinite(share) ? Fixed(100 * share, decimals) + "%" : None;

    /// <summary>A count: 10,000.</summary>
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture).Replace('-', Minus);

    /// <summary>A number that is a name, such as a seed or a dimension: no separators.</summary>
    public static string Plain(long number) => number.ToString(CultureInfo.InvariantCulture).Replace('-', Minus);

    /// <summary>Decimals of a percentage that n items can tell apart: one up to 2,000 items, two beyond.</summary>
    public static int ShareDecimals(long n) => n > 2_000 ? 2 : 1;

    /// <summary>Three significant digits, in powers of ten where the number is very small or large: 0.0123, 4.56×10⁻⁷.</summary>
    public static string Significant(double value)
    {
        if (!double.IsFinite(value))
            return None;
        if (value == 0)
            return "0";
        var exponent = (int)Math.Floor(Math.Log10(Math.Abs(value)));
        if (exponent is >= -3 and < 5)
            return Fixed(value, Math.Clamp(2 - exponent, 0, 6));
        var mantissa = Fixed(value / Math.Pow(10, exponent), 2);
        return $"{mantissa}×10{Superscript(exponent)}";
    }

    /// <summary>Mebibytes or gibibytes.</summary>
    public static string Bytes(long bytes) => bytes >= 1L << 30
        ? Fixed(bytes / (double)(1L << 30), 1) + " GiB"
        : Fixed(bytes / (double)(1L << 20), 0) + " MiB";

    /// <summary>Upper end of what the measure leaves possible: its interval, else 1.96 standard errors, else the value.</summary>
    public static double Upper(Measure measure) =>
        measure.Interval?.High ?? measure.Value + Normal95 * (measure.StandardError ?? 0);

    /// <summary>Lower end of what the measure leaves possible.</summary>
    public static double Lower(Measure measure) =>
        measure.Interval?.Low ?? measure.Value - Normal95 * (measure.StandardError ?? 0);

    /// <summary>Standard error of the measure, from its interval if it does not state one.</summary>
    public static double ErrorOf(Measure measure) =>
        measure.StandardError ?? (measure.Interval is { } i ? (i.High - i.Low) / (2 * Normal95) : 0);

    /// <summary>97.5 % quantile of the normal distribution.</summary>
    public const double Normal95 = 1.959964;

    private static string Superscript(int exponent) => string.Concat(
        exponent.ToString(CultureInfo.InvariantCulture).Select(c => c == '-' ? '⁻' : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c - '0']));
}
