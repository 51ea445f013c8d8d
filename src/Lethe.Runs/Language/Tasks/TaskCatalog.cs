using Lethe.Runs.Plans;
using Lethe.Torch;

namespace Lethe.Runs.Language.Tasks;

/// <summary>Finds tasks by name or file.</summary>
/// <param name="folder">Folder of the tasks that come with Lethe: NAME.yaml each.</param>
/// <param name="dataFolder">What <c>${data}</c> stands for; null if there is none.</param>
public sealed class TaskCatalog(string folder, string? dataFolder)
{
    /// <summary>The names of the tasks that come with Lethe.</summary>
    public IReadOnlyList<string> Names { get; } = Directory.Exists(folder)
        ? [.. Directory.EnumerateFiles(folder, "*.yaml").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)]
        : [];

    /// <summary>Whether something names a task that comes with Lethe, or one of its subtasks.</summary>
    public bool Knows(string name) => Split(name) is not null;

    /// <summary>Opens a task.</summary>
    /// <param name="name">A name such as mmlu, a subtask such as mmlu_astronomy, or the path of a YAML file.</param>
    /// <exception cref="UsageException">There is no such task, or its file is not right.</exception>
    /// <exception cref="BadInputException">A file of its data is not there.</exception>
    public LanguageTask Open(string name)
    {
        if (name.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".yml", StringComparison.OrdinalIgnoreCase))
            return LanguageTask.Open(name, dataFolder);
        var (known, rest) = Split(name) ?? throw new UsageException($"'{name}' is not a task{NearestWord.Hint(name, Names)} (known: {string.Join(", ", Names)}; or the path of a YAML file).");
        return LanguageTask.Open(Path.Combine(folder, known + ".yaml"), dataFolder, rest);
    }

    // mmlu_astronomy is subtask astronomy of mmlu; the longest name that fits is meant.
    private (string Task, string? Subtask)? Split(string name)
    {
        if (Names.Contains(name))
            return (name, null);
        var known = Names.Where(candidate => name.StartsWith(candidate + "_", StringComparison.Ordinal)).MaxBy(candidate => candidate.Length);
        return known is null ? null : (known, name[(known.Length + 1)..]);
    }
}
