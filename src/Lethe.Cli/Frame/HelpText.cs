using System.CommandLine;
using System.Text;

namespace Lethe.Cli.Frame;

/// <summary>Writes the help of a verb: examples first, then what it does, then arguments and options with their defaults and ranges.</summary>
public sealed class HelpText(int width)
{
    // Wider lines are hard to read, whatever the terminal.
    private readonly int width = Math.Min(width, 100);
    private readonly StringBuilder text = new();

    /// <summary>The help of the program as a whole.</summary>
    public static string OfProgram(IReadOnlyList<Verb> verbs, IReadOnlyList<Example> examples, string description, GlobalOptions global, int width)
    {
        var help = new HelpText(width);
        help.Examples(examples);
        help.text.Append("\nUsage: ./lethe VERB [arguments] [options]\n\n");
        help.Paragraphs(description);
        help.Verbs("./lethe", verbs);
        help.Options("Options of every verb:", global.All);
        help.Last();
        return help.text.ToString();
    }

    /// <summary>The help of one verb.</summary>
    /// <param name="called">How it is called, such as "./lethe data check".</param>
    /// <param name="verb">The verb.</param>
    /// <param name="global">The options that every verb has.</param>
    /// <param name="width">Columns, characters.</param>
    public static string OfVerb(string called, Verb verb, GlobalOptions global, int width)
    {
        var help = new HelpText(width);
        help.Examples(verb.Examples);
        var arguments = verb.Verbs.Count > 0 ? " VERB" : string.Concat(verb.Arguments.Select(Usage));
        help.text.Append($"\nUsage: {called}{arguments} [options]\n\n");
        help.Paragraphs(verb.Description);
        if (verb.Arguments.Count > 0)
        {
            help.text.Append("\nArguments:\n");
            help.Rows([.. verb.Arguments.Select(argument => (argument.Name, argument.Description!))]);
        }
        help.Verbs(called, verb.Verbs);
        if (verb.Options.Count > 0)
            help.Options("Options:", verb.Options);
        help.Options("Options of every verb:", global.All);
        if (verb.PlanKeys.Count > 0)
        {
            help.text.Append("\nKeys of PLAN:\n");
            help.Entries([.. verb.PlanKeys.Select(key => (key.Path, key.Description))]);
        }
        help.Last();
        return help.text.ToString();
    }

    private static string Usage(Argument argument) => argument.Arity.MinimumNumberOfValues > 0 ? " " + argument.Name : $" [{argument.Name}]";

    private void Examples(IReadOnlyList<Example> examples)
    {
        text.Append("Examples:\n");
        foreach (var example in examples)
            text.Append($"  # {example.Meaning}\n  ./lethe {example.Command}\n");
    }

    private void Verbs(string called, IReadOnlyList<Verb> verbs)
    {
        if (verbs.Count == 0)
            return;
        text.Append($"\nVerbs ({called} VERB --help says more):\n");
        Rows([.. verbs.Select(verb => (verb.Name, verb.Summary))]);
    }

    private void Options(string title, IReadOnlyList<Option> options)
    {
        text.Append($"\n{title}\n");
        Rows([.. options.Select(option => (Label(option), option.Description!))]);
    }

    private static string Label(Option option)
    {
        var names = string.Join(", ", option.Aliases.Append(option.Name));
        return option.Arity.MaximumNumberOfValues == 0 ? names : $"{names} {option.HelpName}";
    }

    private void Last() => text.Append("\nExit codes and more: docs/cli.md\n");

    private void Paragraphs(string paragraphs)
    {
        foreach (var line in Wrap(paragraphs, width))
            text.Append(line).Append('\n');
    }

    private void Rows(IReadOnlyList<(string Left, string Right)> rows)
    {
        var left = rows.Max(row => row.Left.Length) + 4;
        foreach (var row in rows)
        {
            var first = true;
            foreach (var line in Wrap(row.Right, Math.Max(20, width - left)))
            {
                text.Append((first ? "  " + row.Left : "").PadRight(left)).Append(line).Append('\n');
                first = false;
            }
        }
    }

    /// <summary>Names too long for a column of their own: each on a line, what it means below it.</summary>
    private void Entries(IReadOnlyList<(string Name, string Meaning)> entries)
    {
        foreach (var (name, meaning) in entries)
        {
            text.Append($"  {name}\n");
            foreach (var line in Wrap(meaning, width - 6))
                text.Append("      ").Append(line).Append('\n');
        }
    }

    private static IEnumerable<string> Wrap(string paragraphs, int width)
    {
        foreach (var paragraph in paragraphs.Split('\n'))
        {
            var line = new StringBuilder();
            foreach (var word in paragraph.Split(' '))
            {
                if (line.Length > 0 && line.Length + 1 + word.Length > width)
                {
                    yield return line.ToString();
                    line.Clear();
                }
                line.Append(line.Length > 0 ? " " : "").Append(word);
            }
            yield return line.ToString();
        }
    }
}
