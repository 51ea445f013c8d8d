using Lethe.Cli.Frame;
using Spectre.Console;

namespace Lethe.Cli.Tests.Frame;

public sealed class TerminalTests
{
    [Theory]
    [InlineData(true, "C.UTF-8", null, null)]
    [InlineData(true, null, null, "ja_JP.utf8")]
    [InlineData(false, "C", null, "en_GB.UTF-8")]
    [InlineData(false, null, null, null)]
    [InlineData(true, "", "de_DE.UTF-8", "C")]
    public void The_first_locale_variable_that_is_set_decides_about_box_characters(bool unicode, string? all, string? type, string? lang)
    {
        var variables = new Dictionary<string, string?> { ["LC_ALL"] = all, ["LC_CTYPE"] = type, ["LANG"] = lang };

        Assert.Equal(unicode, Terminal.LocaleHasUnicode(name => variables[name]));
    }

    [Theory]
    [InlineData(false, true, false)]
    [InlineData(true, true, true)]
    [InlineData(true, false, false)]
    public void Colours_appear_on_a_terminal_that_allows_them_and_nowhere_else(bool isTerminal, bool colours, bool expected)
    {
        using var output = new StringWriter();
        var terminal = new Terminal(output, TextWriter.Null) { OutputIsTerminal = isTerminal, Colours = colours };

        terminal.OutputConsole().Write(new Text("missing", new Style(foreground: Color.Red)));

        Assert.Equal(expected, output.ToString().Contains('\x1b', StringComparison.Ordinal));
        Assert.Contains("missing", output.ToString(), StringComparison.Ordinal);
    }
}
