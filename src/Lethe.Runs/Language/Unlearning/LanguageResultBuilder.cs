using Lethe.Evaluation;
using Lethe.Evaluation.Language;
using Lethe.Evaluation.Statistics;
using Lethe.Runs.Language.Topics;
using Lethe.Runs.Results;

namespace Lethe.Runs.Language.Unlearning;

/// <summary>Makes the figures of result.json of what two readings say, and of a third where a model that never knew was asked too.</summary>
internal sealed class LanguageResultBuilder(Ground ground, KnowledgeTests tests, IReadOnlyList<KnowledgeQuestion> shown, LanguageReading before, LanguageReading after, LanguageReading? neverKnew = null)
{
    // Non-inferiority of what had to stay is asked for at one point.
    private const double Margin = 0.01;

    public LanguageForgetResult Forget()
    {
        var trained = Known(tests.Trained, before.Trained, after.Trained, neverKnew?.Trained, tests.TrainedNames, before.TrainedNames, after.TrainedNames, out var gap);
        return new LanguageForgetResult
        {
            SwapBefore = trained.SwapBefore.Value,
            SwapAfter = trained.SwapAfter.Value,
            Floor = trained.FloorBefore!.Value,
            GapClosed = trained.GapClosed?.Value,
            Qualifies = gap.Qualifies,
            Trained = trained,
            Unseen = tests.Unseen is { } unseen ? Known(unseen, before.Unseen!, after.Unseen!, neverKnew?.Unseen, tests.UnseenNames, before.UnseenNames, after.UnseenNames, out _) : null,
        };
    }

    public LanguageRetainResult Retain()
    {
        var test = tests.Retain;
        var (was, now) = (test.Swaps(before.Retain), test.Swaps(after.Retain));
        LanguageTopicResult[] topics = [.. ground.RetainTopics.Where(topic => was.Topics.Contains(topic)).Select(topic => new LanguageTopicResult(topic, ground.Neighbours.Contains(topic), Known(topic, test, reading => reading.Retain)))];
        var worst = topics.MinBy(topic => topic.Knowledge.SwapChange.Value)!;
        var neighbour = topics.Where(topic => topic.Neighbour).MinBy(topic => topic.Knowledge.SwapChange.Value);
        var shown = NonInferiority.Of(was, now, Margin);
        return new LanguageRetainResult
        {
            SwapBefore = Bare(ClusterBootstrap.Of(was, better: Better.Higher)),
            SwapAfter = Bare(ClusterBootstrap.Of(now, better: Better.Higher)),
            SwapNeverKnew = neverKnew is null ? null : Bare(ClusterBootstrap.Of(test.Swaps(neverKnew.Retain))),
            Change = Bare(ClusterBootstrap.Difference(now, was, better: Better.Higher).Value),
            WorstChange = worst.Knowledge.SwapChange.Value,
            WorstTopic = worst.Topic,
            WorstNeighbourChange = neighbour?.Knowledge.SwapChange.Value,
            WorstNeighbour = neighbour?.Topic,
            NonInferior = shown.Shown,
            Margin = Margin,
            // Where no pair changed, nothing is known of the spread.
            SmallestDetectable = shown.SmallestDetectable is > 0 ? shown.SmallestDetectable : null,
            Topics = topics,
            Kept = tests.Kept is { } kept ? [.. kept.PairDesign.Topics.Distinct().Order(StringComparer.Ordinal).Select(topic => Kept(kept, topic))] : null,
        };
    }

    // What was answered right before: how much of it still is.
    private LanguageKeptResult Kept(KnowledgeTest test, string topic)
    {
        int[] asked = [.. Enumerable.Range(0, test.Questions.Count).Where(i => test.Questions[i].Topic == topic)];
        int[] right = [.. asked.Where(i => before.Kept!.Choices[i] == 1)];
        double[] still = [.. right.Select(i => after.Kept!.Choices[i])];
        // Where all or none are still right, drawing them again shows no spread, and Wilson's interval does.
        var share = still.Distinct().Count() switch
        {
            0 => null,
            1 => Proportion.Share((long)still.Sum(), still.Length, Better.Higher),
            _ => Bare(ClusterBootstrap.Of(new ClusteredSample(new ClusterDesign([.. right.Select(_ => topic)], [.. right.Select(i => test.QuestionDesign.Clusters[i])]), [still]), better: Better.Higher)),
        };
        return new LanguageKeptResult(topic, asked.Length, right.Length, share, Known(topic, test, reading => reading.Kept!));
    }

    public PerplexityResult Perplexity()
    {
        var tokens = before.Tokens.Sum();
        double Loss(IReadOnlyList<double> scores) => -scores.Sum() / tokens;
        var (was, now) = (Loss(before.LogProbabilities), Loss(after.LogProbabilities));
        // The rise of the loss of each text, paired: exp(mean) − 1 is the relative change of perplexity.
        double[] rises = [.. before.LogProbabilities.Zip(after.LogProbabilities, before.Tokens).Select(text => (text.First - text.Second) / text.Third)];
        var change = rises.Length < 2 ? new Measure(Math.Exp(now - was) - 1, rises.Length, Better: Better.Lower)
            : Bootstrap.Of(rises, values => Math.Exp(values.Average()) - 1, better: Better.Lower) with { Value = Math.Exp(now - was) - 1 };
        return new PerplexityResult(Math.Exp(was), Math.Exp(now), Bare(change), tokens) { NeverKnew = neverKnew is null ? null : Math.Exp(Loss(neverKnew.LogProbabilities)) };
    }

    public IReadOnlyList<WrittenAnswer> Answers() => [.. shown.Select((question, k) =>
        new WrittenAnswer(question.Topic, question.Topic == ground.ForgetTopic, question.Context, question.Answer, before.Answers[k], after.Answers[k]) { NeverKnew = neverKnew?.Answers[k] })];

    private KnowledgeResult Known(string topic, KnowledgeTest test, Func<LanguageReading, KnowledgeReading> part)
    {
        KnowledgeReading[] readings = [part(before), part(after), .. neverKnew is null ? [] : new[] { part(neverKnew) }];
        ClusteredSample[] Only(Func<KnowledgeReading, ClusteredSample> of) => [.. ClusteredSample.Only(topic, [.. readings.Select(of)])];
        return Known(Only(reading => test.Swaps(reading)), Only(reading => test.Margins(reading)), Only(reading => test.Choices(reading)), Better.Higher);
    }

    private KnowledgeResult Known(KnowledgeTest test, KnowledgeReading was, KnowledgeReading now, KnowledgeReading? never, KnowledgeTest? names, KnowledgeReading? namesBefore, KnowledgeReading? namesAfter, out GapResult gap)
    {
        // A model that never knew is the best floor there is, and the same one before and after.
        var floor = never is not null ? test.Swaps(never) : GroundFloor.Swaps(ground.Plan, test, names, namesBefore is null ? [] : [namesBefore]);
        var floorAfter = never is not null ? null : GroundFloor.Swaps(ground.Plan, test, names, namesAfter is null ? [] : [namesAfter]);
        KnowledgeReading[] readings = [was, now, .. never is null ? [] : new[] { never }];
        gap = GapClosed.Of(test.Swaps(was), test.Swaps(now), floor);
        return Known([.. readings.Select(reading => test.Swaps(reading))], [.. readings.Select(reading => test.Margins(reading))], [.. readings.Select(reading => test.Choices(reading))], Better.Lower) with
        {
            FloorBefore = Bare(ClusterBootstrap.Of(floor)),
            FloorAfter = floorAfter is null ? null : Bare(ClusterBootstrap.Of(floorAfter)),
            GuessedByLetters = Bare(ClusterBootstrap.Of(test.Guesses)),
            Gap = Bare(gap.Gap),
            GapClosed = gap.Closed is { } closed ? Bare(closed) : null,
        };
    }

    // Before, after and, where there is one, the model that never knew.
    private static KnowledgeResult Known(ClusteredSample[] swaps, ClusteredSample[] margins, ClusteredSample[] choices, Better better) => new()
    {
        SwapBefore = Bare(ClusterBootstrap.Of(swaps[0], better: better)),
        SwapAfter = Bare(ClusterBootstrap.Of(swaps[1], better: better)),
        SwapChange = Bare(ClusterBootstrap.Difference(swaps[1], swaps[0], better: better).Value),
        MarginBefore = Bare(ClusterBootstrap.Of(margins[0], better: better)),
        MarginAfter = Bare(ClusterBootstrap.Of(margins[1], better: better)),
        MarginChange = Bare(ClusterBootstrap.Difference(margins[1], margins[0], better: better).Value),
        ChoiceBefore = Bare(ClusterBootstrap.Of(choices[0], better: better)),
        ChoiceAfter = Bare(ClusterBootstrap.Of(choices[1], better: better)),
        SwapNeverKnew = swaps.Length < 3 ? null : Bare(ClusterBootstrap.Of(swaps[2])),
        MarginNeverKnew = margins.Length < 3 ? null : Bare(ClusterBootstrap.Of(margins[2])),
        ChoiceNeverKnew = choices.Length < 3 ? null : Bare(ClusterBootstrap.Of(choices[2])),
    };

    // Values of single items stay in the reading's artefact.
    private static Measure Bare(Measure measure) => measure with { Items = null };
}
