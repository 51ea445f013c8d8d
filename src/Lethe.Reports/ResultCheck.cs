using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Reports;

/// <summary>Checks that the parts of a result fit each other, once, before a page is made of it: results are files, and files get edited.</summary>
internal static class ResultCheck
{
    /// <summary>Refuses a result whose parts do not fit.</summary>
    /// <exception cref="BadInputException">A part is missing or contradicts another; the message names it.</exception>
    public static void Validate(ImageUnlearnResult result)
    {
        var labels = result.Request.Labels.Count;
        Require(result.Kind == "generative", $"its kind is \"{result.Kind}\", and this report is for \"generative\"");
        Require(labels > 0, "request.labels is empty");
        Require(result.Concepts.Count > 0, "concepts is empty");
        Require(result.Classes.Count == labels, $"classes has {result.Classes.Count} entries for {labels} labels");
        Require(result.Classes.Any(c => c.Role == Roles.Retained), "no entry of classes has the role \"retained\"");
        CheckMatrix(result.Confusion.Before, "confusion.before");
        CheckMatrix(result.Confusion.After, "confusion.after");
        foreach (var concept in result.Concepts)
            Require(result.Request.Concepts.Any(asked => asked.Label == concept.Label), $"concepts has label {concept.Label}, which request.concepts does not ask for");
        foreach (var asked in result.Request.Concepts)
        {
            CheckLabel(asked.Label, "request.concepts");
            if (asked.Target is { } target)
                CheckLabel(target, "request.concepts.target");
        }
        foreach (var label in result.Request.Retained)
            CheckLabel(label, "request.retained");
        foreach (var entry in result.Classes)
            CheckLabel(entry.Label, "classes");
        CheckLabel(result.Retain.WorstLabel, "retain.worst_label");
        foreach (var curve in result.Relearning ?? [])
            CheckLabel(curve.Label, "relearning");
        foreach (var probe in result.Probes ?? [])
            CheckLabel(probe.Label, "probes");

        void CheckLabel(int label, string where) => Require(label >= 0 && label < labels, $"{where} has label {label}, and labels go from 0 to {labels - 1}");

        void CheckMatrix(IReadOnlyList<IReadOnlyList<double>> matrix, string name)
        {
            Require(matrix.Count == labels, $"{name} has {matrix.Count} rows for {labels} labels");
            foreach (var row in matrix)
                Require(row.Count == labels, $"a row of {name} has {row.Count} columns for {labels} labels");
        }
    }

    private static void Require(bool holds, string whatIsWrong)
    {
        if (!holds)
            throw new BadInputException($"The result cannot be reported: {whatIsWrong}; run the evaluation again or mend the file.");
    }
}
