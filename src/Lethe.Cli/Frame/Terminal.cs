using System.Text;
using Spectre.Console;

namespace Lethe.Cli.Frame;

/// <summary>The two streams of a command line, and what their ends can show.</summary>
/// <param name="Output">Where results go.</param>
/// <param name="Error">Where progress and errors go.</param>
public sealed record Terminal(TextWriter Output, TextWriter Error)
{
    /// <summary>Columns of a page that is no terminal: wide enough for tables, narrow enough to read in a log.</summary>
    public const int PageWidth = 120;

    /// <summary>Whether stdout is a terminal.</summary>
    public bool OutputIsTerminal { get; init; }

    /// <summary>Whether stderr is a terminal, so that bars may be redrawn there.</summary>
    public bool ErrorIsTerminal { get; init; }

    /// <summary>Columns of the terminal, characters.</summary>
    public int Width { get; init; } = PageWidth;

    /// <summary>Whether colours are allowed; the user's NO_COLOR forbids them.</summary>
    public bool Colours { get; init; }

    /// <summary>Whether the terminal's character set has more than ASCII, so that lines may be drawn with box characters.</summary>
    public bool Unicode { get; init; }

    /// <summary>The streams of this process.</summary>
    public static Terminal OfThisProcess()
    {
        var dumb = Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb";
        return new Terminal(Console.Out, Console.Error)
        {
            OutputIsTerminal = !Console.IsOutputRedirected && !dumb,
            ErrorIsTerminal = !Console.IsErrorRedirected && !dumb,
            Width = ColumnsOfThisProcess(),
            Colours = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")),
            Unicode = LocaleHasUnicode(Environment.GetEnvironmentVariable),
        };
    }

    /// <summary>A console that draws tables and the like on stdout.</summary>
    public IAnsiConsole OutputConsole() => Make(Output, OutputIsTerminal);

    /// <summary>A console that draws progress on stderr.</summary>
    public IAnsiConsole ErrorConsole() => Make(Error, ErrorIsTerminal);

    /// <summary>Whether the locale, by the first of LC_ALL, LC_CTYPE and LANG that is set, is a UTF-8 one.</summary>
    /// <param name="variable">Reads an environment variable.</param>
    public static bool LocaleHasUnicode(Func<string, string?> variable)
    {
        var locale = new[] { "LC_ALL", "LC_CTYPE", "LANG" }.Select(variable).FirstOrDefault(value => !string.IsNullOrEmpty(value)) ?? "";
        return locale.Contains("UTF-8", StringComparison.OrdinalIgnoreCase) || locale.Contains("utf8", StringComparison.OrdinalIgnoreCase);
    }

    private IAnsiConsole Make(TextWriter writer, bool isTerminal)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = isTerminal ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = isTerminal && Colours ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            // Spectre draws bars only where it believes that it may also ask questions.
            Interactive = isTerminal ? InteractionSupport.Yes : InteractionSupport.No,
            Out = new Stream(writer, isTerminal, isTerminal ? Width : PageWidth),
            // Enrichers guess from build servers' variables; what was found out here holds.
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
        console.Profile.Capabilities.Unicode = isTerminal && Unicode;
        return console;
    }

    private static int ColumnsOfThisProcess()
    {
        if (Console.IsOutputRedirected)
            return PageWidth;
        // A terminal that does not know its size says 0.
        try
        {
            return Console.WindowWidth is > 20 and var width ? width : PageWidth;
        }
        catch (IOException)
        {
            return PageWidth;
        }
    }

    private sealed class Stream(TextWriter writer, bool isTerminal, int width) : IAnsiConsoleOutput
    {
        public TextWriter Writer => writer;

        public bool IsTerminal => isTerminal;

        public int Width => width;

        public int Height => 24;

        public void SetEncoding(Encoding encoding)
        {
            // The streams of this process write UTF-8 whatever Spectre thinks of it.
        }
    }
}
