using System.Globalization;
using System.Text;
using Lethe.Torch;

namespace Lethe.Formats.ChatTemplates;

/// <summary>One turn of a conversation.</summary>
/// <param name="Role">"system", "user", "assistant", or what else the template knows.</param>
/// <param name="Content">What was said.</param>
public sealed record ChatMessage(string Role, string Content);

/// <summary>
/// A model's chat template: how a conversation is written for it. The part of Jinja that the templates of Llama, Mistral, Qwen, Gemma, SmolLM and Phi use,
/// as transformers runs it; what lies beyond is refused with its name and line. A template is a program from a stranger: it can reach nothing but what it is
/// given, and time, output and nesting are bounded.
/// </summary>
/// <remarks>pallets/jinja; transformers, utils/chat_template_utils.py (trim_blocks, lstrip_blocks, raise_exception, strftime_now, tojson).</remarks>
public sealed class ChatTemplate
{
    private const int MaxLength = 1 << 20;

    private readonly TemplateStatement body;
    private readonly TemplateErrors errors;

    private ChatTemplate(string jinja, string source)
    {
        errors = new TemplateErrors(source);
        if (jinja.Length > MaxLength)
            throw errors.At(1, $"the template has {jinja.Length} characters; at most {MaxLength} are allowed");
        Text = jinja;
        body = TemplateParser.Parse(jinja, errors);
    }

    /// <summary>The template as it was given.</summary>
    public string Text { get; }

    /// <summary>Reads a template.</summary>
    /// <param name="jinja">Its text.</param>
    /// <param name="source">Where it came from, for errors.</param>
    /// <exception cref="BadInputException">It is malformed or uses something that Lethe does not support; the message names the line and the construct.</exception>
    public static ChatTemplate Parse(string jinja, string source)
    {
        ArgumentNullException.ThrowIfNull(jinja);
        return new ChatTemplate(jinja, source);
    }

    /// <summary>Writes a conversation.</summary>
    /// <param name="messages">The turns in order.</param>
    /// <param name="addGenerationPrompt">End with what makes the model answer.</param>
    /// <param name="specialTokens">bos_token, eos_token, … by these names.</param>
    /// <param name="clock">What strftime_now tells; without it that function is undefined, so that the text depends on nothing but the arguments (templates that ask "is defined" then use their fixed date).</param>
    /// <param name="variables">More variables, such as enable_thinking: texts, whole numbers, truth values.</param>
    /// <exception cref="BadInputException">The template refuses the conversation (raise_exception), does what has no meaning, or does too much.</exception>
    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, IReadOnlyDictionary<string, string> specialTokens, TimeProvider? clock = null,
        IReadOnlyDictionary<string, object?>? variables = null)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(specialTokens);
        var frame = new TemplateFrame(errors) { Clock = clock };
        TemplateGlobals.Define(frame);
        foreach (var (name, token) in specialTokens)
            frame.Set(name, token);
        foreach (var (name, value) in variables ?? new Dictionary<string, object?>())
            frame.Set(name, value switch
            {
                int number => (long)number,
                null or string or long or bool or double => value,
                _ => throw new ArgumentException($"the variable {name} is a {value.GetType().Name}; texts, numbers and truth values are allowed.", nameof(variables)),
            });
        frame.Set("messages", messages.Select(message => (object?)new OrderedDictionary<string, object?>(StringComparer.Ordinal) { ["role"] = message.Role, ["content"] = message.Content }).ToList());
        frame.Set("tools", null);
        frame.Set("documents", null);
        frame.Set("add_generation_prompt", addGenerationPrompt);
        body(frame);
        return frame.Output;
    }
}

/// <summary>The functions that a template can call.</summary>
internal static class TemplateGlobals
{
    private const int MaxRange = 100_000;

    public static void Define(TemplateFrame frame)
    {
        frame.Set("raise_exception", (TemplateFunction)((inner, arguments, _) => throw inner.Error($"the template refuses this conversation: {TemplateValues.Text(inner, arguments.ElementAtOrDefault(0)).TrimEnd('.')}")));
        frame.Set("namespace", (TemplateFunction)Namespace);
        frame.Set("range", (TemplateFunction)Range);
        frame.Set("dict", (TemplateFunction)((_, _, named) => new OrderedDictionary<string, object?>(named, StringComparer.Ordinal)));
        if (frame.Clock is not null)
            frame.Set("strftime_now", (TemplateFunction)((inner, arguments, _) => Time(inner, TemplateValues.String(inner, arguments.ElementAtOrDefault(0), "the format of strftime_now"))));
    }

    private static object Namespace(TemplateFrame frame, IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named)
    {
        var space = new TemplateNamespace();
        if (arguments.Count > 0)
            foreach (var (name, value) in arguments[0] as OrderedDictionary<string, object?> ?? throw frame.Error($"namespace() is given {TemplateValues.Kind(arguments[0])}"))
                space.Members[name] = value;
        foreach (var (name, value) in named)
            space.Members[name] = value;
        return space;
    }

    private static object Range(TemplateFrame frame, IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named)
    {
        if (arguments.Count is < 1 or > 3)
            throw frame.Error($"range() takes 1 to 3 numbers and is given {arguments.Count}");
        var numbers = arguments.Select(argument => TemplateValues.Integer(frame, argument, "what range() is given")).ToArray();
        var (from, to, step) = numbers.Length == 1 ? (0, numbers[0], 1) : (numbers[0], numbers[1], numbers.Length == 3 ? numbers[2] : 1);
        if (step == 0)
            throw frame.Error("the step of range() is zero");
        var length = step > 0 ? ((Int128)to - from + step - 1) / step : ((Int128)from - to - step - 1) / -(Int128)step;
        if (length > MaxRange)
            throw frame.Error($"range() has {length} numbers; at most {MaxRange} are allowed");
        frame.Charge(length > 0 ? (long)length : 0);
        var list = new List<object?>();
        for (var i = 0; i < length; i++)
            list.Add(from + i * step);
        return list;
    }

    private static string Time(TemplateFrame frame, string format)
    {
        var now = frame.Clock!.GetLocalNow();
        var text = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                text.Append(format[i]);
                continue;
            }
            var mark = format[++i];
            text.Append(mark switch
            {
                '%' => "%",
                'j' => now.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
                _ => now.ToString(mark switch
                {
                    'd' => "dd",
                    'm' => "MM",
                    'b' => "MMM",
                    'B' => "MMMM",
                    'y' => "yy",
                    'Y' => "yyyy",
                    'H' => "HH",
                    'I' => "hh",
                    'M' => "mm",
                    'S' => "ss",
                    'p' => "tt",
                    'a' => "ddd",
                    'A' => "dddd",
                    _ => throw frame.Errors.Unsupported(frame.Line, $"the time format '%{mark}'"),
                }, CultureInfo.InvariantCulture),
            });
        }
        return text.ToString();
    }
}
