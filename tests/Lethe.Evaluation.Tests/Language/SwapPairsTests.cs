using Lethe.Evaluation.Language;
using Lethe.Evaluation.Statistics;
using Lethe.Torch;

namespace Lethe.Evaluation.Tests.Language;

public sealed class SwapPairsTests
{
    [Fact]
    public void The_margin_changes_sign_when_the_answers_change_places_and_not_when_the_questions_do()
    {
        var random = new Random(1);
        for (var trial = 0; trial < 100; trial++)
        {
            var (aa, ba, ab, bb) = (random.Normal(), random.Normal(), random.Normal(), random.Normal());

            Assert.Equal(SwapPairs.Margin(aa, ba, ab, bb), -SwapPairs.Margin(ba, aa, bb, ab), 12);
            Assert.Equal(SwapPairs.Margin(aa, ba, ab, bb), SwapPairs.Margin(bb, ab, ba, aa), 12);
        }
    }

    [Fact]
    public void Liking_an_answer_whatever_the_question_cancels()
    {
        var random = new Random(2);
        var (aa, ba, ab, bb, likeA, likeB) = (random.Normal(), random.Normal(), random.Normal(), random.Normal(), 100 * random.Normal(), 100 * random.Normal());

        Assert.Equal(SwapPairs.Margin(aa, ba, ab, bb), SwapPairs.Margin(aa + likeA, ba + likeB, ab + likeA, bb + likeB), 9);
    }

    [Fact]
    public void Within_a_block_every_allowed_pair_stands_once_and_no_other()
    {
        var questions = Questions(entities: 23, topics: 3);

        var pairs = SwapPairs.Form(questions, blockSize: 4, seed: 5);

        var blocks = SwapPairs.Blocks(questions, 4, 5);
        var expected = (from a in Enumerable.Range(0, questions.Count)
                        from b in Enumerable.Range(0, a)
                        where blocks[a] == blocks[b] && questions[a].Family == questions[b].Family && questions[a].Entity != questions[b].Entity && questions[a].Answer != questions[b].Answer
                            && (questions[a].Likeness is null || questions[a].Likeness != questions[b].Likeness)
                        select (b, a)).ToHashSet();
        Assert.Equal(expected.Count, pairs.Count);
        Assert.Equal(expected, pairs.Select(pair => (Math.Min(pair.First, pair.Second), Math.Max(pair.First, pair.Second))).ToHashSet());
        Assert.Contains(questions, question => question.Likeness is not null);
        // A block has entities of one topic, 4 or one more, and an entity of a topic stands in one block.
        foreach (var block in Enumerable.Range(0, questions.Count).GroupBy(i => blocks[i]))
        {
            Assert.Single(block.Select(i => questions[i].Topic).Distinct());
            Assert.InRange(block.Select(i => questions[i].Entity).Distinct().Count(), 4, 5);
        }
        Assert.All(Enumerable.Range(0, questions.Count).GroupBy(i => (questions[i].Topic, questions[i].Entity)), own => Assert.Single(own.Select(i => blocks[i]).Distinct()));
    }

    [Fact]
    public void Pairs_depend_on_questions_and_seed_and_not_on_their_order()
    {
        var questions = Questions(entities: 12, topics: 2);
        KnowledgeQuestion[] shuffled = [.. questions.Reverse()];
        static HashSet<string> Named(IReadOnlyList<KnowledgeQuestion> of, ulong seed) =>
            [.. SwapPairs.Form(of, 3, seed).Select(pair => string.Join('|', ((string[])[of[pair.First].Context, of[pair.Second].Context]).Order(StringComparer.Ordinal)))];

        Assert.Equal(Named(questions, 1), Named(shuffled, 1));
        Assert.NotEqual(Named(questions, 1), Named(questions, 2));
        Assert.Throws<UsageException>(() => SwapPairs.Form(questions, blockSize: 1));
    }

    [Fact]
    public void In_order_each_meets_the_first_free_one_before_it_that_differs()
    {
        string[] items = ["a1", "a2", "b1", "b2", "b3", "c1"];

        Assert.Equal([("a1", "b1"), ("a2", "b2"), ("b3", "c1")], SwapPairs.InOrder(items, (x, y) => x[0] != y[0]));
        Assert.Empty(SwapPairs.InOrder(["a1", "a2"], (x, y) => x[0] != y[0]));
    }

    /// <summary>Margins with an effect of each entity: drawing blocks covers the truth, drawing pairs as if they were independent does not.</summary>
    [Fact]
    public void Drawing_blocks_covers_the_mean_margin()
    {
        var random = new Random(3);
        var questions = Questions(entities: 120, topics: 1, families: 1);
        var pairs = SwapPairs.Form(questions, blockSize: 4);
        var design = new ClusterDesign([.. pairs.Select(_ => "t")], [.. pairs.Select(pair => pair.Block)]);
        int blocks = 0, single = 0;
        for (var trial = 0; trial < 300; trial++)
        {
            var effects = questions.Select(question => question.Entity).Distinct().ToDictionary(entity => entity, _ => random.Normal());
            double[] margins = [.. pairs.Select(pair => effects[questions[pair.First].Entity] + effects[questions[pair.Second].Entity] + 0.3 * random.Normal())];
            var options = new BootstrapOptions { Resamples = 300, Seed = (ulong)trial };
            if (ClusterBootstrap.Of(new ClusteredSample(design, [margins]), options: options).Interval is { Low: <= 0, High: >= 0 })
                blocks++;
            if (ClusterBootstrap.Of(new ClusteredSample(design with { Clusters = [.. Enumerable.Range(0, pairs.Count)] }, [margins]), options: options).Interval is { Low: <= 0, High: >= 0 })
                single++;
        }

        // 300 trials at 95 %: two standard errors are 2.5 points.
        Assert.InRange(blocks / 300.0, 0.90, 0.98);
        Assert.True(single < blocks - 30, $"{single} and {blocks}");
    }

    [Fact]
    public void Right_pairs_and_choices_follow_the_log_likelihoods()
    {
        KnowledgeQuestion[] questions = [Question("t", "x", "f", "x?", ["red", "blue"], 0), Question("t", "y", "f", "y?", ["green", "blue"], 0)];
        var test = new KnowledgeTest(questions, encoding: null!);

        Assert.Equal(["red", "blue", "green"], test.Answers[0]);
        Assert.Equal(["green", "blue", "red"], test.Answers[1]);
        // log p(red|x) = −3, log p(green|x) = −1, log p(green|y) = −0.5, log p(red|y) = −4: −3 − 0.5 + 1 + 4 = 1.5.
        var reading = test.Judge([[-3, -2, -1], [-0.5, -2, -4]]);

        Assert.Equal([1.5], reading.Margins);
        Assert.Equal([1], reading.Swaps);
        Assert.Equal([0, 1], reading.Choices);
        Assert.Equal([("x", 1.5), ("y", 1.5)], test.ByEntity(reading.Margins).Select(entity => (entity.Entity, entity.Value)));
        Assert.Equal(0.5, test.Choices(reading).Mean);
        Assert.Throws<RunFailedException>(() => test.Judge([[-3, double.NaN, -1], [-0.5, -2, -4]]));
    }

    [SharedTorchFact]
    public void A_real_model_gives_the_margins_that_single_requests_give()
    {
        var golden = ScoreGolden.Of("stories260K");
        (string Entity, string Context, string Answer)[] asked = [("dog", "The dog says", "woof"), ("cat", "The cat says", "meow"), ("cow", "The cow says", "moo"), ("bird", "The little bird says", "tweet")];
        KnowledgeQuestion[] questions = [.. asked.Select(item => Question("animals", item.Entity, "", item.Context, [item.Answer, "hello"], 0))];
        var test = new KnowledgeTest(questions, golden.Encoding);
        var scorer = new LanguageScorer(golden.Model);

        var reading = test.Read(scorer);

        double Alone(string context, string answer) => scorer.Score([golden.Encoding.Pair(context, " " + answer)])[0].LogProbability;
        Assert.Equal(6, test.Pairs.Count);
        foreach (var (pair, margin) in test.Pairs.Zip(reading.Margins))
        {
            var (a, b) = (asked[pair.First], asked[pair.Second]);
            var expected = Alone(a.Context, a.Answer) + Alone(b.Context, b.Answer) - Alone(a.Context, b.Answer) - Alone(b.Context, a.Answer);
            // Four sums of a few tokens, each within the fixtures' 1e-4 + 2e-5 a token.
            Assert.InRange(Math.Abs(expected - margin), 0, 1e-3);
        }
        Assert.Equal(asked.Select(item => Alone(item.Context, item.Answer) >= Alone(item.Context, "hello") ? 1.0 : 0), reading.Choices);
        Assert.Equal(reading.Margins, test.Read(scorer).Margins);
    }

    // Answers repeat and some are alike, so that not every two may be paired.
    private static IReadOnlyList<KnowledgeQuestion> Questions(int entities, int topics, int families = 2) =>
        [.. from topic in Enumerable.Range(0, topics)
            from entity in Enumerable.Range(0, entities)
            from family in Enumerable.Range(0, families)
            select Question($"topic {topic}", $"entity {entity}", $"family {family}", $"{topic}.{entity}.{family}", [families == 1 ? $"{entity}" : $"{entity % 7}", "none"], 0)
                with { Likeness = families > 1 && entity % 7 is 2 or 5 ? "alike" : null }];

    private static KnowledgeQuestion Question(string topic, string entity, string family, string context, string[] choices, int right) =>
        new() { Topic = topic, Entity = entity, Family = family, Context = context, Choices = choices, Right = right };
}
