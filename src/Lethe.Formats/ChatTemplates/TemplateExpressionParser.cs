using System.Globalization;

namespace Lethe.Formats.ChatTemplates;

/// <summary>Reads the expressions of a template, with Jinja2's precedence; they become functions of a <see cref="TemplateFrame"/>.</summary>
/// <remarks>pallets/jinja, src/jinja2/parser.py (parse_condexpr … parse_unary).</remarks>
internal sealed class TemplateExpressionParser(TemplateTokens tokens)
{
    private const int MaxDepth = 60;

    private static readonly string[] Comparisons = ["==", "!=", "<", ">", "<=", ">="];

    private int depth;

    /// <summary>An expression, or several with commas between them, which make a list.</summary>
    public TemplateExpression Tuple() => Tuple(Expression);

    /// <summary>The same, where an 'if' belongs to what follows (the list of a for loop).</summary>
    public TemplateExpression TupleWithoutCondition() => Tuple(Or);

    private TemplateExpression Tuple(Func<TemplateExpression> item)
    {
        var first = item();
        if (!tokens.Is(","))
            return first;
        var items = new List<TemplateExpression> { first };
        while (tokens.Skip(",") && !tokens.Is(")") && tokens.Current.Kind is not (TemplateTokenKind.BlockEnd or TemplateTokenKind.OutputEnd))
            items.Add(item());
        return List(items);
    }

    private static TemplateExpression List(List<TemplateExpression> items) => frame =>
    {
        frame.Charge(items.Count);
        return items.Select(item => item(frame)).ToList();
    };

    /// <summary>One expression, which may be a condition: value if test else other.</summary>
    public TemplateExpression Expression()
    {
        if (++depth > MaxDepth)
            throw tokens.Errors.At(tokens.Current.Line, $"expressions are nested more than {MaxDepth} deep");
        var value = Or();
        while (tokens.SkipName("if"))
        {
            var (then, test) = (value, Or());
            var otherwise = tokens.SkipName("else") ? Expression() : _ => new Undefined("the value of an if without else");
            value = Guarded(frame => TemplateValues.IsTrue(test(frame)) ? then(frame) : otherwise(frame));
        }
        depth--;
        return value;
    }

    private TemplateExpression Or()
    {
        var left = And();
        while (tokens.SkipName("or"))
        {
            var (first, second) = (left, And());
            left = Guarded(frame => first(frame) is var value && TemplateValues.IsTrue(value) ? value : second(frame));
        }
        return left;
    }

    private TemplateExpression And()
    {
        var left = Not();
        while (tokens.SkipName("and"))
        {
            var (first, second) = (left, Not());
            left = Guarded(frame => first(frame) is var value && !TemplateValues.IsTrue(value) ? value : second(frame));
        }
        return left;
    }

    private TemplateExpression Not()
    {
        var negations = 0;
        while (tokens.SkipName("not"))
            negations++;
        var value = Comparison();
        return negations == 0 ? value : frame => TemplateValues.IsTrue(value(frame)) == (negations % 2 == 0);
    }

    private TemplateExpression Comparison()
    {
        var first = Sum();
        var rest = new List<(string Mark, TemplateExpression Value)>();
        while (true)
        {
            if (tokens.Current.Kind == TemplateTokenKind.Operator && Comparisons.Contains(tokens.Current.Text))
                rest.Add((tokens.Next().Text, Sum()));
            else if (tokens.SkipName("in"))
                rest.Add(("in", Sum()));
            else if (tokens.IsName("not") && tokens.Ahead is { Kind: TemplateTokenKind.Name, Text: "in" })
            {
                tokens.Next();
                tokens.Next();
                rest.Add(("not in", Sum()));
            }
            else
                break;
        }
        if (rest.Count == 0)
            return first;
        return frame =>
        {
            var left = first(frame);
            foreach (var (mark, value) in rest)
            {
                var right = value(frame);
                if (!TemplateArithmetic.Compare(frame, mark, left, right))
                    return false;
                left = right;
            }
            return true;
        };
    }

    private TemplateExpression Sum() => Chain(Joined, "+", "-");

    private TemplateExpression Joined() => Chain(Product, "~");

    private TemplateExpression Product() => Chain(Power, "*", "/", "//", "%");

    private TemplateExpression Power() => Chain(() => Unary(true), "**");

    private TemplateExpression Chain(Func<TemplateExpression> part, params string[] marks)
    {
        var left = part();
        while (tokens.Current.Kind == TemplateTokenKind.Operator && marks.Contains(tokens.Current.Text))
        {
            var line = tokens.Current.Line;
            var (mark, first, second) = (tokens.Next().Text, left, part());
            left = frame =>
            {
                frame.Charge(1);
                var (x, y) = (first(frame), second(frame));
                frame.Line = line;
                return TemplateArithmetic.Apply(frame, mark, x, y);
            };
        }
        return left;
    }

    private TemplateExpression Unary(bool filters)
    {
        if (tokens.Is("-") || tokens.Is("+"))
        {
            if (++depth > MaxDepth)
                throw tokens.Errors.At(tokens.Current.Line, $"expressions are nested more than {MaxDepth} deep");
            var mark = tokens.Next().Text;
            var value = Unary(false);
            depth--;
            return WithFilters(frame => TemplateArithmetic.Apply(frame, mark, 0L, value(frame)), filters);
        }
        return WithFilters(WithMembers(Primary()), filters);
    }

    private TemplateExpression Primary()
    {
        var token = tokens.Next();
        switch (token.Kind)
        {
            case TemplateTokenKind.Name when token.Text is "true" or "True":
                return _ => true;
            case TemplateTokenKind.Name when token.Text is "false" or "False":
                return _ => false;
            case TemplateTokenKind.Name when token.Text is "none" or "None":
                return _ => null;
            case TemplateTokenKind.Name:
                return frame =>
                {
                    frame.Charge(1);
                    frame.Line = token.Line;
                    return frame.Find(token.Text);
                };
            case TemplateTokenKind.String:
                var text = token.Text;
                while (tokens.Current.Kind == TemplateTokenKind.String)
                    text += tokens.Next().Text;
                return _ => text;
            case TemplateTokenKind.Integer:
                var number = long.TryParse(token.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var whole) ? whole : throw tokens.Errors.At(token.Line, $"the number {token.Text} exceeds 64 bits");
                return _ => number;
            case TemplateTokenKind.Float:
                var real = double.Parse(token.Text, CultureInfo.InvariantCulture);
                return _ => real;
            case TemplateTokenKind.Operator when token.Text == "(":
                if (tokens.Skip(")"))
                    return _ => new List<object?>();
                var inner = Tuple();
                tokens.Expect(TemplateTokenKind.Operator, ")");
                return inner;
            case TemplateTokenKind.Operator when token.Text == "[":
                return List(Until("]", Expression));
            case TemplateTokenKind.Operator when token.Text == "{":
                return Mapping();
            default:
                throw tokens.Errors.At(token.Line, $"a value must come where '{token.Text}' stands");
        }
    }

    private List<T> Until<T>(string close, Func<T> item)
    {
        var items = new List<T>();
        while (!tokens.Skip(close))
        {
            if (items.Count > 0)
            {
                tokens.Expect(TemplateTokenKind.Operator, ",");
                if (tokens.Skip(close))
                    break;
            }
            items.Add(item());
        }
        return items;
    }

    private TemplateExpression Mapping()
    {
        var line = tokens.Current.Line;
        var pairs = Until("}", () =>
        {
            var key = Expression();
            tokens.Expect(TemplateTokenKind.Operator, ":");
            return (key, value: Expression());
        });
        return frame =>
        {
            frame.Line = line;
            frame.Charge(pairs.Count);
            var mapping = new OrderedDictionary<string, object?>(StringComparer.Ordinal);
            foreach (var (key, value) in pairs)
                mapping[TemplateValues.String(frame, key(frame), "the key of a mapping")] = value(frame);
            return mapping;
        };
    }

    /// <summary>.name, [index], [from:to:step] and calls behind a value.</summary>
    private TemplateExpression WithMembers(TemplateExpression value)
    {
        while (true)
        {
            var line = tokens.Current.Line;
            var owner = value;
            if (tokens.Skip("."))
            {
                var name = tokens.Current.Kind is TemplateTokenKind.Name or TemplateTokenKind.Integer ? tokens.Next().Text : throw tokens.Unexpected("a name");
                value = frame => TemplateMembers.Named(At(frame, line), owner(frame), name);
            }
            else if (tokens.Skip("["))
                value = Subscript(owner, line);
            else if (tokens.Is("("))
                value = Call(owner, line);
            else
                return value;
            value = Guarded(value);
        }
    }

    /// <summary>Long chains (a + a + …) are evaluated from the inside, so each link asks for leave before it calls the next.</summary>
    private static TemplateExpression Guarded(TemplateExpression value) => frame =>
    {
        frame.Charge(1);
        return value(frame);
    };

    private static TemplateFrame At(TemplateFrame frame, int line)
    {
        frame.Line = line;
        frame.Charge(1);
        return frame;
    }

    private TemplateExpression Subscript(TemplateExpression owner, int line)
    {
        var parts = new TemplateExpression?[3];
        var count = 0;
        var sliced = false;
        while (true)
        {
            if (!tokens.Is(":") && !tokens.Is("]"))
                parts[count] = Expression();
            if (!tokens.Skip(":"))
                break;
            sliced = true;
            if (++count > 2)
                throw tokens.Unexpected("']'");
        }
        if (!sliced && parts[0] is null)
            throw tokens.Unexpected("an index");
        tokens.Expect(TemplateTokenKind.Operator, "]");
        return sliced
            ? frame => TemplateMembers.Slice(At(frame, line), owner(frame), parts[0]?.Invoke(frame), parts[1]?.Invoke(frame), parts[2]?.Invoke(frame))
            : frame =>
            {
                var (container, index) = (owner(frame), parts[0]!(frame));
                return TemplateMembers.Indexed(At(frame, line), container, index);
            };
    }

    private (List<TemplateExpression> Plain, List<(string Name, TemplateExpression Value)> Named) Arguments()
    {
        var plain = new List<TemplateExpression>();
        var named = new List<(string, TemplateExpression)>();
        tokens.Expect(TemplateTokenKind.Operator, "(");
        Until(")", () =>
        {
            if (tokens.Is("*") || tokens.Is("**"))
                throw tokens.Errors.Unsupported(tokens.Current.Line, "an argument with a star");
            if (tokens.Current.Kind == TemplateTokenKind.Name && tokens.Ahead is { Kind: TemplateTokenKind.Operator, Text: "=" })
            {
                var name = tokens.Name();
                tokens.Next();
                named.Add((name, Expression()));
            }
            else
                plain.Add(Expression());
            return true;
        });
        return (plain, named);
    }

    private static (List<object?> Plain, Dictionary<string, object?> Named) Computed(TemplateFrame frame, (List<TemplateExpression> Plain, List<(string Name, TemplateExpression Value)> Named) arguments)
    {
        var named = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (name, value) in arguments.Named)
            named[name] = value(frame);
        return (arguments.Plain.Select(value => value(frame)).ToList(), named);
    }

    private TemplateExpression Call(TemplateExpression owner, int line)
    {
        var arguments = Arguments();
        return frame =>
        {
            var callee = owner(frame);
            var (plain, named) = Computed(frame, arguments);
            return callee is TemplateFunction function ? function(At(frame, line), plain, named) : throw At(frame, line).Error($"{TemplateValues.Kind(callee)} is called like a function");
        };
    }

    /// <summary>| filters, 'is' tests, and calls behind them.</summary>
    private TemplateExpression WithFilters(TemplateExpression value, bool allowed)
    {
        while (allowed)
        {
            var line = tokens.Current.Line;
            var subject = value;
            if (tokens.Skip("|"))
            {
                var name = tokens.Name();
                var filter = TemplateFilters.Find(name) ?? throw tokens.Errors.Unsupported(line, $"the filter '{name}'");
                var arguments = tokens.Is("(") ? Arguments() : ([], []);
                value = frame =>
                {
                    var given = subject(frame);
                    var (plain, named) = Computed(frame, arguments);
                    return filter(At(frame, line), [given, .. plain], named);
                };
            }
            else if (tokens.SkipName("is"))
            {
                var negated = tokens.SkipName("not");
                var name = tokens.Name();
                var test = TemplateTests.Find(name) ?? throw tokens.Errors.Unsupported(line, $"the test '{name}'");
                var argument = test.TakesArgument ? Unary(false) : null;
                value = frame =>
                {
                    var (given, other) = (subject(frame), argument?.Invoke(frame));
                    return test.Holds(At(frame, line), given, other) != negated;
                };
            }
            else
                break;
            value = Guarded(value);
        }
        return value;
    }
}
