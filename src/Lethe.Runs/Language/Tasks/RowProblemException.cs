namespace Lethe.Runs.Language.Tasks;

/// <summary>A row of a task's data cannot be used. Whoever knows the row's file and line puts them before the sentence; it never reaches a user as it is.</summary>
/// <param name="sentence">What is wrong and what is allowed, with a full stop; begins in lower case.</param>
internal sealed class RowProblemException(string sentence) : Exception(sentence);
