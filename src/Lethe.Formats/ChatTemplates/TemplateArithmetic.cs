namespace Lethe.Formats.ChatTemplates;

/// <summary>Operators with Python's meaning.</summary>
internal static class TemplateArithmetic
{
    public static bool Compare(TemplateFrame frame, string mark, object? left, object? right) => mark switch
    {
        "==" => TemplateValues.Same(frame, left, right),
        "!=" => !TemplateValues.Same(frame, left, right),
        "in" => TemplateValues.Contains(frame, right, left),
        "not in" => !TemplateValues.Contains(frame, right, left),
        "<" => TemplateValues.Compare(frame, left, right) < 0,
        ">" => TemplateValues.Compare(frame, left, right) > 0,
        "<=" => TemplateValues.Compare(frame, left, right) <= 0,
        _ => TemplateValues.Compare(frame, left, right) >= 0,
    };

    public static object? Apply(TemplateFrame frame, string mark, object? left, object? right)
    {
        frame.Charge(1);
        if (mark == "~")
            return frame.Made(TemplateValues.Text(frame, left) + TemplateValues.Text(frame, right));
        if (mark == "+" && left is string first && right is string second)
            return frame.Made(first + second);
        if (mark == "+" && left is List<object?> list && right is List<object?> more)
        {
            frame.Charge(list.Count + more.Count);
            return list.Concat(more).ToList();
        }
        if (mark == "*" && (left as string ?? right as string) is { } text && (left is string ? right : left) is long times)
        {
            frame.Charge(Math.Clamp(times, 0, int.MaxValue) * text.Length / 8);
            return times <= 0 ? "" : frame.Made(string.Concat(Enumerable.Repeat(text, (int)times)));
        }
        if (left is string or List<object?> or Undefined or null || right is string or List<object?> or Undefined or null)
            throw frame.Error($"'{mark}' is applied to {TemplateValues.Kind(left)} and {TemplateValues.Kind(right)}");
        return left is double || right is double || mark == "/" || mark == "**" && right is long and < 0
            ? Real(frame, mark, Number(frame, mark, left), Number(frame, mark, right))
            : Whole(frame, mark, TemplateValues.Integer(frame, left, $"the left side of '{mark}'"), TemplateValues.Integer(frame, right, $"the right side of '{mark}'"));
    }

    private static double Number(TemplateFrame frame, string mark, object? value) => TemplateValues.Numeric(value) ?? throw frame.Error($"'{mark}' is applied to {TemplateValues.Kind(value)}");

    private static object Real(TemplateFrame frame, string mark, double left, double right) => mark switch
    {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "**" => Math.Pow(left, right),
        _ when right == 0 => throw frame.Error("a number is divided by zero"),
        "/" => left / right,
        "//" => Math.Floor(left / right),
        _ => left - right * Math.Floor(left / right),
    };

    private static object Whole(TemplateFrame frame, string mark, long left, long right)
    {
        try
        {
            return checked(mark switch
            {
                "+" => left + right,
                "-" => left - right,
                "*" => left * right,
                "**" => Power(left, right),
                _ when right == 0 => throw frame.Error("a number is divided by zero"),
                "//" => left / right - (left % right != 0 && (left < 0) != (right < 0) ? 1 : 0),
                _ => right == -1 ? 0 : (left % right + right) % right,
            });
        }
        catch (OverflowException)
        {
            throw frame.Error($"the result of '{mark}' exceeds 64 bits");
        }
    }

    private static long Power(long left, long right)
    {
        var result = 1L;
        // Beyond 64 steps every base but −1, 0 and 1 overflows.
        for (var i = 0L; i < Math.Min(right, left is >= -1 and <= 1 ? 2 + right % 2 : 64); i++)
            result = checked(result * left);
        return result;
    }
}
