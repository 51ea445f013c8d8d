using System.Text.Json;

namespace Lethe.Runs.Language.Tasks;

/// <summary>A row of a task as the model is asked.</summary>
internal sealed record Question
{
    /// <summary>Number within its subtask, from 0.</summary>
    public required int Id { get; init; }

    /// <summary>File and line, for errors.</summary>
    public required string Place { get; init; }

    /// <summary>The row.</summary>
    public required JsonElement Row { get; init; }

    /// <summary>Description, examples and question; the whole text for loglikelihood_rolling.</summary>
    public required string Context { get; init; }

    /// <summary>The answers' texts without the delimiter; the one continuation for loglikelihood; empty for others.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>What is scored after the context: delimiter and answer.</summary>
    public IReadOnlyList<string> Continuations { get; init; } = [];

    /// <summary>Index of the right answer; -1 where there is none or several are right.</summary>
    public int Target { get; init; } = -1;

    /// <summary>Which answers are true, where several can be.</summary>
    public IReadOnlyList<bool>? True { get; init; }

    /// <summary>The right answer as results show it.</summary>
    public required string TargetText { get; init; }
}

/// <summary>The questions of a task that share their figures.</summary>
/// <param name="Name">Name in the results.</param>
/// <param name="Value">What the subtask's rows have in common, such as "poet"; empty for a task that is not divided.</param>
/// <param name="Questions">The questions that are asked.</param>
/// <param name="Available">Rows that there are.</param>
internal sealed record Subtask(string Name, string Value, IReadOnlyList<Question> Questions, int Available);

/// <summary>A row that cannot be used, or had better not.</summary>
/// <param name="File">The file.</param>
/// <param name="Line">Line, from 1.</param>
/// <param name="Sentence">What is wrong, what is allowed.</param>
/// <param name="Fatal">Whether the row cannot be asked at all; otherwise it can, but ought to be looked at.</param>
public sealed record RowFinding(string File, long Line, string Sentence, bool Fatal)
{
    /// <summary>"file:line: sentence".</summary>
    public override string ToString() => FormattableString.Invariant($"{File}:{Line}: {Sentence}");
}
