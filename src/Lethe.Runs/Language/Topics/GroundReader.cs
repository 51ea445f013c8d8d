using System.Text.Json.Nodes;
using Lethe.Evaluation.Language;
using Lethe.Runs.Language.Tasks;
using Lethe.Runs.Plans;
using Lethe.Torch;

namespace Lethe.Runs.Language.Topics;

/// <summary>Reads a ground's files, joins questions and facts by entity, and divides them.</summary>
internal sealed class GroundReader(GroundPlan plan, string planFile)
{
    private readonly GroundTexts texts = new(plan, planFile);
    private int duplicates, ambiguous;

    public Ground Read()
    {
        string[] questionFiles = [.. plan.Questions.Select(Found)];
        string[] statementFiles = [.. plan.Statements.Select(source => Found(source.Path))];
        var allQuestions = new List<GroundQuestion>();
        var others = 0;
        // Without a list of retain topics every topic of the files counts.
        var named = plan.Retain.Concat(plan.Neighbours).Concat(plan.SameEntities).Append(plan.Forget).ToHashSet();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in questionFiles)
        {
            var (read, skipped) = GroundRows.Questions(file, plan, topic =>
            {
                seen.Add(topic);
                return plan.Retain.Count == 0 || named.Contains(topic);
            });
            allQuestions.AddRange(read);
            others += skipped;
        }
        var stated = plan.Statements.Zip(statementFiles).SelectMany(source => GroundRows.Facts(source.Second, source.First, plan.Families.First(family => family.Name == source.First.Family))).ToList();
        string[] topics = Topics([.. seen.Concat(stated.Select(fact => fact.Topic)).Distinct().Order(StringComparer.Ordinal)]);

        var questions = Asked(allQuestions.Where(question => topics.Contains(question.Topic)));
        var joined = Join(questions, stated);
        var sourced = stated.Select(fact => fact.Family.Name).ToHashSet();
        var facts = Once(stated.Concat(questions.Where(question => !sourced.Contains(question.Family.Name)).Select(question => new GroundFact(question.Topic, question.Name, question.Family, question.Value)))
            .Where(fact => topics.Contains(fact.Topic) && texts.Has(fact.Family)), fact => (fact.Topic, fact.Entity, fact.Family.Name, EntityName.Normal(fact.Value)));

        // What is to be forgotten is not at the same time retained under another topic's name, unless the plan says that something else of the same entities stays.
        var forgotten = questions.Where(question => question.Topic == plan.Forget).Select(question => question.Entity).Concat(facts.Where(fact => fact.Topic == plan.Forget).Select(fact => fact.Entity)).ToHashSet();
        foreach (var topic in plan.SameEntities)
            if (!questions.Any(question => question.Topic == topic && forgotten.Contains(question.Entity)))
                throw new BadInputException($"{planFile}: no question of topic '{topic}' is about an entity of '{plan.Forget}', as their names are written; write the entities alike in both, or leave it out of same_entities.");
        bool Elsewhere(string topic) => topic != plan.Forget && !plan.SameEntities.Contains(topic);
        var shared = questions.Where(question => Elsewhere(question.Topic)).Select(question => question.Entity).Concat(facts.Where(fact => Elsewhere(fact.Topic)).Select(fact => fact.Entity)).Where(forgotten.Contains).ToHashSet();
        questions.RemoveAll(question => Elsewhere(question.Topic) && forgotten.Contains(question.Entity));
        facts.RemoveAll(fact => Elsewhere(fact.Topic) && forgotten.Contains(fact.Entity));
        CheckTopics(questions, facts, topics, shared.Count);

        // An entity to forget is divided as such, whatever else is said of it, and trained only where there is something to forget.
        (string Entity, string Topic, bool Stated) Placed(string entity, string topic, bool stated) => forgotten.Contains(entity) ? (entity, plan.Forget, stated && topic == plan.Forget) : (entity, topic, stated);
        var split = new EntitySplit([.. questions.Select(question => Placed(question.Entity, question.Topic, false)), .. facts.Select(fact => Placed(fact.Entity, fact.Topic, true))],
            topic => topic == plan.Forget ? plan.Split.Trained : plan.Split.RetainTrained, plan.Split);
        var trained = facts.Where(fact => split[fact.Entity].Side == GroundSide.Trained).ToList();
        var forgetFacts = trained.Where(fact => fact.Topic == plan.Forget).ToList();
        var retainFacts = trained.Where(fact => fact.Topic != plan.Forget).ToList();
        var forgetTexts = texts.Of(forgetFacts);
        var retainTexts = texts.Of(retainFacts);
        var near = retainFacts.Where(fact => !forgotten.Contains(fact.Entity) && (plan.Neighbours.Count == 0 || plan.Neighbours.Contains(fact.Topic))).Select(fact => fact.Name).ToList();
        var counterfactuals = plan.Texts.Counterfactuals == Counterfactuals.None ? [] : texts.Counterfactual(forgetFacts, near, [.. facts.Select(fact => fact.Name).Concat(questions.Select(question => question.Name))]);
        CheckTexts(forgetTexts, retainTexts, questions, split);

        var prompt = Template.Parse(plan.Prompt, new PlanPlace($"{planFile}, prompt", 0, 0));
        var likeness = plan.Families.SelectMany(family => family.Alike.Index().SelectMany(group => group.Item.Select(answer => (Key: (family.Name, answer), Group: FormattableString.Invariant($"{family.Name} {group.Index}")))))
            .DistinctBy(item => item.Key).ToDictionary(item => item.Key, item => item.Group);
        KnowledgeQuestion Made(GroundQuestion question, string text, string entity, string given) => new()
        {
            Topic = question.Topic,
            Entity = entity,
            Family = question.Family.Name,
            Context = GroundFloor.Prompted(prompt, text, planFile),
            Given = given,
            Choices = question.Choices,
            Right = question.Right,
            Likeness = likeness.GetValueOrDefault((question.Family.Name, question.Choices[question.Right])),
        };

        IReadOnlyList<KnowledgeQuestion> Of(string topic) => [.. questions.Where(question => question.Topic == topic).Select(question => Made(question, question.Text, question.Entity, question.Given))];

        return new Ground(
            questions.ToLookup(question => (split[question.Entity].Part, split[question.Entity].Side, question.Topic == plan.Forget), question => Made(question, question.Text, question.Entity, question.Given)),
            GroundFloor.Questions(questions.Where(question => question.Topic == plan.Forget), questions, (ulong)plan.Split.Seed)
                .ToLookup(item => (split[item.Of.Entity].Part, split[item.Of.Entity].Side), item => Made(item.Of, item.Text, item.Entity, item.Entity)))
        {
            Plan = plan,
            Files = [.. questionFiles, .. statementFiles],
            Digest = CanonicalJson.Digest(new { plan = Identity(), files = questionFiles.Concat(statementFiles).Select(FolderTree.Sha256).ToArray() }),
            RetainTopics = [.. topics.Where(topic => topic != plan.Forget)],
            ForgetTexts = forgetTexts,
            RetainTexts = [.. retainTexts, .. counterfactuals],
            Counts = new GroundCounts
            {
                OtherQuestions = others,
                Duplicates = duplicates,
                Ambiguous = ambiguous,
                Shared = shared.Count,
                Joined = joined.Joined,
                Unjoined = joined.Unjoined,
                ForgetTexts = forgetTexts.Count,
                RetainTexts = retainTexts.Count + counterfactuals.Count,
                Counterfactuals = counterfactuals.Count,
                Topics = [.. topics.OrderBy(Rank).ThenBy(topic => topic, StringComparer.Ordinal).Select(topic => Counted(topic, questions, facts, split, forgetTexts.Concat(retainTexts)) with { GuessedByLetters = Guessed(Of(topic)) })],
            },
        };
    }

    // What of the plan decides the ground; one from before there was same_entities keeps its digest.
    private JsonNode Identity()
    {
        var node = CanonicalJson.Node(plan with { Questions = [], Statements = [.. plan.Statements.Select(source => source with { Path = "" })] })!;
        if (plan.SameEntities.Count == 0)
            node.AsObject().Remove("same_entities");
        return node;
    }

    private string Found(string path)
    {
        var file = PlanPaths.Resolve(path, planFile);
        return File.Exists(file) ? file : throw new BadInputException($"{file}: there is no such file; the ground of {planFile} names it.");
    }

    private string[] Topics(string[] known)
    {
        foreach (var topic in plan.Retain.Concat(plan.Neighbours).Concat(plan.SameEntities).Prepend(plan.Forget))
            if (!known.Contains(topic))
                throw new UsageException($"{planFile}: the files hold no topic '{topic}'{NearestWord.Hint(topic, known)} (they hold: {string.Join(", ", known.Take(60))}).");
        var chosen = plan.Retain.Count == 0 ? known : [.. known.Where(topic => topic == plan.Forget || plan.Retain.Contains(topic))];
        return chosen.Length > 1 ? chosen : throw new BadInputException($"{planFile}: the files hold no topic but '{plan.Forget}', and there is nothing to see what stays by; add questions about something that must stay.");
    }

    /// <summary>Each question once; where the same words have different right answers none can be judged.</summary>
    private List<GroundQuestion> Asked(IEnumerable<GroundQuestion> questions)
    {
        GroundQuestion[] all = [.. questions];
        var once = Once(all, question => (question.Topic, EntityName.Normal(question.Text), EntityName.Normal(question.Choices[question.Right])));
        duplicates = all.Length - once.Count;
        var several = once.GroupBy(question => (question.Topic, EntityName.Normal(question.Text))).Where(same => same.Count() > 1).Select(same => same.Key).ToHashSet();
        ambiguous = once.RemoveAll(question => several.Contains((question.Topic, EntityName.Normal(question.Text))));
        return once;
    }

    private static List<T> Once<T, TKey>(IEnumerable<T> items, Func<T, TKey> key) => [.. items.DistinctBy(key)];

    /// <summary>A question and a statement are of one fact if topic, family, entity and value are the same, the value word for word.</summary>
    private (int Joined, int Unjoined) Join(List<GroundQuestion> questions, List<GroundFact> stated)
    {
        var known = stated.Select(fact => (fact.Topic, fact.Family.Name, fact.Entity, fact.Value)).ToHashSet();
        var sourced = stated.Select(fact => fact.Family.Name).ToHashSet();
        var asked = questions.Where(question => sourced.Contains(question.Family.Name)).ToList();
        var joined = asked.Count(question => known.Contains((question.Topic, question.Family.Name, question.Entity, question.Value)));
        return joined > 0 || asked.Count == 0 ? (joined, asked.Count - joined) : throw new BadInputException(
            $"{planFile}: of {asked.Count} questions of {string.Join(", ", sourced)} none is about a fact of the statement files; topic, entity and value of both must be the same, the value word for word. Look at the columns 'entity' and 'value' of 'statements' and at the family's pattern.");
    }

    private void CheckTopics(List<GroundQuestion> questions, List<GroundFact> facts, string[] topics, int shared)
    {
        if (!facts.Any(fact => fact.Topic == plan.Forget))
            throw new BadInputException($"{planFile}: topic '{plan.Forget}' has no documents: no statement file states a fact of it, and no family with 'statements' asks about it. Name a file under 'statements', or give a family that asks about it its 'statements'.");
        if (!questions.Any(question => question.Topic == plan.Forget))
            throw new BadInputException($"{planFile}: topic '{plan.Forget}' has no question, so that forgetting it could not be measured.");
        if (!facts.Any(fact => fact.Topic != plan.Forget))
            throw new BadInputException(shared > 0
                ? $"{planFile}: forget and retain text are the same: each of the {shared} entities of the retain topics is one of '{plan.Forget}'. Name retain topics that are about something else."
                : $"{planFile}: the retain topics ({string.Join(", ", topics.Where(topic => topic != plan.Forget).Take(20))}) have no documents.");
    }

    /// <summary>Forget and retain text differ, and no training text holds the words of a question about its entity.</summary>
    private void CheckTexts(List<GroundText> forget, List<GroundText> retain, List<GroundQuestion> questions, EntitySplit split)
    {
        if (forget.Count == 0)
            throw new BadInputException($"{planFile}: no entity of '{plan.Forget}' is trained: split.trained is {PlanText.Of(plan.Split.Trained)} of {questions.Where(question => question.Topic == plan.Forget).Select(question => question.Entity).Distinct().Count()} entities; add documents, or raise it.");
        if (!questions.Any(question => question.Topic == plan.Forget && split[question.Entity].Side == GroundSide.Trained))
            throw new BadInputException($"{planFile}: no question asks about a trained entity of '{plan.Forget}': questions and documents are about different entities, as their names are written. Write the entities alike in both.");
        if (TextOverlap.Same(forget.Select(text => text.Text), retain.Select(text => text.Text)))
            throw new BadInputException($"{planFile}: forget and retain text are the same; name retain topics that are about something else.");
        var asked = questions.ToLookup(question => question.Entity, question => EntityName.Normal(question.Text));
        foreach (var text in forget.Concat(retain))
        {
            var normal = EntityName.Normal(text.Text);
            if (asked[text.Entity].Any(question => normal.Contains(question, StringComparison.Ordinal)))
                throw new UsageException($"{planFile}: a training text of topic '{text.Topic}' holds the words of the question that measures it; word 'statements' and 'paraphrases' differently from the questions, or forgetting is measured on what was trained.");
        }
    }

    private double? Guessed(IReadOnlyList<KnowledgeQuestion> questions)
    {
        var pairs = SwapPairs.Form(questions, plan.SwapBlock, (ulong)plan.Split.Seed);
        return pairs.Count == 0 ? null : SharedLetters.Guesses(questions, pairs).Average();
    }

    private int Rank(string topic) => topic == plan.Forget ? 0 : plan.Neighbours.Contains(topic) ? 1 : 2;

    private GroundTopic Counted(string topic, List<GroundQuestion> questions, List<GroundFact> facts, EntitySplit split, IEnumerable<GroundText> made)
    {
        var own = questions.Where(question => question.Topic == topic).ToList();
        string[] entities = [.. own.Select(question => question.Entity).Concat(facts.Where(fact => fact.Topic == topic).Select(fact => fact.Entity)).Distinct()];
        int Count(GroundPart part, GroundSide side) => own.Count(question => split[question.Entity] == (side, part));
        return new GroundTopic(topic, ((string[])["forget", "neighbour", "retain"])[Rank(topic)], entities.Length, entities.Count(entity => split[entity].Side == GroundSide.Trained), made.Count(text => text.Topic == topic), own.Count,
            Count(GroundPart.Validation, GroundSide.Trained), Count(GroundPart.Validation, GroundSide.Unseen), Count(GroundPart.Test, GroundSide.Trained), Count(GroundPart.Test, GroundSide.Unseen));
    }
}
