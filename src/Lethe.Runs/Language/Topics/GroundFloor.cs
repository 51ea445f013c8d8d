using System.Text.Json;
using System.Text.Json.Nodes;
using Lethe.Evaluation.Language;
using Lethe.Evaluation.Statistics;
using Lethe.Runs.Language.Tasks;
using Lethe.Torch;

namespace Lethe.Runs.Language.Topics;

/// <summary>
/// What can be scored without the knowledge. For definitions 50 % of the swaps; for facts that names betray, the swaps of names that belong to nobody, put together from
/// the names of people with the same answer, so that whoever guesses by the sound of a name guesses as well as with the real ones.
/// </summary>
public static class GroundFloor
{
    /// <summary>The floor of a test's swaps, item for item in the same shares of families: measured where a family's floor is names, 0.5 where it is half.</summary>
    /// <param name="plan">The ground.</param>
    /// <param name="test">The test of real entities.</param>
    /// <param name="names">The test of <see cref="Ground.FloorQuestions"/>; null where no family's floor is names.</param>
    /// <param name="readings">What the model made of <paramref name="names"/>, a reading for each seed.</param>
    /// <exception cref="RunFailedException">A family's floor is names, and there is no pair of such names.</exception>
    public static ClusteredSample Swaps(GroundPlan plan, KnowledgeTest test, KnowledgeTest? names = null, params IReadOnlyList<KnowledgeReading> readings)
    {
        string Family(KnowledgeTest of, int pair) => of.Questions[of.Pairs[pair].First].Family;
        var measured = plan.Families.Where(family => family.Floor == FloorKind.Names).Select(family => family.Name).Where(name => test.Pairs.Any(pair => test.Questions[pair.First].Family == name)).ToHashSet();
        if (measured.Count == 0)
            return ClusteredSample.Constant(0.5);
        if (names is null || readings.Count == 0 || measured.Any(name => !names.Pairs.Any(pair => names.Questions[pair.First].Family == name)))
            throw new RunFailedException($"The floor of {string.Join(", ", measured)} is measured on names that belong to nobody, and there are no two people with the same answer to make such names of; set floor to half, or add entities.");
        int[] half = [.. Enumerable.Range(0, test.Pairs.Count).Where(pair => !measured.Contains(Family(test, pair)))];
        var blocks = names.Pairs.Count == 0 ? 0 : names.Pairs.Max(pair => pair.Block) + 1;
        var design = new ClusterDesign([.. names.PairDesign.Topics, .. half.Select(pair => test.PairDesign.Topics[pair])], [.. names.PairDesign.Clusters, .. half.Select(pair => blocks + test.PairDesign.Clusters[pair])]);
        return new ClusteredSample(design, [.. readings.Select(reading => (IReadOnlyList<double>)[.. reading.Swaps, .. half.Select(_ => 0.5)])]);
    }

    /// <summary>The questions with invented names, each with the question that it stands for.</summary>
    internal static IEnumerable<(GroundQuestion Of, string Text, string Entity)> Questions(IEnumerable<GroundQuestion> asked, IReadOnlyList<GroundQuestion> all, ulong seed)
    {
        var invented = new InventedNames(all.Select(question => question.Name), seed);
        var people = all.Where(question => question.Family.Floor == FloorKind.Names).GroupBy(question => (question.Family.Name, question.Choices[question.Right]))
            .ToDictionary(same => same.Key, same => same.Select(question => question.Name).ToArray());
        foreach (var question in asked.Where(question => question.Family.Floor == FloorKind.Names))
        {
            var at = question.Text.IndexOf(question.Name, StringComparison.Ordinal);
            if (at >= 0 && invented.Person(people[(question.Family.Name, question.Choices[question.Right])]) is { } name)
                yield return (question, question.Text[..at] + name + question.Text[(at + question.Name.Length)..], EntityName.Normal(name));
        }
    }

    /// <summary>A question as the model reads it.</summary>
    internal static string Prompted(Template prompt, string question, string planFile)
    {
        try
        {
            return prompt.Render(JsonSerializer.SerializeToElement(new JsonObject { ["question"] = question }));
        }
        catch (RowProblemException e)
        {
            throw new UsageException($"{planFile}: 'prompt': {e.Message}", e);
        }
    }
}
