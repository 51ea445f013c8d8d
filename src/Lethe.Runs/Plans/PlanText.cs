using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Lethe.Runs.Plans;

/// <summary>Single values as plans write them, and back.</summary>
public static partial class PlanText
{
    /// <summary>A value as a plan writes it; reading it gives the same value.</summary>
    public static string Of(object? value) => value switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        string text => Plain().IsMatch(text) && !Reserved().IsMatch(text) ? text : Quote(text),
        Enum word => JsonNamingPolicy.SnakeCaseLower.ConvertName(word.ToString()),
        double number => number.ToString("R", CultureInfo.InvariantCulture).ToLowerInvariant(),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => throw new NotSupportedException($"{value.GetType()} is no single value."),
    };

    /// <summary>Reads a single value.</summary>
    /// <returns>The value, or null with what is wrong in <paramref name="problem"/>.</returns>
    internal static object? Read(PlanScalar scalar, PlanScalarType type, out string problem)
    {
        problem = $"{Shown(scalar)} is not {(type.Type.IsEnum ? "known" : type.Words)}";
        if (type.Type == typeof(string))
            return scalar.Text;
        if (type.Type.IsEnum)
        {
            var words = type.EnumWords;
            var index = words.ToList().IndexOf(scalar.Text);
            if (index >= 0)
                return Enum.GetValues(type.Type).GetValue(index);
            problem += $"{NearestWord.Hint(scalar.Text, words)} ({type.Words})";
            return null;
        }
        if (scalar.Quoted)
        {
            problem = $"{Shown(scalar)} is text; this must be {type.Words}, without quotes";
            return null;
        }
        if (type.Type == typeof(bool))
            return scalar.Text switch { "true" => true, "false" => false, _ => null };
        if (type.Type == typeof(double))
            return double.TryParse(scalar.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real) ? real : null;
        if (long.TryParse(scalar.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
        {
            if (type.Type == typeof(long))
                return whole;
            if (whole is >= int.MinValue and <= int.MaxValue)
                return (int)whole;
            problem = $"{Shown(scalar)} is out of range; this must be a whole number from {int.MinValue} to {int.MaxValue}";
        }
        else if (WholeNumber().IsMatch(scalar.Text))
        {
            problem = $"{Shown(scalar)} is out of range; this must be a whole number from {long.MinValue} to {long.MaxValue}";
        }
        return null;
    }

    /// <summary>
    /// A value that was written without quotes and whose type is not known here. Numbers and words stay bare; what could be nothing but
    /// text is quoted, since commas and brackets would mean something on one line.
    /// </summary>
    internal static string Bare(string text) => Word().IsMatch(text) ? text : Quote(text);

    /// <summary>A scalar as an error shows it.</summary>
    internal static string Shown(PlanScalar scalar) => scalar.Text.Length <= 60 ? $"'{scalar.Text}'" : $"'{scalar.Text[..57]}...'";

    /// <summary>A text in YAML's double quotes.</summary>
    internal static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            quoted.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\t' => "\\t",
                '\r' => "\\r",
                // What YAML does not let through as it is: control characters, the line separators, a byte order mark, lone halves.
                _ when char.IsControl(c) || c is '\u2028' or '\u2029' or '\uFEFF' or '\uFFFE' or '\uFFFF' => $"\\u{(int)c:X4}",
                _ => c.ToString(),
            });
        }
        return quoted.Append('"').ToString();
    }

    [GeneratedRegex(@"^[A-Za-z_./][A-Za-z0-9_./+-]*( [A-Za-z0-9_./+(][A-Za-z0-9_./+()-]*)*$", RegexOptions.CultureInvariant)]
    private static partial Regex Plain();

    [GeneratedRegex(@"^([~]|null|true|false|yes|no|on|off|y|n|\.inf|\.nan|[.]?[0-9].*|\.{3}.*)$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Reserved();

    [GeneratedRegex(@"^[A-Za-z0-9_.+][A-Za-z0-9_.+/-]*$|^-[0-9.]+([eE][+-]?[0-9]+)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Word();

    [GeneratedRegex(@"^[+-]?[0-9]+$", RegexOptions.CultureInvariant)]
    private static partial Regex WholeNumber();
}
