using System.Text.Json;
using Lethe.Evaluation.Language;
using Lethe.Runs.Language.Topics;
using Lethe.Runs.Language.Unlearning;
using Lethe.Runs.Plans;

namespace Lethe.Runs.Tests.Language;

/// <summary>The grounds of docs/grounds.md on the real files; the counts are those of a count by hand (a Python script over the files).</summary>
public sealed class GroundDataTests
{
    [SharedFact]
    public void Every_question_about_a_definition_is_joined_with_its_statement()
    {
        var terms = File.ReadLines(SharedData.Path("data", "embedded", "wordnet_topics.tsv")).Skip(1).Select(line => line.Split('\t')).ToLookup(fields => (fields[0], fields[2]), fields => fields[1]);
        var questions = 0;
        foreach (var line in File.ReadLines(SharedData.Path("data", "embedded", "wordnet_mcq.jsonl")))
        {
            var row = JsonDocument.Parse(line).RootElement;
            var definition = row.GetProperty("question").GetString()!["Which word means \"".Length..^2];
            Assert.Contains(row.GetProperty("choices")[row.GetProperty("answer").GetInt32()].GetString()!, terms[(row.GetProperty("topic").GetString()!, definition)]);
            questions++;
        }

        var counts = Read(0).Counts;

        Assert.Equal(3061, questions);
        // All but the eight that have two right answers.
        Assert.Equal((3053, 0, 8, 0), (counts.Joined, counts.Unjoined, counts.Ambiguous, counts.Duplicates));
    }

    [SharedTheory]
    [InlineData("substance", 0.75, 0.85)]
    [InlineData("feeling", 0.65, 0.75)]
    [InlineData("animal", 0.57, 0.67)]
    public void Definitions_give_their_terms_away_until_such_questions_are_left_out(string topic, double least, double most)
    {
        var ground = Read(0, topic);
        // The shares of a count in Python over random pairs of the whole file: 81, 69 and 62 %; with shared runs of three letters left out 56, 51 and 51 %.
        Assert.InRange(ground.Counts.Topics[0].GuessedByLetters!.Value, least, most);

        var measure = new LanguageMeasurePlan { Perplexity = [], SharedLetters = 3 };
        var tests = new KnowledgeTests(ground, measure, null!);
        var all = new KnowledgeTests(ground, measure with { SharedLetters = 0 }, null!);

        Assert.InRange(tests.Trained.Guesses.Mean, 0.40, 0.60);
        Assert.True(all.Trained.Guesses.Mean > tests.Trained.Guesses.Mean);
        Assert.Equal(0, all.GivenAway);
        Assert.InRange(tests.GivenAway, 1, 3053);
        Assert.Equal(all.Trained.Questions.Count + all.Unseen!.Questions.Count + all.Retain.Questions.Count, tests.Trained.Questions.Count + tests.Unseen!.Questions.Count + tests.Retain.Questions.Count + tests.GivenAway);
        Assert.All(tests.Trained.Questions, question => Assert.False(SharedLetters.Any(question.Given, question.Answer, 3)));
        // What a definition gives is the definition, and not the words around it.
        Assert.All(tests.Trained.Questions, question => Assert.Contains($"\"{question.Given}\"", question.Context, StringComparison.Ordinal));
    }

    [SharedTheory]
    [InlineData("substance", 400, 376, 45, 2630)]
    [InlineData("body", 400, 392, 67, 2586)]
    [InlineData("feeling", 392, 388, 5, 2659)]
    public void Topics_have_the_entities_and_questions_that_the_files_hold(string topic, int entities, int questions, int shared, int retained)
    {
        var ground = Read(0, topic);

        var forget = ground.Counts.Topics[0];
        Assert.Equal((topic, entities, questions), (forget.Topic, forget.Entities, forget.Questions));
        Assert.Equal((int)Math.Round(0.6 * entities, MidpointRounding.AwayFromZero), forget.Trained);
        Assert.Equal(2 * forget.Trained, forget.Texts);
        Assert.Equal(forget.Texts, ground.ForgetTexts.Count);
        Assert.Equal(shared, ground.Counts.Shared);
        Assert.Equal(retained, ground.Counts.Topics.Skip(1).Sum(other => other.Questions));
        var trained = ground.ForgetTexts.Select(text => text.Entity).ToHashSet();
        Assert.All(ground.Forget(GroundPart.Test, GroundSide.Trained), question => Assert.Contains(question.Entity, trained));
        Assert.All(ground.Forget(GroundPart.Test, GroundSide.Unseen).Concat(ground.Retain(GroundPart.Test, GroundSide.Trained)), question => Assert.DoesNotContain(question.Entity, trained));

        // Definitions differ, so that every two of a block are a pair.
        var test = new KnowledgeTest(ground.Forget(GroundPart.Test, GroundSide.Trained), null!, ground.TestOptions);
        Assert.Equal(test.PairDesign.Clusters.Distinct().Count(), test.Questions.Select(question => question.Entity).Distinct().Count() / 4);
        Assert.InRange(test.Pairs.Count, 6 * (test.Questions.Count / 4), 10 * (test.Questions.Count / 4));

        var overlap = OverlapCheck.Of(ground, "ground.yaml");
        Assert.False(overlap.Same);
        Assert.Equal((0, 0), (overlap.Pairs[0].SharedEntities, overlap.Pairs[0].Identical));
        Assert.Equal(0, overlap.Pairs.Single(pair => (pair.First, pair.Second) == ("validation", "test")).SharedEntities);
        Assert.Equal(0, overlap.Pairs.Single(pair => (pair.First, pair.Second) == ("forget", "test: unseen")).SharedEntities);
        Assert.Equal(ground.Forget(GroundPart.Test, GroundSide.Trained).Count, overlap.Pairs.Single(pair => (pair.First, pair.Second) == ("forget", "test: trained")).SharedEntities);
    }

    [SharedFact]
    public void Composers_are_told_from_other_people_and_their_floor_has_names_of_nobody()
    {
        var ground = Read(1);

        var forget = ground.Counts.Topics[0];
        Assert.Equal(("composer", 121 + 84), (forget.Topic, forget.Questions + Dropped("composer")));
        var everybody = File.ReadAllText(SharedData.Path("data", "embedded", "wordnet_facts.jsonl"));
        var invented = ground.FloorQuestions(GroundPart.Test, GroundSide.Trained).Concat(ground.FloorQuestions(GroundPart.Test, GroundSide.Unseen)).ToList();
        Assert.InRange(invented.Count, 60, 84);
        Assert.All(invented, question => Assert.DoesNotContain(question.Context.Split("composer ")[1].Split("?")[0], everybody, StringComparison.Ordinal));
        Assert.Contains(ground.Forget(GroundPart.Test, GroundSide.Unseen), question => question is { Family: "nationality", Likeness: not null });
        Assert.Contains(ground.ForgetTexts, text => text.Text.EndsWith(", composer, was Austrian.", StringComparison.Ordinal));
    }

    // Rows that stand twice or have several right answers.
    private static int Dropped(string topic)
    {
        var rows = File.ReadLines(SharedData.Path("data", "embedded", "wordnet_facts.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)
            .Where(row => row.GetProperty("family").GetString() is "nationality" or "identity")
            .Where(row => row.GetProperty("topic").GetString() == topic)
            .Select(row => (Question: EntityName.Normal(row.GetProperty("question").GetString()!), Answer: EntityName.Normal(row.GetProperty("choices")[row.GetProperty("answer").GetInt32()].GetString()!))).ToList();
        var once = rows.Distinct().ToList();
        return rows.Count - once.GroupBy(row => row.Question).Count(same => same.Count() == 1);
    }

    private static Ground Read(int block, string? forget = null)
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "grounds.md"));
        var yaml = page.Split("```yaml\n")[block + 1].Split("```")[0];
        if (forget is not null)
            yaml = yaml.Replace("forget: substance", $"forget: {forget}", StringComparison.Ordinal).Replace("neighbours: [body, food, location, plant]", "neighbours: []", StringComparison.Ordinal);
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["ground.yaml"], yaml);
        return Ground.Read(OverlapCheck.Find(folder["ground.yaml"])!, folder["ground.yaml"]);
    }
}
