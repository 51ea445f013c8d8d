using System.Runtime.CompilerServices;
using Lethe.Torch;

namespace Lethe.Formats.ChatTemplates;

/// <summary>What a template sees and does while it is rendered: variables by scope, the text so far, and how much it may still do.</summary>
internal sealed class TemplateFrame(TemplateErrors errors)
{
    /// <summary>Templates come from strangers: one may not run for ever, nor fill the memory, nor the stack.</summary>
    private const long MaxWork = 20_000_000;

    private const int MaxOutput = 16 << 20, MaxDepth = 200;

    private readonly Stack<Dictionary<string, object?>> scopes = new([new Dictionary<string, object?>(StringComparer.Ordinal)]);
    private System.Text.StringBuilder output = new();
    private long work;
    private int depth;

    public TemplateErrors Errors => errors;

    /// <summary>The present time, for strftime_now; null where there is none.</summary>
    public TimeProvider? Clock { get; init; }

    /// <summary>The line of the statement or expression at work.</summary>
    public int Line { get; set; } = 1;

    public BadInputException Error(string why) => errors.At(Line, why);

    /// <summary>Counts work, one unit for each step and for every few characters made, and sees that the stack suffices for one more level.</summary>
    public void Charge(long units)
    {
        work += units;
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw Error("the template is nested too deep");
        if (work > MaxWork)
            throw Error("the template does too much; a conversation of this length should need a thousandth of it");
    }

    /// <summary>Counts a text that was made, and refuses an absurdly long one.</summary>
    public string Made(string text)
    {
        Charge(text.Length / 8);
        return text.Length <= MaxOutput ? text : throw Error($"a text of {text.Length} characters was made; at most {MaxOutput} are allowed");
    }

    public void Write(string text)
    {
        Charge(1 + text.Length / 8);
        if (output.Length + text.Length > MaxOutput)
            throw Error($"the output exceeds {MaxOutput} characters");
        output.Append(text);
    }

    public string Output => output.ToString();

    /// <summary>Runs something whose output is wanted as a text.</summary>
    public string Capture(Action body)
    {
        var outer = output;
        output = new System.Text.StringBuilder();
        try
        {
            body();
            return output.ToString();
        }
        finally
        {
            output = outer;
        }
    }

    /// <summary>Runs something one level deeper.</summary>
    public T Nested<T>(Func<T> body)
    {
        if (++depth > MaxDepth)
            throw Error($"the template calls itself more than {MaxDepth} deep");
        try
        {
            return body();
        }
        finally
        {
            depth--;
        }
    }

    public void Open() => scopes.Push(new Dictionary<string, object?>(StringComparer.Ordinal));

    public void Close() => scopes.Pop();

    public void Set(string name, object? value) => scopes.Peek()[name] = value;

    public object? Find(string name)
    {
        foreach (var scope in scopes)
            if (scope.TryGetValue(name, out var value))
                return value;
        return new Undefined(name);
    }
}
