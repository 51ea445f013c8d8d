using System.Text.Json;
using Lethe.Evaluation.Language;
using Lethe.Torch;

namespace Lethe.Evaluation.Tests.Language;

/// <summary>Every value of fixtures/scores/MODEL.json.</summary>
public sealed class GoldenScoresTests
{
    private const string Small = "stories260K", Large = "smollm2-135m-instruct";

    [SharedFact]
    public void Stories_requests_become_the_ids_of_the_harness() => Encodes(Small);

    [SharedFact]
    public void SmolLM2_requests_become_the_ids_of_the_harness() => Encodes(Large);

    [SharedFact]
    public void Stories_refuses_what_the_harness_refuses() => Refuses(Small);

    [SharedFact]
    public void SmolLM2_refuses_what_the_harness_refuses() => Refuses(Large);

    [SharedTorchFact]
    public void Stories_log_likelihoods_flags_and_choices_are_those_of_the_harness() => Scores(Small);

    [SharedTorchFact]
    public void SmolLM2_log_likelihoods_flags_and_choices_are_those_of_the_harness() => Scores(Large);

    [SharedTorchFact]
    public void Stories_rolling_windows_and_perplexities_are_those_of_the_harness() => Rolls(Small);

    [SharedTorchFact]
    public void SmolLM2_rolling_windows_and_perplexities_are_those_of_the_harness() => Rolls(Large);

    [SharedTorchFact]
    public void Stories_greedy_answers_are_those_of_the_harness() => Answers(Small);

    [SharedTorchFact]
    public void SmolLM2_greedy_answers_are_those_of_the_harness() => Answers(Large);

    [SharedTorchFact]
    public void Scores_do_not_depend_on_how_requests_are_batched()
    {
        var golden = ScoreGolden.Of(Small);
        var rows = golden.Rows("loglikelihood").Where(row => row.Whole("max_length") == 512).Select(row => row.Request()).ToArray();
        var questions = Questions(golden.Rows("loglikelihood").Where(row => row.Whole("max_length") == 512));

        var together = new LanguageScorer(golden.Model).Score(questions).SelectMany(scores => scores).ToArray();
        // Rows of a question stand together in the file, so that both orders are one.
        var alone = rows.Select(row => new LanguageScorer(golden.Model, new ScoringOptions { BatchTokens = 1 }).Score([row])[0]).ToArray();
        var narrow = new LanguageScorer(golden.Model, new ScoringOptions { BatchTokens = 100, CacheBytes = 1, LogitElements = 1, TrunkTokens = 4 }).Score(questions).SelectMany(scores => scores).ToArray();

        Assert.Equal(rows.Length, together.Length);
        for (var i = 0; i < rows.Length; i++)
            foreach (var other in new[] { together[i], narrow[i] })
            {
                Assert.InRange(Math.Abs(alone[i].LogProbability - other.LogProbability), 0, ScoreGolden.Tolerance(rows[i].Continuation.Length));
                Assert.Equal(alone[i].Greedy, other.Greedy);
            }
    }

    [SharedTorchFact]
    public void Scoring_tells_how_far_it_is_stops_when_asked_and_leaves_no_tensor()
    {
        var golden = ScoreGolden.Of(Small);
        var requests = golden.Rows("loglikelihood").Take(20).Select(row => row.Request()).ToArray();
        var scorer = new LanguageScorer(golden.Model, new ScoringOptions { BatchTokens = 256 });
        scorer.Score(requests);
        var told = new List<(int Done, int All)>();
        using var stop = new CancellationTokenSource();

        var live = Tensor.Live;
        scorer.Score(requests, (done, all) => told.Add((done, all)));
        Assert.Equal(live, Tensor.Live);

        Assert.True(told.Count > 1);
        Assert.Equal(told.Order(), told);
        Assert.Equal((20, 20), told[^1]);
        Assert.Throws<OperationCanceledException>(() => scorer.Score(requests, (_, _) => stop.Cancel(), stop.Token));
    }

    [SharedTorchFact]
    public void Greedy_answers_do_not_depend_on_what_contexts_share()
    {
        var golden = ScoreGolden.Of(Small);
        var requests = ((string[])["the cat", "the big dog", "a bird", "the sun"]).Select(end => new AnswerRequest($"Once upon a time, there was a little girl named Lily. She saw {end}", ["."], 24)).ToArray();

        var together = new GreedyAnswers(golden.Model, golden.Encoding, [2], new ScoringOptions { TrunkTokens = 8 }).Answer(requests);
        var alone = requests.Select(request => new GreedyAnswers(golden.Model, golden.Encoding, [2]).Answer([request])[0]).ToArray();

        Assert.All(together.Zip(alone), pair =>
        {
            Assert.Equal(pair.Second.Input, pair.First.Input);
            Assert.Equal(pair.Second.Generated, pair.First.Generated);
            Assert.Equal(pair.Second.Text, pair.First.Text);
        });
    }

    private static void Encodes(string name)
    {
        var golden = ScoreGolden.Of(name);
        Assert.All(golden.Rows("loglikelihood"), row =>
        {
            var request = golden.Encoding.Pair(row.Text("context"), row.Text("continuation")).Checked(row.Whole("max_length"));
            Assert.Equal(row.Ids("context_ids"), request.Context);
            Assert.Equal(row.Ids("continuation_ids"), request.Continuation);
        });
    }

    private static void Refuses(string name)
    {
        var golden = ScoreGolden.Of(name);
        Assert.All(golden.Rows("errors"), row => Assert.Throws<BadInputException>(() => golden.Encoding.Pair(row.Text("context"), row.Text("continuation")).Checked(row.Whole("max_length"))));
    }

    private static void Scores(string name)
    {
        var golden = ScoreGolden.Of(name);
        var rows = golden.Rows("loglikelihood").ToArray();
        var scores = new LogLikelihood[rows.Length];
        foreach (var group in Enumerable.Range(0, rows.Length).GroupBy(i => rows[i].Whole("max_length")))
        {
            var found = new LanguageScorer(golden.Model, new ScoringOptions { MaximumLength = group.Key }).Score(Questions(group.Select(i => rows[i]))).SelectMany(score => score).ToArray();
            foreach (var (at, i) in group.Index())
                scores[i] = found[at];
        }
        for (var i = 0; i < rows.Length; i++)
        {
            var tokens = rows[i].GetProperty("continuation_ids").GetArrayLength();
            Assert.True(Math.Abs(rows[i].Number("logprob") - scores[i].LogProbability) <= ScoreGolden.Tolerance(tokens),
                FormattableString.Invariant($"row {i} ({tokens} tokens): {scores[i].LogProbability:R}, expected {rows[i].Number("logprob"):R}"));
            Assert.Equal(rows[i].GetProperty("greedy").GetBoolean(), scores[i].Greedy);
            Assert.Equal(tokens, scores[i].Tokens);
        }

        Assert.All(golden.Rows("multiple_choice"), choice =>
        {
            var at = choice.Ids("rows");
            double[] values = [.. at.Select(i => scores[i].LogProbability)];
            var metrics = choice.GetProperty("metrics");
            var target = choice.GetProperty("target");
            if (target.ValueKind == JsonValueKind.Array && choice.Text("task").EndsWith("mc2", StringComparison.Ordinal))
            {
                Golden.Close(metrics.Number("acc"), ChoiceMetrics.TrueMass(values, [.. target.EnumerateArray().Select(label => label.GetInt32() == 1)]), 1e-3);
                return;
            }
            var right = target.ValueKind == JsonValueKind.Array ? 0 : target.GetInt32();
            Assert.Equal(metrics.Number("acc"), ChoiceMetrics.Best(values) == right ? 1 : 0);
            if (metrics.TryGetProperty("acc_norm", out var normalised))
                Assert.Equal(normalised.GetDouble(), ChoiceMetrics.BestByLength(values, [.. at.Select(i => rows[i].Text("continuation")[1..])]) == right ? 1 : 0);
        });
    }

    private static void Rolls(string name)
    {
        var golden = ScoreGolden.Of(name);
        Assert.All(golden.Rows("rolling"), row =>
        {
            var text = row.Text("text");
            var length = row.Whole("max_length");
            Assert.Equal(row.Ids("ids"), golden.Encoding.Encode(text));
            var windows = golden.Encoding.Rolling(text, length);
            Assert.Equal(row.GetProperty("windows").EnumerateArray().Select(window => (window[0].GetInt32(), window[1].GetInt32())), windows.Select(window => (window.Context.Length, window.Continuation.Length)));

            var total = new LanguageScorer(golden.Model, new ScoringOptions { MaximumLength = length }).Score(windows).Sum(score => score.LogProbability);

            // The tolerance of a log-likelihood, carried through to what is made of it.
            var slack = ScoreGolden.Tolerance(row.Whole("tokens"));
            Assert.InRange(total, row.Number("logprob") - slack, row.Number("logprob") + slack);
            Assert.Equal(row.Whole("words"), WhiteSpace.Words(text));
            Assert.Equal(row.Whole("bytes"), WhiteSpace.Bytes(text));
            Same("word_perplexity", Perplexity.Of([total], [WhiteSpace.Words(text)]), slack / WhiteSpace.Words(text));
            Same("byte_perplexity", Perplexity.Of([total], [WhiteSpace.Bytes(text)]), slack / WhiteSpace.Bytes(text));
            Same("bits_per_byte", Perplexity.BitsPerByte([total], [WhiteSpace.Bytes(text)]), slack / WhiteSpace.Bytes(text));

            void Same(string key, Measure? measure, double relative)
            {
                var expected = row.GetProperty(key);
                Assert.Equal(expected.ValueKind == JsonValueKind.Null, measure is null);
                if (measure is not null)
                    Assert.InRange(measure.Value, expected.GetDouble() * (1 - 2 * relative) - 1e-12, expected.GetDouble() * (1 + 2 * relative) + 1e-12);
            }
        });
    }

    private static void Answers(string name)
    {
        var golden = ScoreGolden.Of(name);
        IReadOnlyList<int> ends = [golden.Checkpoint.Special.Eos!.Value];
        foreach (var group in golden.Rows("generate_until").GroupBy(row => row.Whole("max_length")))
        {
            var rows = group.ToArray();
            var answers = new GreedyAnswers(golden.Model, golden.Encoding, ends, new ScoringOptions { MaximumLength = group.Key })
                .Answer([.. rows.Select(row => new AnswerRequest(row.Text("context"), [.. row.GetProperty("until").EnumerateArray().Select(stop => stop.GetString()!)], row.Whole("max_gen_toks")))]);
            Assert.All(rows.Zip(answers), pair =>
            {
                Assert.Equal(pair.First.Ids("input_ids"), pair.Second.Input);
                Assert.Equal(pair.First.Ids("generated_ids"), pair.Second.Generated);
                Assert.Equal(pair.First.Text("text"), pair.Second.Text);
            });
        }
    }

    // Rows that follow one another and have one context are the answers of one question.
    private static IReadOnlyList<IReadOnlyList<ScoredRequest>> Questions(IEnumerable<JsonElement> rows)
    {
        var questions = new List<List<ScoredRequest>>();
        string? context = null;
        foreach (var row in rows)
        {
            if (context != row.Text("context") || row.Text("group") == "hard")
                questions.Add([]);
            context = row.Text("context");
            questions[^1].Add(row.Request());
        }
        return questions;
    }
}
