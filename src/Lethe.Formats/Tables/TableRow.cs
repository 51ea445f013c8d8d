using System.Text.Json;

namespace Lethe.Formats.Tables;

/// <summary>One row of a file of rows: a JSON object, or why the row is none.</summary>
/// <param name="File">The file.</param>
/// <param name="Line">Line that the row begins at, from 1.</param>
/// <param name="Value">The object; undefined where there is a problem.</param>
/// <param name="Problem">What is wrong, as a sentence; null if nothing is.</param>
public readonly record struct TableRow(string File, long Line, JsonElement Value, string? Problem);
