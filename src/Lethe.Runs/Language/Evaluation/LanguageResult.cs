using Lethe.Runs.Guardrails;
using Lethe.Runs.Results;

namespace Lethe.Runs.Language.Evaluation;

/// <summary>What <c>evaluate --tasks</c> finds. Every key is documented in docs/metrics.md.</summary>
public sealed record LanguageResult
{
    /// <summary>Version of this layout.</summary>
    public string Schema { get; init; } = "lethe.language-evaluation/1";

    /// <summary>The model.</summary>
    public required LanguageModelFacts Model { get; init; }

    /// <summary>Where and when it was measured.</summary>
    public required RunFacts Run { get; init; }

    /// <summary>The tasks, in the order in which they were asked for.</summary>
    public required IReadOnlyList<TaskResult> Tasks { get; init; }

    /// <summary>Wall-clock time, seconds, loading included.</summary>
    public required double Seconds { get; init; }

    /// <summary>The files that were written, below the folder that was named; null if none was.</summary>
    public IReadOnlyList<string>? Files { get; init; }
}

/// <summary>The model that was measured.</summary>
/// <param name="Path">Its folder or file, as it was named.</param>
/// <param name="Type">Its family.</param>
/// <param name="Layers">Its layers.</param>
/// <param name="MaximumLength">Tokens that it read at once.</param>
/// <param name="DataType">The type that it computed in.</param>
public sealed record LanguageModelFacts(string Path, string Type, int Layers, int MaximumLength, string DataType)
{
    /// <summary>The guardrails that it ran behind, in the order in which they come at a site; null where there were none.</summary>
    public IReadOnlyList<GuardrailFacts>? Guardrails { get; init; }
}

/// <summary>What a task found.</summary>
/// <param name="Name">The task.</param>
/// <param name="Shots">Examples before each question.</param>
/// <param name="N">Items that were asked.</param>
/// <param name="Available">Rows that there are.</param>
/// <param name="Figures">The figures over all items.</param>
/// <param name="Subtasks">The subtasks; null where the task is not divided.</param>
/// <param name="Seconds">Wall-clock time, seconds.</param>
public sealed record TaskResult(string Name, int Shots, int N, int Available, IReadOnlyList<Figure> Figures, IReadOnlyList<SubtaskResult>? Subtasks, double Seconds);

/// <summary>What a subtask found.</summary>
/// <param name="Name">TASK_VALUE.</param>
/// <param name="N">Items that were asked.</param>
/// <param name="Available">Rows that there are.</param>
/// <param name="Figures">The figures.</param>
public sealed record SubtaskResult(string Name, int N, int Available, IReadOnlyList<Figure> Figures);
