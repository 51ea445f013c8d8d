using Lethe.Evaluation.Statistics;
using Lethe.Torch;

namespace Lethe.Evaluation.Language;

/// <summary>How questions are asked.</summary>
public sealed record KnowledgeTestOptions
{
    /// <summary>What stands between a question and its answer.</summary>
    public string Delimiter { get; init; } = " ";

    /// <summary>Entities of a block within which answers are swapped (<see cref="SwapPairs.Form"/>): 4 give each question three partners.</summary>
    public int BlockSize { get; init; } = 4;

    /// <summary>Seed of the blocks.</summary>
    public ulong Seed { get; init; }

    /// <summary>Letters in a row that an answer may not share with a question that it is scored after: such swaps are left out (<see cref="SharedLetters"/>). 0 keeps all.</summary>
    public int SharedLetters { get; init; }
}

/// <summary>What a model made of the questions of a <see cref="KnowledgeTest"/>.</summary>
/// <param name="Margins">The margin of each pair, nats.</param>
/// <param name="Choices">1 for each question whose right answer had the highest log-likelihood of its choices, else 0.</param>
public sealed record KnowledgeReading(IReadOnlyList<double> Margins, IReadOnlyList<double> Choices)
{
    /// <summary>1 for each pair whose margin is above 0, else 0.</summary>
    public IReadOnlyList<double> Swaps { get; } = [.. Margins.Select(margin => margin > 0 ? 1.0 : 0.0)];
}

/// <summary>An entity's mean over the pairs or questions that it is part of.</summary>
/// <param name="Topic">Its topic.</param>
/// <param name="Entity">The entity.</param>
/// <param name="Value">The mean.</param>
/// <param name="Items">Pairs or questions behind it.</param>
public sealed record EntityValue(string Topic, string Entity, double Value, int Items);

/// <summary>
/// Questions that several models are asked alike: swaps and choices at once. Each question's context goes through a model once for all answers that are scored after it,
/// its own choices and the right answers of its swap partners.
/// </summary>
public sealed class KnowledgeTest
{
    private readonly RequestEncoding encoding;
    private readonly KnowledgeTestOptions options;
    private readonly string[][] answers;
    private IReadOnlyList<IReadOnlyList<ScoredRequest>>? requests;

    /// <summary>Forms the pairs; nothing is encoded yet.</summary>
    /// <param name="questions">The questions, at least one.</param>
    /// <param name="encoding">The models' tokenizer.</param>
    /// <param name="options">How they are asked.</param>
    public KnowledgeTest(IReadOnlyList<KnowledgeQuestion> questions, RequestEncoding encoding, KnowledgeTestOptions? options = null)
    {
        Check.AtLeast(questions.Count, 1, "questions");
        this.encoding = encoding;
        this.options = options ?? new KnowledgeTestOptions();
        Questions = questions;
        var blocks = SwapPairs.Blocks(questions, this.options.BlockSize, this.options.Seed);
        var letters = this.options.SharedLetters;
        Pairs = [.. SwapPairs.Form(questions, this.options.BlockSize, this.options.Seed).Where(pair => letters == 0 || !SharedLetters.GivesAway(questions[pair.First], questions[pair.Second], letters))];
        PairDesign = new ClusterDesign([.. Pairs.Select(pair => questions[pair.First].Topic)], [.. Pairs.Select(pair => pair.Block)]);
        // The same blocks for both, so that a draw of one is a draw of the other.
        QuestionDesign = new ClusterDesign([.. questions.Select(question => question.Topic)], blocks);

        var partners = Pairs.SelectMany(pair => ((int, int)[])[(pair.First, pair.Second), (pair.Second, pair.First)]).ToLookup(pair => pair.Item1, pair => questions[pair.Item2].Answer);
        answers = [.. questions.Select((question, i) => question.Choices.Concat(partners[i]).Distinct().ToArray())];
    }

    /// <summary>The questions.</summary>
    public IReadOnlyList<KnowledgeQuestion> Questions { get; }

    /// <summary>The pairs; none where no two questions of a block have different answers.</summary>
    public IReadOnlyList<SwapPair> Pairs { get; }

    /// <summary>Topic and block of each pair.</summary>
    public ClusterDesign PairDesign { get; }

    /// <summary>Topic and block of each question.</summary>
    public ClusterDesign QuestionDesign { get; }

    /// <summary>What comparing letters makes of the pairs (<see cref="SharedLetters.Guess"/>); around 0.5 where the questions' words give nothing away.</summary>
    public ClusteredSample Guesses => new(PairDesign, [SharedLetters.Guesses(Questions, Pairs)]);

    /// <summary>Asks a model. Call on the torch thread.</summary>
    /// <param name="scorer">The model.</param>
    /// <param name="progress">Told how many answers of how many are scored.</param>
    /// <param name="cancellation">Asks for a stop between two batches.</param>
    /// <exception cref="BadInputException">A question cannot be asked.</exception>
    /// <exception cref="RunFailedException">A score is not finite.</exception>
    public KnowledgeReading Read(LanguageScorer scorer, Action<int, int>? progress = null, CancellationToken cancellation = default)
    {
        requests ??= [.. Questions.Select((question, i) => (IReadOnlyList<ScoredRequest>)[.. answers[i].Select(answer => encoding.Pair(question.Context, options.Delimiter + answer))])];
        var scores = scorer.Score(requests, progress, cancellation);
        return Judge([.. scores.Select(row => (IReadOnlyList<double>)[.. row.Select(score => score.LogProbability)])]);
    }

    /// <summary>What is asked of each question: its choices, then the answers of its partners, each once.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Answers => answers;

    /// <summary>Makes a reading of log-likelihoods.</summary>
    /// <param name="scores">Of each question's <see cref="Answers"/>, nats.</param>
    /// <exception cref="RunFailedException">A score is not finite.</exception>
    public KnowledgeReading Judge(IReadOnlyList<IReadOnlyList<double>> scores)
    {
        Check.SameLength(scores.Count, Questions.Count, "questions");
        foreach (var row in scores)
            Check.Finite([.. row], "of a question's log-likelihoods");
        double Of(int question, string answer) => scores[question][Array.IndexOf(answers[question], answer)];
        return new KnowledgeReading(
            [.. Pairs.Select(pair =>
            {
                var (a, b) = (Questions[pair.First].Answer, Questions[pair.Second].Answer);
                return SwapPairs.Margin(Of(pair.First, a), Of(pair.First, b), Of(pair.Second, a), Of(pair.Second, b));
            })],
            [.. Questions.Select((question, i) => ChoiceMetrics.Best([.. question.Choices.Select(choice => Of(i, choice))]) == question.Right ? 1.0 : 0.0)]);
    }

    /// <summary>Swap accuracy of one model under several seeds: 1 or 0 for each pair, averaged over the seeds.</summary>
    /// <param name="seeds">The readings; at least one.</param>
    public ClusteredSample Swaps(params IReadOnlyList<KnowledgeReading> seeds) => new(PairDesign, [.. seeds.Select(reading => reading.Swaps)]);

    /// <summary>Swap margins under several seeds, nats.</summary>
    /// <param name="seeds">The readings; at least one.</param>
    public ClusteredSample Margins(params IReadOnlyList<KnowledgeReading> seeds) => new(PairDesign, [.. seeds.Select(reading => reading.Margins)]);

    /// <summary>Accuracy over the questions' own choices under several seeds.</summary>
    /// <param name="seeds">The readings; at least one.</param>
    public ClusteredSample Choices(params IReadOnlyList<KnowledgeReading> seeds) => new(QuestionDesign, [.. seeds.Select(reading => reading.Choices)]);

    /// <summary>The mean of each entity over its pairs.</summary>
    /// <param name="values">A value for each pair.</param>
    public IReadOnlyList<EntityValue> ByEntity(IReadOnlyList<double> values)
    {
        Check.SameLength(values.Count, Pairs.Count, "pairs");
        return [.. Pairs.Zip(values).SelectMany(item => ((int, double)[])[(item.First.First, item.Second), (item.First.Second, item.Second)])
            .GroupBy(item => (Questions[item.Item1].Topic, Questions[item.Item1].Entity))
            .OrderBy(group => group.Key.Topic, StringComparer.Ordinal).ThenBy(group => group.Key.Entity, StringComparer.Ordinal)
            .Select(group => new EntityValue(group.Key.Topic, group.Key.Entity, group.Average(item => item.Item2), group.Count()))];
    }
}
