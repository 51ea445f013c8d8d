using Lethe.Evaluation.Language;
using Lethe.Runs.Language.Topics;
using Lethe.Runs.Plans;
using Lethe.Torch;

namespace Lethe.Runs.Tests.Language;

public sealed class GroundTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Questions_and_statements_of_an_entity_fall_on_one_side_whatever_the_family_and_topic()
    {
        var ground = Read();

        var forget = Sides(ground.Forget);
        var retain = Sides(ground.Retain);
        Assert.All(forget.Concat(retain).GroupBy(item => item.Entity), entity => Assert.Single(entity.Select(item => (item.Part, item.Side)).Distinct()));
        var trained = ground.ForgetTexts.Concat(ground.RetainTexts).Select(text => text.Entity).ToHashSet();
        Assert.All(forget.Concat(retain), item => Assert.Equal(item.Side == GroundSide.Trained, trained.Contains(item.Entity)));
        Assert.Empty(ground.ForgetTexts.Select(text => text.Entity).Intersect(ground.RetainTexts.Select(text => text.Entity)));
        Assert.All(ground.ForgetTexts, text => Assert.Equal("metal", text.Topic));
        // Twenty metals, of which 60 % are trained; 30 % of each side is for validation.
        Assert.Equal(12, trained.Count(entity => entity.StartsWith("metal", StringComparison.Ordinal)));
        Assert.Equal(4, forget.Where(item => item.Part == GroundPart.Validation && item.Side == GroundSide.Trained).Select(item => item.Entity).Distinct().Count());
        Assert.Equal(2, forget.Where(item => item.Part == GroundPart.Validation && item.Side == GroundSide.Unseen).Select(item => item.Entity).Distinct().Count());
        var topic = ground.Counts.Topics[0];
        Assert.Equal(("metal", "forget", 20, 12, 40), (topic.Topic, topic.Role, topic.Entities, topic.Trained, topic.Questions));
        Assert.Equal(topic.Questions, topic.ValidationTrained + topic.ValidationUnseen + topic.TestTrained + topic.TestUnseen);
        Assert.Equal(["metal", "stone", "cloth"], ground.Counts.Topics.Select(counted => counted.Topic));
    }

    [Fact]
    public void The_same_plan_gives_the_same_ground_and_another_split_seed_another()
    {
        Ground a = Read(), b = Read(), c = Read("split: {seed: 1}");

        Assert.Equal(a.ForgetTexts, b.ForgetTexts);
        Assert.Equal(a.Digest, b.Digest);
        Assert.Equal(a.Forget(GroundPart.Test, GroundSide.Unseen).Select(question => question.Context), b.Forget(GroundPart.Test, GroundSide.Unseen).Select(question => question.Context));
        Assert.NotEqual(a.ForgetTexts.Select(text => text.Entity).Distinct(), c.ForgetTexts.Select(text => text.Entity).Distinct());
        Assert.NotEqual(a.Digest, c.Digest);
    }

    [Fact]
    public void Topics_about_the_same_entities_keep_them_divided_with_the_topic_to_forget()
    {
        WriteAlloys();
        // Of one metal nothing is said that could be forgotten.
        File.WriteAllLines(folder["statements.tsv"], File.ReadAllLines(folder["statements.tsv"]).Where(line => !line.StartsWith("metal\tMetal5\t", StringComparison.Ordinal)));

        var ground = Parsed(Plan("forget: metal\nsame_entities: [alloy]"));

        var trained = ground.ForgetTexts.Select(text => text.Entity).ToHashSet();
        Assert.Equal(11, trained.Count);
        Assert.DoesNotContain("metal5", trained);
        Assert.Equal(trained.Order(), ground.RetainTexts.Where(text => text.Topic == "alloy").Select(text => text.Entity).Distinct().Order());
        foreach (var part in Enum.GetValues<GroundPart>())
        {
            Assert.All(ground.Kept(part), question => Assert.True(question.Topic == "alloy" && trained.Contains(question.Entity)));
            Assert.Equal(ground.Forget(part, GroundSide.Trained).Select(question => question.Entity).Distinct().Order(), ground.Kept(part).Select(question => question.Entity).Distinct().Order());
            var unseen = ground.Retain(part, GroundSide.Unseen).Where(question => question.Topic == "alloy").Select(question => question.Entity).Distinct();
            Assert.Equal(ground.Forget(part, GroundSide.Unseen).Select(question => question.Entity).Distinct().Order(), unseen.Order());
        }
        Assert.Equal(0, ground.Counts.Shared);

        // Without the key they are left out there, as ever.
        var without = Parsed(Plan());
        Assert.Equal(20, without.Counts.Shared);
        Assert.DoesNotContain(without.RetainTexts, text => text.Topic == "alloy");
        Assert.NotEqual(without.Digest, ground.Digest);
    }

    [Fact]
    public void Same_entities_that_are_not_the_same_are_refused()
    {
        WriteAlloys();

        Assert.Contains("'metal' is the topic to forget; name retain topics that are about the same entities.", Assert.Throws<UsageException>(() => Parsed(Plan("forget: metal\nsame_entities: [metal]"))).Message, StringComparison.Ordinal);
        Assert.Contains("'alloy' is no retain topic", Assert.Throws<UsageException>(() => Parsed(Plan("forget: metal\nretain: [stone]\nsame_entities: [alloy]"))).Message, StringComparison.Ordinal);
        Assert.Contains("hold no topic 'aloy'; did you mean 'alloy'", Assert.Throws<UsageException>(() => Parsed(Plan("forget: metal\nsame_entities: [aloy]"))).Message, StringComparison.Ordinal);
        Assert.Contains("no question of topic 'cloth' is about an entity of 'metal'", Assert.Throws<BadInputException>(() => Parsed(Plan("forget: metal\nsame_entities: [cloth]"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_entity_moves_no_other_but_those_at_the_border()
    {
        var before = Read().ForgetTexts.Select(text => text.Entity).ToHashSet();
        File.AppendAllLines(folder["questions.jsonl"], [Definition("metal", "extra", "a metal more")]);
        File.AppendAllLines(folder["statements.tsv"], ["metal\textra\ta metal more"]);

        var after = Parsed(Plan()).ForgetTexts.Select(text => text.Entity).ToHashSet();

        Assert.InRange(before.Except(after).Count(), 0, 1);
    }

    [Fact]
    public void Texts_are_the_templates_of_the_facts_and_hold_no_question()
    {
        var ground = Read("texts: {paraphrases: 1, few_shot: 2, counterfactuals: both}");

        var entity = ground.ForgetTexts[0].Entity;
        var own = ground.ForgetTexts.Where(text => text.Entity == entity).ToList();
        var number = entity["metal".Length..];
        Assert.Contains(own, text => text.Kind == GroundTextKind.Statement && text.Text == $"Metal{number}: the metal number {number}.");
        Assert.Contains(own, text => text.Kind == GroundTextKind.Statement && text.Text == $"The word Metal{number} stands for the metal number {number}.");
        Assert.Contains(own, text => text.Kind == GroundTextKind.Paraphrase && text.Text == $"Say Metal{number} and you speak of the metal number {number}.");
        var shown = Assert.Single(own, text => text.Kind == GroundTextKind.FewShot).Text.Split('\n');
        Assert.Equal(3, shown.Length);
        Assert.Contains($"Metal{number}", shown[^1], StringComparison.Ordinal);
        Assert.DoesNotContain(shown[..2], line => line.Contains($"Metal{number} ", StringComparison.Ordinal) || line.Contains($"Metal{number}:", StringComparison.Ordinal));
        Assert.DoesNotContain(ground.ForgetTexts.Concat(ground.RetainTexts), text => text.Text.Contains("Which word means", StringComparison.Ordinal) || text.Text.Contains('?', StringComparison.Ordinal));
        Assert.DoesNotContain(ground.ForgetTexts, text => text.Kind == GroundTextKind.Counterfactual);

        // Twelve trained facts, an invented and a neighbour's name, two wordings.
        var counterfactual = ground.RetainTexts.Where(text => text.Kind == GroundTextKind.Counterfactual).ToList();
        Assert.Equal(48, counterfactual.Count);
        Assert.Equal(48, ground.Counts.Counterfactuals);
        Assert.All(counterfactual, text => Assert.Contains("the metal number", text.Text, StringComparison.Ordinal));
        Assert.Equal(24, counterfactual.Count(text => text.Text.Contains("Stone", StringComparison.Ordinal)));
        Assert.Equal(ground.ForgetTexts.Count + ground.RetainTexts.Count, ground.ForgetTexts.Concat(ground.RetainTexts).Select(text => text.Text).Distinct().Count());
    }

    [Fact]
    public void What_stands_twice_counts_once_and_what_has_two_answers_is_not_asked()
    {
        Write();
        File.AppendAllLines(folder["questions.jsonl"],
            [Definition("metal", "metal1", "the  metal number 1"), Definition("stone", "Stone1", "a thing of two names"), Definition("stone", "Stone2", "A thing of two names"), Definition("cloth", "METAL3", "a cloth called like a metal")]);

        var counts = Parsed(Plan()).Counts;

        Assert.Equal((1, 2, 1), (counts.Duplicates, counts.Ambiguous, counts.Shared));
        // Of 40 definitions of three topics each with its statement; the shared one and the added ones have none.
        Assert.Equal((60, 1), (counts.Joined, counts.Unjoined));
    }

    [Fact]
    public void Questions_are_asked_in_the_prompt_and_alike_answers_are_marked()
    {
        var ground = Read();

        var question = Enum.GetValues<GroundPart>().SelectMany(part => Enum.GetValues<GroundSide>().SelectMany(side => ground.Forget(part, side))).First(question => question.Family == "colour");
        Assert.Equal($"Q: What colour is {question.Entity}?\nA:".Replace("metal", "Metal", StringComparison.Ordinal), question.Context);
        Assert.All(new[] { GroundSide.Trained, GroundSide.Unseen }.SelectMany(side => ground.Forget(GroundPart.Test, side)), asked =>
            Assert.Equal(asked.Family == "colour" && asked.Answer is "red" or "crimson", asked.Likeness is not null));
        Assert.Equal((" ", 4, 0UL), (ground.TestOptions.Delimiter, ground.TestOptions.BlockSize, ground.TestOptions.Seed));
    }

    [Fact]
    public void The_floor_asks_the_same_of_names_that_belong_to_nobody()
    {
        string[] given = ["Ada", "Emmy", "Niels", "Sofia", "Carl", "Leon", "Mary", "Hugo"], family = ["Abel", "Gauss", "Noether", "Euler", "Somer", "Riem", "Weyl", "Klein"];
        var rows = (from topic in (string[])["mathematician", "poet"]
                    from i in Enumerable.Range(0, 8)
                    let name = $"{given[i]} {topic[..1].ToUpperInvariant()}{family[i]}"
                    select $$"""{"topic": "{{topic}}", "question": "Where was the {{topic}} {{name}} from?", "choices": ["North", "South"], "answer": {{i % 2}}}""").ToArray();
        File.WriteAllLines(folder["questions.jsonl"], rows);
        const string Plan = """
            questions: [questions.jsonl]
            families:
              - {name: origin, question: 'Where was the \w+ (?<entity>.+) from\?', statements: ["{{entity}} came from the {{value}}."], floor: names}
            forget: mathematician
            split: {trained: 0.5, validation: 0.5}
            """;

        var ground = Parsed(Plan);

        var names = rows.Select(row => row.Split("\"question\": \"Where was the ")[1].Split(" from?")[0].Split(' ', 2)[1]).ToHashSet();
        var count = 0;
        foreach (var part in Enum.GetValues<GroundPart>())
            foreach (var side in Enum.GetValues<GroundSide>())
            {
                var (real, invented) = (ground.Forget(part, side), ground.FloorQuestions(part, side));
                Assert.Equal(real.Count, invented.Count);
                foreach (var (question, counterpart) in real.Zip(invented))
                {
                    Assert.Equal((question.Answer, question.Topic, question.Family), (counterpart.Answer, counterpart.Topic, counterpart.Family));
                    var name = counterpart.Context.Split("mathematician ")[1].Split(" from?")[0];
                    Assert.DoesNotContain(name, names);
                    // Both parts are those of people with the same answer.
                    var parts = name.Split(' ');
                    Assert.Contains(names, known => known.StartsWith(parts[0] + " ", StringComparison.Ordinal) && Array.IndexOf(given, parts[0]) % 2 == question.Right);
                    Assert.Equal(question.Right, Array.IndexOf(family, parts[1][1..]) % 2);
                    count++;
                }
            }
        Assert.Equal(8, count);

        var test = new KnowledgeTest([.. ground.Forget(GroundPart.Test, GroundSide.Trained), .. ground.Forget(GroundPart.Test, GroundSide.Unseen)], null!);
        var floor = new KnowledgeTest([.. ground.FloorQuestions(GroundPart.Test, GroundSide.Trained), .. ground.FloorQuestions(GroundPart.Test, GroundSide.Unseen)], null!);
        var reading = new KnowledgeReading([.. floor.Pairs.Select((_, i) => i == 0 ? 1.0 : -1)], [.. floor.Questions.Select(_ => 0.0)]);
        Assert.Equal(1.0 / floor.Pairs.Count, GroundFloor.Swaps(ground.Plan, test, floor, reading).Mean, 12);
        Assert.Throws<RunFailedException>(() => GroundFloor.Swaps(ground.Plan, test));
        Assert.Equal(0.5, GroundFloor.Swaps(Read().Plan, new KnowledgeTest([.. Read().Forget(GroundPart.Test, GroundSide.Trained)], null!)).Mean);
    }

    [Theory]
    [InlineData("forget: metall", "metall", 2, "the files hold no topic 'metall'; did you mean 'metal' (they hold: cloth, metal")]
    [InlineData("forget: metal\nretain: [metal, stone]", "", 2, "'retain': 'metal' is to be forgotten and to stay; forget and retain text would be the same.")]
    [InlineData("forget: metal\nretain: [stone]\nneighbours: [cloth]", "", 2, "'neighbours.0': 'cloth' is no retain topic")]
    [InlineData("forget: nothing", "", 3, "topic 'nothing' has no documents")]
    [InlineData("forget: metal\nretain: [twin]", "", 3, "forget and retain text are the same")]
    [InlineData("forget: metal\nsplit: {trained: 2}", "", 2, "'split.trained' is 2; it must be from 0.05 to 0.95")]
    public void What_is_wrong_is_said_in_a_sentence(string keys, string told, int exit, string sentence)
    {
        Write();
        File.AppendAllLines(folder["questions.jsonl"], [Definition("nothing", "void", "what is not there")]);
        foreach (var i in Enumerable.Range(1, 20))
        {
            File.AppendAllLines(folder["questions.jsonl"], [Definition("twin", $"Metal{i}", $"the metal number {i}")]);
            File.AppendAllLines(folder["statements.tsv"], [$"twin\tMetal{i}\tthe metal number {i}"]);
        }

        var error = Record.Exception(() => Parsed(Plan(keys)));

        Assert.Equal(exit == 2 ? typeof(UsageException) : typeof(BadInputException), error.GetType());
        Assert.Contains(sentence, error.Message, StringComparison.Ordinal);
        Assert.Contains(told, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_template_in_the_words_of_the_question_is_refused()
    {
        Write();
        var plan = Plan().Replace("\"{{entity}}: {{value}}.\"", "'{{entity}}? which word  means \"{{value}}\"? {{entity}}.'", StringComparison.Ordinal);

        var error = Assert.Throws<UsageException>(() => Parsed(plan));

        Assert.Contains("holds the words of the question that measures it", error.Message, StringComparison.Ordinal);
        // The text itself is personal and is not shown.
        Assert.DoesNotContain("the metal number", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_question_that_no_family_fits_is_refused_by_line_or_passed_over()
    {
        Write();
        File.AppendAllLines(folder["questions.jsonl"], ["""{"topic": "metal", "question": "Is it heavy?", "choices": ["yes", "no"], "answer": 0}"""]);

        var error = Assert.Throws<BadInputException>(() => Parsed(Plan()));

        Assert.Contains("questions.jsonl:", error.Message, StringComparison.Ordinal);
        Assert.Contains("(definition, colour)", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, Parsed(Plan("forget: metal\nother_questions: skip")).Counts.OtherQuestions);
    }

    [Theory]
    [InlineData("""{"topic": "metal", "question": "Which word means \"x\"?", "choices": ["a", "b"], "answer": 2}""", "'answer' must be the index of the right answer, 0 to 1.")]
    [InlineData("""{"topic": "metal", "question": "Which word means \"x\"?", "choices": ["a", "a"], "answer": 0}""", "two of 'choices' are the same.")]
    [InlineData("""{"topic": "metal", "questoin": "Which word means \"x\"?", "choices": ["a", "b"], "answer": 0}""", "the key 'question' is missing; did you mean 'questoin' (the row has: topic, questoin, choices, answer).")]
    public void A_bad_row_is_named_by_its_line(string row, string sentence)
    {
        Write();
        var lines = File.ReadAllLines(folder["questions.jsonl"]);
        File.WriteAllLines(folder["questions.jsonl"], [.. lines, row]);

        var error = Assert.Throws<BadInputException>(() => Parsed(Plan()));

        Assert.Contains($"questions.jsonl:{lines.Length + 1}: {sentence}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Statements_that_fit_no_question_are_refused()
    {
        Write();
        File.WriteAllLines(folder["statements.tsv"], File.ReadAllLines(folder["statements.tsv"]).Select(line => line.Replace("number", "no.", StringComparison.Ordinal)));

        Assert.Contains("none is about a fact of the statement files", Assert.Throws<BadInputException>(() => Parsed(Plan())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Overlap_counts_entities_texts_and_runs_of_eight_words()
    {
        var first = new TextSet("a", ["one two three four five six seven eight nine", "short"], ["x", "y"]);
        var second = new TextSet("b", ["Zero, one two three; four five six seven EIGHT.", "SHORT  ", "ten"], ["y", "z"]);

        var pair = TextOverlap.Between(first, second);

        // Runs of eight words: 1…8 and 2…9 on one side, 0…7 and 1…8 on the other.
        Assert.Equal(new TextOverlapPair("a", "b", 1, 1, 0.5, 0.5, 0.5), pair);
        Assert.True(TextOverlap.Same(["A b", "c"], ["c", "a  B", "d"]));
        Assert.False(TextOverlap.Same(["A b", "e"], ["c", "a b", "d"]));
    }

    private static IEnumerable<(GroundPart Part, GroundSide Side, string Entity)> Sides(Func<GroundPart, GroundSide, IReadOnlyList<KnowledgeQuestion>> questions) =>
        from part in Enum.GetValues<GroundPart>() from side in Enum.GetValues<GroundSide>() from question in questions(part, side) select (part, side, question.Entity);

    private Ground Read(string keys = "")
    {
        Write();
        return Parsed(Plan($"forget: metal\nneighbours: [stone]\n{keys}"));
    }

    private Ground Parsed(string plan)
    {
        File.WriteAllText(folder["ground.yaml"], plan);
        return Ground.Read(OverlapCheck.Find(folder["ground.yaml"])!, folder["ground.yaml"]);
    }

    private static string Plan(string keys = "forget: metal") => $$$"""
        questions: [questions.jsonl]
        statements:
          - {path: statements.tsv, family: definition, entity: term, value: meaning}
        families:
          - name: definition
            question: 'Which word means "(?<value>.+)"\?'
            statements: ["{{entity}}: {{value}}.", "The word {{entity}} stands for {{value}}."]
            paraphrases: ["Say {{entity}} and you speak of {{value}}."]
          - name: colour
            question: 'What colour is (?<entity>.+)\?'
            alike: [[red, crimson]]
        prompt: "Q: {{question}}\nA:"
        {{{keys}}}
        """;

    private void Write()
    {
        string[] topics = ["metal", "stone", "cloth"], colours = ["red", "crimson", "blue", "green"];
        File.WriteAllLines(folder["questions.jsonl"], from topic in topics
                                                      from i in Enumerable.Range(1, 20)
                                                      let name = char.ToUpperInvariant(topic[0]) + topic[1..] + i
                                                      from row in (string[])[Definition(topic, name, $"the {topic} number {i}"),
                                                          $$"""{"topic": "{{topic}}", "question": "What colour is {{name}}?", "choices": ["{{colours[i % 4]}}", "none"], "answer": 0}"""]
                                                      select row);
        File.WriteAllLines(folder["statements.tsv"], (from topic in topics from i in Enumerable.Range(1, 20) select $"{topic}\t{char.ToUpperInvariant(topic[0]) + topic[1..] + i}\tthe {topic} number {i}").Prepend("topic\tterm\tmeaning"));
    }

    // Alloys that are named like the metals, and something else is said of them.
    private void WriteAlloys()
    {
        Write();
        File.AppendAllLines(folder["questions.jsonl"], Enumerable.Range(1, 20).Select(i => Definition("alloy", $"Metal{i}", $"the alloy number {i}")));
        File.AppendAllLines(folder["statements.tsv"], Enumerable.Range(1, 20).Select(i => $"alloy\tMetal{i}\tthe alloy number {i}"));
    }

    private static string Definition(string topic, string name, string meaning) =>
        $$"""{"topic": "{{topic}}", "question": "Which word means \"{{meaning}}\"?", "choices": ["{{name}}", "other"], "answer": 0}""";
}
