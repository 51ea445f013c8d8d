using System.Text.Json;
using Lethe.Evaluation.Language;
using Lethe.Evaluation.Statistics;
using Lethe.Runs.Language.Topics;
using Lethe.Runs.Language.Unlearning;
using Lethe.Runs.Plans;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs.Language.Studies;

/// <summary>Reads what finished runs asked, item by item, out of their artefacts. Questions are formed once for each topic, so that methods share their design.</summary>
/// <param name="runsFolder">Where runs lie that train what plans name.</param>
internal sealed class StudyReadings(string runsFolder)
{
    private readonly Dictionary<string, (Ground Ground, KnowledgeTests Tests)> known = [];

    /// <summary>The samples of runs that differ in their seed alone.</summary>
    /// <param name="topic">The topic, by its name in the study.</param>
    /// <param name="runs">The runs with their folders, at least one.</param>
    /// <exception cref="BadInputException">A run's artefact is missing or damaged, or the questions are not those that it asked.</exception>
    public StudySamples Of(string topic, IReadOnlyList<(Plan<UnlearnPlan> Plan, RunPaths Paths)> runs)
    {
        var plan = (LanguageUnlearnPlan)runs[0].Plan.Value;
        var (ground, tests) = Tests(plan, runs[0].Plan.Source);
        LanguageReading[] before = [.. runs.Select(run => Read(run.Paths, "before"))], after = [.. runs.Select(run => Read(run.Paths, "after"))];
        LanguageReading[] control = plan.NeverKnew is null ? [] : [.. runs.Select(run => Read(run.Paths, NeverKnewModel.StageName))];
        foreach (var (_, paths) in runs)
            if (UnlearnPipeline.ReadResult<LanguageUnlearnResult>(paths, "one on a language model").Request.GroundDigest != ground.Digest)
                throw new BadInputException($"{paths.Root}: the questions and texts here are not those that this run was measured with. Put the study's files back, or begin it in another folder.");

        SideSamples Side(KnowledgeTest test, KnowledgeTest? names, Func<LanguageReading, KnowledgeReading> of, Func<LanguageReading, KnowledgeReading?> named) => new(
            test.Swaps([.. before.Select(of)]), test.Swaps([.. after.Select(of)]), Floor(ground, test, names, [.. before.Select(named)], [.. control.Select(of)]), test.Margins([.. before.Select(of)]), test.Margins([.. after.Select(of)]));

        return new StudySamples(topic, ground.Neighbours,
            Side(tests.Trained, tests.TrainedNames, reading => reading.Trained, reading => reading.TrainedNames),
            tests.Unseen is { } unseen ? Side(unseen, tests.UnseenNames, reading => reading.Unseen!, reading => reading.UnseenNames) : null,
            tests.Retain.Swaps([.. before.Select(reading => reading.Retain)]), tests.Retain.Swaps([.. after.Select(reading => reading.Retain)]));
    }

    // As in a single run's result: a model that never knew is the best floor there is.
    private static ClusteredSample Floor(Ground ground, KnowledgeTest test, KnowledgeTest? names, IReadOnlyList<KnowledgeReading?> readings, KnowledgeReading[] control) =>
        control.Length > 0 ? test.Swaps(control) : GroundFloor.Swaps(ground.Plan, test, names, [.. readings.OfType<KnowledgeReading>()]);

    private (Ground Ground, KnowledgeTests Tests) Tests(LanguageUnlearnPlan plan, string planFile)
    {
        var key = CanonicalJson.Digest(new { plan.Ground, plan.Measure, plan.Model });
        if (known.TryGetValue(key, out var found))
            return found;
        using var checkpoint = LanguageUnlearner.Open(plan.Model, planFile, runsFolder);
        var ground = Ground.Read(plan.Ground, planFile);
        return known[key] = (ground, new KnowledgeTests(ground, plan.Measure, LanguageMeasuring.EncodingOf(checkpoint)));
    }

    private static LanguageReading Read(RunPaths paths, string stage) =>
        JsonSerializer.Deserialize<LanguageReading>(File.ReadAllBytes(Artefact.Open(paths, stage).PathOf(LanguageMeasuring.ReadingName)), ResultJson.Options)!;
}
