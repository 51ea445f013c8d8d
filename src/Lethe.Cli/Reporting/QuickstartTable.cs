using System.Globalization;
using Lethe.Runs.Results;
using Spectre.Console;

namespace Lethe.Cli.Reporting;

/// <summary>The demo's methods beside each other and beside the model that never knew: what is left, what it cost, how long it took.</summary>
public static class QuickstartTable
{
    private static readonly string[] Titles = ["", "swap before", "swap after", "gap closed", "others", "worst of the others", "perplexity", "seconds"];

    /// <summary>Prints the table.</summary>
    public static void Show(IAnsiConsole console, QuickstartLanguageResult language)
    {
        var table = new Table().Border(TableBorder.None);
        foreach (var title in Titles)
            table.AddColumn(title.Length == 0 ? new TableColumn(new Text(title)) : new TableColumn(new Text(title)).RightAligned());
        foreach (var row in Rows(language))
            table.AddRow([.. row.Select(cell => new Text(cell))]);
        console.Write(table);
    }

    private static IEnumerable<string[]> Rows(QuickstartLanguageResult language)
    {
        foreach (var method in language.Methods)
            yield return
            [
                method.Method, Share(method.SwapBefore.Value), Share(method.SwapAfter.Value), method.GapClosed is { } closed ? Text($"{closed.Value:P0}") : "", Points(method.RetainChange.Value),
                $"{Points(method.WorstChange)} {method.WorstTopic}", Text($"{method.PerplexityBefore:0.0} → {method.PerplexityAfter:0.0}"), Text($"{method.Seconds:0.0}"),
            ];
        if (language.NeverKnew is { } control)
            yield return ["never knew it", "", Share(control.Swap.Value), "", Points(control.RetainChange), $"{Points(control.WorstChange)} {control.WorstTopic}", Text($"{control.Perplexity:0.0}"), ""];
    }

    private static string Share(double share) => Text($"{share:P1}");

    private static string Points(double change) => Text($"{100 * change:+0.0;-0.0;0.0}");

    private static string Text(FormattableString number) => number.ToString(CultureInfo.InvariantCulture);
}
