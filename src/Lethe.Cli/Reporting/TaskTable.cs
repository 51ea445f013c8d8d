using System.Globalization;
using Lethe.Runs.Language.Evaluation;
using Spectre.Console;

namespace Lethe.Cli.Reporting;

/// <summary>Prints what tasks found as a table: a line for each figure, subtasks indented below their task.</summary>
internal static class TaskTable
{
    /// <summary>Prints it.</summary>
    /// <param name="console">Where.</param>
    /// <param name="result">What was found.</param>
    /// <param name="folder">Where files were written; null if none were.</param>
    public static void Show(IAnsiConsole console, LanguageResult result, string? folder)
    {
        var table = new Table().Border(TableBorder.None).AddColumn("task").AddColumn("shots", Right).AddColumn("n", Right).AddColumns("figure").AddColumn("value", Right).AddColumn("± error", Right);
        foreach (var task in result.Tasks)
        {
            Add(table, task.Name, Whole(task.Shots), task.N, task.Figures);
            foreach (var subtask in task.Subtasks ?? [])
                Add(table, "  " + subtask.Name[(task.Name.Length + 1)..], "", subtask.N, subtask.Figures);
        }
        console.Write(table);
        console.Profile.Out.Writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\nmeasured  {result.Model.Path} ({result.Model.Type}, {result.Model.DataType}, {result.Run.Device}) in {result.Seconds:F0} s"));
        foreach (var file in result.Files ?? [])
            console.Profile.Out.Writer.WriteLine($"written   {Path.Combine(folder!, file)}");
    }

    private static void Add(Table table, string name, string shots, int count, IReadOnlyList<Figure> figures)
    {
        foreach (var (index, figure) in figures.Index())
            table.AddRow(new Text(index == 0 ? name : ""), new Text(index == 0 ? shots : ""), new Text(index == 0 ? Whole(count) : ""), new Text(figure.Filter == "none" ? figure.Metric : $"{figure.Metric}, {figure.Filter}"),
                new Text(Value(figure, figure.Value?.Value)), new Text(Value(figure, figure.Value?.StandardError)));
    }

    private static string Whole(int value) => value.ToString(CultureInfo.InvariantCulture);

    // Shares in percent, as everybody quotes them.
    private static string Value(Figure figure, double? value) => value is not { } number ? "–"
        : figure.Metric.EndsWith("perplexity", StringComparison.Ordinal) || figure.Metric == "bits_per_byte" ? number.ToString("G5", CultureInfo.InvariantCulture)
        : (100 * number).ToString("F2", CultureInfo.InvariantCulture) + " %";

    private static void Right(TableColumn column) => column.RightAligned();
}
