using Lethe.Torch;

namespace Lethe.Formats.ChatTemplates;

/// <summary>What a statement ends with.</summary>
internal enum TemplateFlow
{
    Next,
    Break,
    Continue,
}

/// <summary>A part of a template, ready to run.</summary>
internal delegate TemplateFlow TemplateStatement(TemplateFrame frame);

/// <summary>A value of a template, ready to be computed.</summary>
internal delegate object? TemplateExpression(TemplateFrame frame);

/// <summary>
/// Reads the statements of a template: if, for, set, macro, break, continue and transformers' generation. Any other one is refused by name.
/// </summary>
/// <remarks>pallets/jinja, src/jinja2/parser.py; the environment of transformers' chat_template_utils.</remarks>
internal sealed class TemplateParser
{
    private const int MaxDepth = 60;

    private readonly TemplateTokens tokens;
    private readonly TemplateExpressionParser expressions;
    private int depth, loops;

    private TemplateParser(TemplateTokens tokens) => (this.tokens, expressions) = (tokens, new TemplateExpressionParser(tokens));

    public static TemplateStatement Parse(string source, TemplateErrors errors)
    {
        var parser = new TemplateParser(new TemplateTokens(TemplateLexer.Read(source, errors), errors));
        var body = parser.Body();
        return parser.tokens.Current.Kind == TemplateTokenKind.End ? body : throw parser.tokens.Unexpected("text or a tag");
    }

    /// <summary>Statements up to a block whose name is one of these, which stays, its BlockBegin read; or to the end of the template.</summary>
    private TemplateStatement Body(params string[] ends)
    {
        if (++depth > MaxDepth)
            throw tokens.Errors.At(tokens.Current.Line, $"blocks are nested more than {MaxDepth} deep");
        var statements = new List<TemplateStatement>();
        while (true)
        {
            var token = tokens.Current;
            if (token.Kind == TemplateTokenKind.End)
            {
                if (ends.Length > 0)
                    throw tokens.Errors.At(token.Line, $"the template ends where '{ends[^1]}' must come");
                break;
            }
            tokens.Next();
            if (token.Kind == TemplateTokenKind.Text)
                statements.Add(Written(token.Text));
            else if (token.Kind == TemplateTokenKind.OutputBegin)
            {
                statements.Add(Output(token.Line, expressions.Tuple()));
                tokens.Expect(TemplateTokenKind.OutputEnd, "}}");
            }
            else if (ends.Contains(tokens.Current.Text) && tokens.Current.Kind == TemplateTokenKind.Name)
                break;
            else
                statements.Add(Statement());
        }
        depth--;
        var all = statements.ToArray();
        return frame =>
        {
            foreach (var statement in all)
                if (statement(frame) is var flow and not TemplateFlow.Next)
                    return flow;
            return TemplateFlow.Next;
        };
    }

    private static TemplateStatement Written(string text) => frame =>
    {
        frame.Write(text);
        return TemplateFlow.Next;
    };

    private static TemplateStatement Output(int line, TemplateExpression value) => frame =>
    {
        frame.Line = line;
        frame.Write(TemplateValues.Text(frame, value(frame)));
        return TemplateFlow.Next;
    };

    private TemplateStatement Statement()
    {
        var line = tokens.Current.Line;
        var name = tokens.Name();
        switch (name)
        {
            case "if":
                return If();
            case "for":
                return For(line);
            case "set":
                return Set(line);
            case "macro":
                return Macro(line);
            case "generation":
                // Marks the assistant's words for training; what is rendered does not change.
                EndBlock();
                return Until("endgeneration");
            case "break" or "continue":
                if (loops == 0)
                    throw tokens.Errors.At(line, $"'{name}' stands outside a loop");
                EndBlock();
                return name == "break" ? _ => TemplateFlow.Break : _ => TemplateFlow.Continue;
            default:
                throw tokens.Errors.Unsupported(line, $"the statement '{name}'");
        }
    }

    private void EndBlock() => tokens.Expect(TemplateTokenKind.BlockEnd, "%}");

    private TemplateStatement Until(string end)
    {
        var body = Body(end);
        tokens.Next();
        EndBlock();
        return body;
    }

    private TemplateStatement If()
    {
        var branches = new List<(TemplateExpression? Test, TemplateStatement Body)>();
        TemplateExpression? test = expressions.Tuple();
        while (true)
        {
            EndBlock();
            var body = test is null ? Body("endif") : Body("elif", "else", "endif");
            branches.Add((test, body));
            var next = tokens.Name();
            if (next == "endif")
                break;
            test = next == "elif" ? expressions.Tuple() : null;
        }
        EndBlock();
        var all = branches.ToArray();
        return frame =>
        {
            foreach (var (condition, body) in all)
                if (condition is null || TemplateValues.IsTrue(condition(frame)))
                    return body(frame);
            return TemplateFlow.Next;
        };
    }

    private TemplateStatement For(int line)
    {
        var targets = Targets();
        tokens.ExpectName("in");
        var list = expressions.TupleWithoutCondition();
        var filter = tokens.SkipName("if") ? expressions.Expression() : null;
        if (tokens.Current is { Kind: TemplateTokenKind.Name, Text: "recursive" })
            throw tokens.Errors.Unsupported(line, "a recursive loop");
        EndBlock();
        loops++;
        var body = Body("else", "endfor");
        loops--;
        var otherwise = (TemplateStatement?)null;
        if (tokens.Name() == "else")
        {
            EndBlock();
            otherwise = Body("endfor");
            tokens.Next();
        }
        EndBlock();
        return new TemplateLoop(line, targets, list, filter, body, otherwise).Run;
    }

    private string[] Targets()
    {
        var targets = new List<string>();
        do
            targets.Add(tokens.Name());
        while (tokens.Skip(","));
        return [.. targets];
    }

    private TemplateStatement Set(int line)
    {
        var targets = Targets();
        var member = targets.Length == 1 && tokens.Skip(".") ? tokens.Name() : null;
        TemplateExpression value;
        if (tokens.Skip("="))
        {
            value = expressions.Tuple();
            EndBlock();
        }
        else
        {
            EndBlock();
            var body = Until("endset");
            value = frame => frame.Capture(() => body(frame));
        }
        return frame =>
        {
            frame.Line = line;
            frame.Charge(1);
            var computed = value(frame);
            if (member is not null)
                (frame.Find(targets[0]) as TemplateNamespace ?? throw frame.Error($"'{targets[0]}.{member}' is set, but '{targets[0]}' is no namespace")).Members[member] = computed;
            else
                Assign(frame, targets, computed);
            return TemplateFlow.Next;
        };
    }

    internal static void Assign(TemplateFrame frame, string[] targets, object? value)
    {
        if (targets.Length == 1)
        {
            frame.Set(targets[0], value);
            return;
        }
        var items = TemplateValues.Items(frame, value);
        if (items.Count != targets.Length)
            throw frame.Error($"{items.Count} values are assigned to the {targets.Length} names {string.Join(", ", targets)}");
        for (var i = 0; i < targets.Length; i++)
            frame.Set(targets[i], items[i]);
    }

    private TemplateStatement Macro(int line)
    {
        var name = tokens.Name();
        tokens.Expect(TemplateTokenKind.Operator, "(");
        var parameters = new List<(string Name, TemplateExpression? Default)>();
        while (!tokens.Skip(")"))
        {
            if (parameters.Count > 0)
                tokens.Expect(TemplateTokenKind.Operator, ",");
            parameters.Add((tokens.Name(), tokens.Skip("=") ? expressions.Expression() : null));
        }
        EndBlock();
        var outer = loops;
        loops = 0;
        var body = Until("endmacro");
        loops = outer;
        return frame =>
        {
            frame.Line = line;
            frame.Set(name, (TemplateFunction)((inner, arguments, named) => inner.Nested(() => inner.Capture(() =>
            {
                if (arguments.Count > parameters.Count || named.Keys.FirstOrDefault(key => !parameters.Exists(parameter => parameter.Name == key)) is not null)
                    throw inner.Error($"the macro '{name}' is called with arguments that it does not have");
                inner.Charge(parameters.Count + 1);
                var values = parameters.Select((parameter, i) => i < arguments.Count ? arguments[i] : named.TryGetValue(parameter.Name, out var given) ? given
                    : parameter.Default is { } otherwise ? otherwise(inner) : new Undefined(parameter.Name)).ToArray();
                inner.Open();
                for (var i = 0; i < values.Length; i++)
                    inner.Set(parameters[i].Name, values[i]);
                body(inner);
                inner.Close();
            }))));
            return TemplateFlow.Next;
        };
    }
}

/// <summary>A for loop: its own scope for each item, the variable 'loop', an else for an empty list.</summary>
internal sealed class TemplateLoop(int line, string[] targets, TemplateExpression list, TemplateExpression? filter, TemplateStatement body, TemplateStatement? otherwise)
{
    public TemplateFlow Run(TemplateFrame frame)
    {
        frame.Line = line;
        var items = TemplateValues.Items(frame, list(frame));
        if (filter is not null)
            items = items.Where(item => InScope(frame, item, null, () => TemplateValues.IsTrue(filter(frame)))).ToList();
        if (items.Count == 0)
            return otherwise?.Invoke(frame) ?? TemplateFlow.Next;
        for (var i = 0; i < items.Count; i++)
        {
            var loop = new OrderedDictionary<string, object?>
            {
                ["index"] = i + 1L,
                ["index0"] = (long)i,
                ["revindex"] = (long)(items.Count - i),
                ["revindex0"] = (long)(items.Count - i - 1),
                ["first"] = i == 0,
                ["last"] = i == items.Count - 1,
                ["length"] = (long)items.Count,
                ["depth"] = 1L,
            };
            if (i > 0)
                loop["previtem"] = items[i - 1];
            if (i + 1 < items.Count)
                loop["nextitem"] = items[i + 1];
            if (InScope(frame, items[i], loop, () => body(frame)) == TemplateFlow.Break)
                break;
        }
        return TemplateFlow.Next;
    }

    private T InScope<T>(TemplateFrame frame, object? item, object? loop, Func<T> run)
    {
        frame.Charge(4);
        frame.Open();
        frame.Line = line;
        TemplateParser.Assign(frame, targets, item);
        if (loop is not null)
            frame.Set("loop", loop);
        var result = run();
        frame.Close();
        return result;
    }
}

/// <summary>The tokens of a template and a place among them.</summary>
internal sealed class TemplateTokens(List<TemplateToken> tokens, TemplateErrors errors)
{
    private int at;

    public TemplateErrors Errors => errors;

    public TemplateToken Current => tokens[at];

    public TemplateToken Ahead => tokens[Math.Min(at + 1, tokens.Count - 1)];

    public TemplateToken Next() => tokens[at < tokens.Count - 1 ? at++ : at];

    public BadInputException Unexpected(string wanted) => errors.At(Current.Line, $"{wanted} must come where '{(Current.Text.Length > 40 ? Current.Text[..40] + "…" : Current.Text)}' stands");

    public bool Is(string mark) => Current.Kind == TemplateTokenKind.Operator && Current.Text == mark;

    public bool IsName(string name) => Current.Kind == TemplateTokenKind.Name && Current.Text == name;

    public bool Skip(string mark)
    {
        var found = Is(mark);
        if (found)
            at++;
        return found;
    }

    public bool SkipName(string name)
    {
        var found = IsName(name);
        if (found)
            at++;
        return found;
    }

    public void Expect(TemplateTokenKind kind, string text)
    {
        if (Current.Kind != kind || Current.Text != text)
            throw Unexpected($"'{text}'");
        at++;
    }

    public void ExpectName(string name) => Expect(TemplateTokenKind.Name, name);

    public string Name() => Current.Kind == TemplateTokenKind.Name ? Next().Text : throw Unexpected("a name");
}
