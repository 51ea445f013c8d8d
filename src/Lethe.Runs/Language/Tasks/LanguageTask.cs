using System.Globalization;
using System.Text.Json;
using Lethe.Formats.Tables;
using Lethe.Runs.Plans;
using Lethe.Torch;

namespace Lethe.Runs.Language.Tasks;

/// <summary>A task, its templates read and its data found: what asks the questions, and what checks the rows.</summary>
public sealed class LanguageTask
{
    private readonly TaskPrompts prompts;
    private readonly Dictionary<string, string> files;

    private LanguageTask(TaskFile file, string source, Dictionary<string, string> files)
    {
        (File, Source, this.files) = (file, source, files);
        prompts = new TaskPrompts(file, source);
    }

    /// <summary>The task's file.</summary>
    public TaskFile File { get; }

    /// <summary>Its path.</summary>
    public string Source { get; }

    /// <summary>Its name.</summary>
    public string Name => File.Task;

    /// <summary>The only subtask that is asked; null asks all.</summary>
    public string? Only { get; init; }

    /// <summary>Reads a task's file and finds its data; no row is read yet.</summary>
    /// <param name="path">The YAML file.</param>
    /// <param name="dataFolder">What <c>${data}</c> stands for; null if there is none.</param>
    /// <param name="only">The only subtask that is asked; null asks all.</param>
    /// <exception cref="UsageException">The file is not right.</exception>
    /// <exception cref="BadInputException">A file of its data is not there.</exception>
    public static LanguageTask Open(string path, string? dataFolder, string? only = null)
    {
        var file = PlanReader.Read<TaskFile>(path).Value;
        var files = new[] { file.Split, file.ExampleSplit }.Distinct().ToDictionary(split => split, split => TaskData.File(file, path, split, dataFolder));
        return new LanguageTask(file, path, files) { Only = only };
    }

    /// <summary>A task over one file whose rows speak for themselves: multiple choice, question and answer, or texts.</summary>
    internal static LanguageTask Over(string path, TaskFile file) => new(file, path, new() { [file.Split] = path });

    /// <summary>The questions, by subtask, in the order of the rows.</summary>
    /// <param name="limit">First rows of each subtask that are asked; null asks all.</param>
    /// <param name="shots">Examples before each question; null for the task's own number.</param>
    /// <exception cref="BadInputException">A row cannot be used; the sentence names file and line.</exception>
    /// <exception cref="UsageException">There are fewer examples than asked for, or no such subtask.</exception>
    internal IReadOnlyList<Subtask> Subtasks(int? limit = null, int? shots = null)
    {
        var wanted = File.OutputType == TaskOutput.LoglikelihoodRolling ? 0 : shots ?? File.NumFewshot;
        var asked = Grouped(File.Split);
        var examples = wanted == 0 ? null : File.ExampleSplit == File.Split ? asked : Grouped(File.ExampleSplit);
        if (asked.Count == 0)
            throw new BadInputException($"{files[File.Split]}: the file has no rows; task '{Name}' has nothing to ask.");
        if (Only is not null && !asked.ContainsKey(Only))
            throw new UsageException($"Task '{Name}' has no subtask '{Only}'{NearestWord.Hint(Only, asked.Keys)} (it has: {string.Join(", ", asked.Keys.Take(60))}).");
        var subtasks = new List<Subtask>();
        foreach (var (group, rows) in asked.Where(pair => Only is null || pair.Key == Only))
        {
            var shown = examples is null ? [] : examples.GetValueOrDefault(group) ?? [];
            var same = examples == asked;
            if (shown.Count - (same ? 1 : 0) < wanted)
                throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"Task '{Named(group)}' is to show {wanted} examples, and part '{File.ExampleSplit}' has {Math.Max(0, shown.Count - (same ? 1 : 0))} of them."));
            var texts = shown.Take(wanted + 1).Select(row => Guarded(row, () => prompts.Example(row.Value))).ToList();
            var questions = rows.Take(limit ?? int.MaxValue).Select((row, id) => Guarded(row, () => prompts.Ask(id, Place(row), row.Value, string.Concat(texts.Where((_, at) => !(same && at == id)).Take(wanted))))).ToList();
            subtasks.Add(new Subtask(Named(group), group, questions, rows.Count));
        }
        return subtasks;
    }

    /// <summary>What the model is asked for each row, with the continuations that are scored; none for rolling and generated texts.</summary>
    /// <param name="limit">First rows of each subtask; null for all.</param>
    /// <exception cref="BadInputException">A row cannot be used; the sentence names file and line.</exception>
    public IEnumerable<(string Context, IReadOnlyList<string> Continuations)> Prompts(int? limit = null) =>
        Subtasks(limit).SelectMany(subtask => subtask.Questions).Select(question => (question.Context, question.Continuations));

    /// <summary>Looks at every row of the parts that the task reads: what cannot be used, and what is odd.</summary>
    /// <returns>The findings in the order of the rows.</returns>
    public IEnumerable<RowFinding> Check() => files.Values.Distinct().SelectMany(Check);

    /// <summary>Rows of each part.</summary>
    public IReadOnlyDictionary<string, long> CountRows() => files.ToDictionary(pair => pair.Key, pair => TaskData.Rows(pair.Value, File).LongCount());

    /// <summary>Files of each part.</summary>
    public IReadOnlyDictionary<string, string> Files => files;

    private IEnumerable<RowFinding> Check(string file)
    {
        var seen = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var row in TaskData.Rows(file, File))
        {
            if (Finding(row, seen) is { } finding)
                yield return finding;
        }
    }

    private RowFinding? Finding(TableRow row, Dictionary<string, long> seen)
    {
        if (row.Problem is not null)
            return new RowFinding(row.File, row.Line, row.Problem, Fatal: true);
        try
        {
            TaskData.Group(File, row.Value);
            var question = prompts.Ask(0, "", row.Value, "");
            if (prompts.Oddity(row.Value, question) is { } oddity)
                return new RowFinding(row.File, row.Line, oddity, Fatal: false);
            var key = JsonSerializer.Serialize(question.Choices.Prepend(question.Context));
            if (seen.TryGetValue(key, out var first))
                return new RowFinding(row.File, row.Line, string.Create(CultureInfo.InvariantCulture, $"the row asks the same as line {first}; remove one of the two."), Fatal: false);
            seen.Add(key, row.Line);
            return null;
        }
        catch (RowProblemException e)
        {
            return new RowFinding(row.File, row.Line, e.Message, Fatal: true);
        }
    }

    private Dictionary<string, List<TableRow>> Grouped(string split)
    {
        var groups = new Dictionary<string, List<TableRow>>(StringComparer.Ordinal);
        foreach (var row in TaskData.Rows(files[split], File))
        {
            if (row.Problem is not null)
                throw new BadInputException($"{Place(row)}: {row.Problem}");
            var group = Guarded(row, () => TaskData.Group(File, row.Value));
            if (!groups.TryGetValue(group, out var rows))
                groups.Add(group, rows = []);
            rows.Add(row);
        }
        return groups;
    }

    private string Named(string group) => group.Length == 0 ? Name : $"{Name}_{group}";

    private static string Place(TableRow row) => FormattableString.Invariant($"{row.File}:{row.Line}");

    private static T Guarded<T>(TableRow row, Func<T> make)
    {
        try
        {
            return make();
        }
        catch (RowProblemException e)
        {
            throw new BadInputException($"{Place(row)}: {e.Message}", e);
        }
    }
}
