using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lethe.Evaluation.Language;
using Lethe.Formats.Tables;
using Lethe.Torch;

namespace Lethe.Runs.Language.Tasks;

/// <summary>Where tasks find their data: what <c>${data}</c> stands for.</summary>
public static class DataFolder
{
    /// <summary>The folder: as asked, else the variable LETHE_DATA, else data/ of the shared folder (LETHE_SHARED, or ../shared beside the checkout); null if none is there.</summary>
    /// <param name="asked">What --data says.</param>
    public static string? Find(string? asked)
    {
        if (asked is not null)
            return Directory.Exists(asked) ? asked : throw new UsageException($"--data is '{asked}', and there is no such folder.");
        if (Environment.GetEnvironmentVariable("LETHE_DATA") is { Length: > 0 } named)
            return Directory.Exists(named) ? named : throw new UsageException($"LETHE_DATA is '{named}', and there is no such folder.");
        return PlanPaths.SharedFolder() is { } shared && Path.GetFullPath(Path.Combine(shared, "data")) is var data && Directory.Exists(data) ? data : null;
    }
}

/// <summary>Reads the rows of a task's files.</summary>
internal static class TaskData
{
    /// <summary>The file of a part of a task's data.</summary>
    /// <exception cref="UsageException">The path begins with ${data} and there is no data folder.</exception>
    /// <exception cref="BadInputException">There is no such file.</exception>
    public static string File(TaskFile task, string source, string split, string? dataFolder)
    {
        var written = task.DatasetKwargs.DataFiles[split];
        const string Variable = "${data}";
        if (written.StartsWith(Variable, StringComparison.Ordinal))
        {
            if (dataFolder is null)
                throw new UsageException($"Task '{task.Task}' reads {written}, and there is no data folder: name it with --data FOLDER or the variable LETHE_DATA.");
            written = dataFolder + written[Variable.Length..];
        }
        else if (PlanPaths.IsNamed(written))
        {
            written = PlanPaths.Resolve(written, source);
        }
        var file = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(source))!, written);
        if (!System.IO.File.Exists(file))
            throw new BadInputException($"{file}: task '{task.Task}' reads its part '{split}' from this file, and it is not there.{(task.Metadata.Source is { } where ? " " + where : "")}");
        return Path.IsPathRooted(written) || written.StartsWith("..", StringComparison.Ordinal) ? Path.GetFullPath(file) : file;
    }

    /// <summary>The rows of a file, changed as the task says.</summary>
    public static IEnumerable<TableRow> Rows(string file, TaskFile task)
    {
        var rows = task.DatasetPath switch
        {
            "csv" => CsvFile.Read(file),
            "text" => TextLinesFile.Read(file),
            _ => JsonLinesFile.Read(file),
        };
        if (task.ProcessDocs is not null)
            rows = rows.Select(row => row.Problem is null ? TruthfulQa(row) : row);
        // A row that cannot be read, or lacks the key, is not passed over in silence.
        return task.Where.Count == 0 ? rows : rows.Where(row => row.Problem is not null || task.Where.All(rule =>
            !row.Value.TryGetProperty(rule.Key, out var value) || value.ValueKind != JsonValueKind.String || rule.Value.Contains(value.GetString()!))).Select(row => row.Problem is null ? Whole(row, task) : row);
    }

    private static TableRow Whole(TableRow row, TaskFile task)
    {
        var lacking = task.Where.Keys.FirstOrDefault(key => !row.Value.TryGetProperty(key, out var value) || value.ValueKind != JsonValueKind.String);
        return lacking is null ? row : new TableRow(row.File, row.Line, default, $"the key '{lacking}' is missing or no text; the task takes rows by it.");
    }

    // TruthfulQA.csv holds lists as one text each; the multiple-choice layout is that of the Hugging Face data set: mc1 the best answer and the
    // wrong ones, mc2 all right ones and the wrong ones.
    private static TableRow TruthfulQa(TableRow row)
    {
        try
        {
            var best = WhiteSpace.Strip(Column(row.Value, "Best Answer"));
            var good = Split(Column(row.Value, "Correct Answers"));
            var bad = Split(Column(row.Value, "Incorrect Answers"));
            var changed = JsonSerializer.SerializeToElement(new JsonObject
            {
                ["question"] = Column(row.Value, "Question"),
                ["mc1_targets"] = Targets([best], bad),
                ["mc2_targets"] = Targets(good, bad),
            });
            return row with { Value = changed };
        }
        catch (RowProblemException e)
        {
            return new TableRow(row.File, row.Line, default, e.Message);
        }
    }

    private static string Column(JsonElement row, string name) => row.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
        ? value.GetString()!
        : throw new RowProblemException($"the column '{name}' is missing (the row has: {string.Join(", ", row.EnumerateObject().Select(known => known.Name))}).");

    private static string[] Split(string text) => [.. text.Split(';').Select(WhiteSpace.Strip).Where(part => part.Length > 0)];

    private static JsonObject Targets(string[] good, string[] bad) => new()
    {
        ["choices"] = new JsonArray([.. good.Concat(bad).Select(answer => (JsonNode)answer)]),
        ["labels"] = new JsonArray([.. good.Select(_ => (JsonNode)1), .. bad.Select(_ => (JsonNode)0)]),
    };

    /// <summary>The subtask of a row: the values of the keys that divide the task.</summary>
    public static string Group(TaskFile task, JsonElement row) => string.Join("_", task.GroupBy.Select(key =>
    {
        if (!row.TryGetProperty(key, out var value))
            throw new RowProblemException($"the key '{key}' is missing; the task is divided by it.");
        return value.ValueKind switch
        {
            JsonValueKind.String => Named(value.GetString()!, key),
            JsonValueKind.Number => value.GetRawText(),
            _ => throw new RowProblemException($"'{key}' is {JsonWords.Of(value)}, where text is needed; the task is divided by it."),
        };
    }));

    private static string Named(string value, string key)
    {
        // It becomes part of a file's name.
        if (value.Length is 0 or > 100)
            throw new RowProblemException(string.Create(CultureInfo.InvariantCulture, $"'{key}' has {value.Length} characters; the task is divided by it, and it must have 1 to 100."));
        return string.Concat(value.Select(letter => char.IsLetterOrDigit(letter) || letter is '-' or '.' ? letter : '_'));
    }
}
