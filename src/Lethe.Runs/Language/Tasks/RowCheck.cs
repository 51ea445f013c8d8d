using Lethe.Runs.Plans;
using Lethe.Torch;

namespace Lethe.Runs.Language.Tasks;

/// <summary>What a check of rows found.</summary>
public sealed record RowCheckResult
{
    /// <summary>Findings that are kept; the others are counted.</summary>
    public const int MostFindings = 1000;

    /// <summary>Version of this layout.</summary>
    public string Schema { get; init; } = "lethe.row-check/1";

    /// <summary>The file or the task.</summary>
    public required string Name { get; init; }

    /// <summary>What the rows are: multiple_choice, question_answer, prompt_completion, text, or a task.</summary>
    public required string Kind { get; init; }

    /// <summary>The files by part, with their rows.</summary>
    public required IReadOnlyList<RowCheckPart> Parts { get; init; }

    /// <summary>What is wrong, in the order of the rows; the first <see cref="MostFindings"/>.</summary>
    public required IReadOnlyList<RowFinding> Findings { get; init; }

    /// <summary>All findings.</summary>
    public required long Total { get; init; }
}

/// <summary>A file that was checked.</summary>
/// <param name="Part">Its part of the task; rows for a file on its own.</param>
/// <param name="File">The file.</param>
/// <param name="Rows">Its rows, bad ones included.</param>
public sealed record RowCheckPart(string Part, string File, long Rows);

/// <summary>Reads rows through and says of each bad one, by file and line, what is wrong.</summary>
public static class RowCheck
{
    private static readonly (string Kind, string[] Keys, TaskOutput Output, string Text, string Target)[] Shapes =
    [
        ("multiple_choice", ["question", "choices", "answer"], TaskOutput.MultipleChoice, "question", "answer"),
        ("question_answer", ["question", "answer"], TaskOutput.Loglikelihood, "question", "answer"),
        ("prompt_completion", ["prompt", "completion"], TaskOutput.Loglikelihood, "prompt", "completion"),
        ("text", ["text"], TaskOutput.LoglikelihoodRolling, "", "text"),
    ];

    /// <summary>Checks the data of a task, as its templates read them.</summary>
    public static RowCheckResult Task(LanguageTask task) => Result(task.Name, "task", task);

    /// <summary>Checks a file on its own; what its rows are meant to be is read off the first good one.</summary>
    /// <param name="path">A .jsonl, .json, .csv or .txt file, plain or .gz.</param>
    /// <exception cref="BadInputException">The file cannot be read, has no rows, or rows of no known shape.</exception>
    public static RowCheckResult File(string path)
    {
        var bare = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path;
        var layout = Path.GetExtension(bare).ToLowerInvariant() switch { ".csv" => "csv", ".txt" => "text", _ => "json" };
        var probe = Make("text", layout, Shapes[^1]);
        var rows = TaskData.Rows(path, probe);
        var first = rows.FirstOrDefault(row => row.Problem is null);
        if (first.File is null)
        {
            // Either nothing is there, or all rows are bad, which any shape says.
            var every = Result(path, "rows", LanguageTask.Over(path, probe));
            return every.Total > 0 ? every : throw new BadInputException($"{path}: the file has no rows.");
        }
        var shape = Shapes.FirstOrDefault(shape => shape.Keys.Any(key => key is "choices" or "text" && first.Value.TryGetProperty(key, out _)));
        if (shape.Kind is null)
            shape = Shapes.FirstOrDefault(shape => shape.Keys.Any(key => first.Value.TryGetProperty(key, out _)) && shape.Kind != "multiple_choice");
        return shape.Kind is not null
            ? Result(path, shape.Kind, LanguageTask.Over(path, Make(Path.GetFileName(path), layout, shape)))
            : throw new BadInputException(FormattableString.Invariant($"{path}:{first.Line}: the row has the keys {string.Join(", ", first.Value.EnumerateObject().Select(member => member.Name))}; rows that can be checked have {string.Join("; or ", Shapes.Select(known => string.Join(", ", known.Keys)))}. Check others through a task: give its YAML file."));
    }

    private static TaskFile Make(string name, string layout, (string Kind, string[] Keys, TaskOutput Output, string Text, string Target) shape) => new()
    {
        Task = name,
        DatasetPath = layout,
        DatasetKwargs = new DatasetArguments { DataFiles = new Dictionary<string, string> { ["rows"] = name } },
        TestSplit = "rows",
        OutputType = shape.Output,
        DocToText = shape.Text,
        DocToTarget = shape.Target,
        DocToChoice = shape.Output == TaskOutput.MultipleChoice ? new PlanScalar(new PlanPlace(name, 0, 0), "choices", Quoted: false) : null,
    };

    private static RowCheckResult Result(string name, string kind, LanguageTask task)
    {
        var kept = new List<RowFinding>();
        var total = 0L;
        foreach (var finding in task.Check())
        {
            total++;
            if (kept.Count < RowCheckResult.MostFindings)
                kept.Add(finding);
        }
        var counts = task.CountRows();
        return new RowCheckResult { Name = name, Kind = kind, Parts = [.. task.Files.Select(pair => new RowCheckPart(pair.Key, pair.Value, counts[pair.Key]))], Findings = kept, Total = total };
    }
}
