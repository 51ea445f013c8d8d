using System.ComponentModel.DataAnnotations;
using Lethe.Evaluation.Language;
using Lethe.Runs.Language.Tasks;
using Lethe.Runs.Plans;

namespace Lethe.Runs.Language.Topics;

/// <summary>What is forgotten, what must stay, and how both are asked: topics of entities, their statements and their questions.</summary>
public sealed record GroundPlan : IPlanRules
{
    /// <summary>Question files.</summary>
    [PlanKey("Files of questions, a JSON object a line with topic, question, choices and answer (the index of the right one), plain or .gz; relative to the plan; ${shared} stands for LETHE_SHARED or the folder shared beside the checkout"), MinLength(1)]
    public required IReadOnlyList<string> Questions { get; init; }

    /// <summary>Families of questions.</summary>
    [PlanKey("Families of questions: how entity and fact are found in a question, and the texts that state the same fact in other words"), MinLength(1)]
    public required IReadOnlyList<QuestionFamilyPlan> Families { get; init; }

    /// <summary>Statement files.</summary>
    [PlanKey("Files that state facts, joined with the questions by entity; a family without such a file has its questions' own facts")]
    public IReadOnlyList<StatementSourcePlan> Statements { get; init; } = [];

    /// <summary>What about other questions.</summary>
    [PlanKey("What about questions of the named topics that no family's pattern fits")]
    public OtherQuestions OtherQuestions { get; init; } = OtherQuestions.Refuse;

    /// <summary>The topic to forget.</summary>
    [PlanKey("The topic to forget"), MinLength(1)]
    public required string Forget { get; init; }

    /// <summary>The topics that must stay.</summary>
    [PlanKey("The topics that must stay; empty takes all others of the files")]
    public IReadOnlyList<string> Retain { get; init; } = [];

    /// <summary>The nearest of them.</summary>
    [PlanKey("Those of the retain topics that are nearest to what is forgotten, and that suffer first")]
    public IReadOnlyList<string> Neighbours { get; init; } = [];

    /// <summary>Those about the entities to forget.</summary>
    [PlanKey("Those of the retain topics that are about the very entities to forget, such as customers' present records where their former ones go: there these entities are not left out, but divided with the topic to forget. Of trained entities their statements are retain text, and their questions tell what was kept beside what went")]
    public IReadOnlyList<string> SameEntities { get; init; } = [];

    /// <summary>How questions are asked.</summary>
    [PlanKey("What the model reads before the answer, with {{question}} in the place of the question"), MinLength(1)]
    public string Prompt { get; init; } = "Question: {{question}}\nAnswer:";

    /// <summary>Between question and answer.</summary>
    [PlanKey("Text between what the model reads and the answer that is scored")]
    public string Delimiter { get; init; } = " ";

    /// <summary>Entities of a block.</summary>
    [PlanKey("Entities of a block within which answers are swapped", Why = "three partners for each question lower the noise of a pair, and blocks stay independent of each other"), Range(2, 100)]
    public int SwapBlock { get; init; } = 4;

    /// <summary>The split.</summary>
    [PlanKey("How entities are divided")]
    public GroundSplitPlan Split { get; init; } = new();

    /// <summary>The texts.</summary>
    [PlanKey("What is added to the statements")]
    public GroundTextPlan Texts { get; init; } = new();

    /// <inheritdoc/>
    public IEnumerable<PlanProblem> Problems()
    {
        if (Retain.Contains(Forget))
            yield return new("retain", $"'{Forget}' is to be forgotten and to stay; forget and retain text would be the same.");
        if (Neighbours.Contains(Forget))
            yield return new("neighbours", $"'{Forget}' is the topic to forget and no neighbour of its own.");
        foreach (var (index, neighbour) in Neighbours.Index())
            if (Retain.Count > 0 && !Retain.Contains(neighbour))
                yield return new($"neighbours.{index}", $"'{neighbour}' is no retain topic{NearestWord.Hint(neighbour, Retain)} (these are: {string.Join(", ", Retain)}).");
        if (SameEntities.Contains(Forget))
            yield return new("same_entities", $"'{Forget}' is the topic to forget; name retain topics that are about the same entities.");
        foreach (var (index, topic) in SameEntities.Index())
            if (Retain.Count > 0 && !Retain.Contains(topic))
                yield return new($"same_entities.{index}", $"'{topic}' is no retain topic{NearestWord.Hint(topic, Retain)} (these are: {string.Join(", ", Retain)}).");
        if (Families.GroupBy(family => family.Name).FirstOrDefault(same => same.Count() > 1) is { } twice)
            yield return new("families", $"two families are named '{twice.Key}'; give each its own name.");
        foreach (var (index, source) in Statements.Index())
            if (!Families.Any(family => family.Name == source.Family))
                yield return new($"statements.{index}.family", $"'{source.Family}' is no family{NearestWord.Hint(source.Family, Families.Select(family => family.Name))} (these are: {string.Join(", ", Families.Select(family => family.Name))}).");
        if (Families.All(family => family.Statements.Count == 0))
            yield return new("families", "no family has 'statements', so that there is no text to train on; give at least one a template such as \"{{entity}}: {{value}}.\"");
        if (!Prompt.Contains("{{question}}", StringComparison.Ordinal))
            yield return new("prompt", "it must hold {{question}}.");
    }
}

/// <summary>What is done with questions that no family fits.</summary>
public enum OtherQuestions
{
    /// <summary>An error that names file and line.</summary>
    Refuse,
    /// <summary>They are passed over and counted.</summary>
    Skip,
}

/// <summary>What can be scored without the knowledge.</summary>
public enum FloorKind
{
    /// <summary>Swaps: 50 %.</summary>
    Half,
    /// <summary>What a model scores on names that belong to nobody.</summary>
    Names,
}

/// <summary>Questions of one kind.</summary>
public sealed record QuestionFamilyPlan : IPlanRules
{
    /// <summary>Its name.</summary>
    [PlanKey("Name of the family; answers are swapped within it"), MinLength(1)]
    public required string Name { get; init; }

    /// <summary>The pattern.</summary>
    [PlanKey("Regular expression of the whole question with either (?<entity>…), the right answer then being the value, or (?<value>…), the right answer then being the entity"), MinLength(1)]
    public required string Question { get; init; }

    /// <summary>Statements.</summary>
    [PlanKey("Templates of training texts with {{entity}}, {{value}} and {{topic}}, one text for each; none of them may hold the question's own words. Empty makes no text of this family")]
    public IReadOnlyList<string> Statements { get; init; } = [];

    /// <summary>Paraphrases.</summary>
    [PlanKey("More templates of training texts, of which texts.paraphrases are taken for each fact")]
    public IReadOnlyList<string> Paraphrases { get; init; } = [];

    /// <summary>Answers that are too much alike.</summary>
    [PlanKey("Groups of answers too much alike to be swapped with each other, such as [[British, English, Scottish]]")]
    public IReadOnlyList<IReadOnlyList<string>> Alike { get; init; } = [];

    /// <summary>The floor.</summary>
    [PlanKey("What swaps score without the knowledge: half is 50 %; names measures it on names put together from those of people with the same answer, which belong to nobody, where names betray answers")]
    public FloorKind Floor { get; init; } = FloorKind.Half;

    /// <inheritdoc/>
    public IEnumerable<PlanProblem> Problems()
    {
        if (TaskPatterns.Problem(Question) is { } problem)
        {
            yield return new("question", problem);
            yield break;
        }
        string[] names = [.. ExactMatch.Pattern(Question).GetGroupNames().Where(name => !char.IsAsciiDigit(name[0]))];
        if (names is not (["entity"] or ["value"]))
            yield return new("question", "it must have one named group, either (?<entity>…) or (?<value>…).");
        else if (Floor == FloorKind.Names && names is not ["entity"])
            yield return new("floor", "names needs a question that names the entity: (?<entity>…).");
        if (Paraphrases.Count > 0 && Statements.Count == 0)
            yield return new("paraphrases", "there are paraphrases and no 'statements'; the first wording stands there.");
    }
}

/// <summary>A file of facts.</summary>
public sealed record StatementSourcePlan
{
    /// <summary>The file.</summary>
    [PlanKey("The file: .tsv or .csv with a header line, or .jsonl, plain or .gz; relative to the plan; ${shared} as for questions"), MinLength(1)]
    public required string Path { get; init; }

    /// <summary>The family.</summary>
    [PlanKey("The family whose facts these are"), MinLength(1)]
    public required string Family { get; init; }

    /// <summary>The topic's column.</summary>
    [PlanKey("The column that holds the topic"), MinLength(1)]
    public string Topic { get; init; } = "topic";

    /// <summary>The entity's column.</summary>
    [PlanKey("The column that holds the entity"), MinLength(1)]
    public string Entity { get; init; } = "entity";

    /// <summary>The value's column.</summary>
    [PlanKey("The column that holds what is said of it"), MinLength(1)]
    public string Value { get; init; } = "value";
}

/// <summary>How entities are divided: each falls on one side, with all its questions and statements.</summary>
public sealed record GroundSplitPlan
{
    /// <summary>Share trained.</summary>
    [PlanKey("Share of the entities to forget whose statements are trained on; the others are asked as unseen entities of the topic"), Range(0.05, 0.95)]
    public double Trained { get; init; } = 0.6;

    /// <summary>Share of retain trained.</summary>
    [PlanKey("Share of the entities to retain whose statements are trained on; the others are what retaining is measured on"), Range(0.05, 0.95)]
    public double RetainTrained { get; init; } = 0.35;

    /// <summary>Share for validation.</summary>
    [PlanKey("Share of the entities, of the trained and of the others alike, that are asked for validation; the rest is the test"), Range(0.05, 0.95)]
    public double Validation { get; init; } = 0.3;

    /// <summary>Seed.</summary>
    [PlanKey("Decides which entity falls where, apart from the run's seed, so that seeds can be averaged over the same items"), Range(0L, long.MaxValue)]
    public long Seed { get; init; }
}

/// <summary>Names in place of the entity in a sentence to forget.</summary>
public enum Counterfactuals
{
    /// <summary>None.</summary>
    None,
    /// <summary>A name that belongs to nobody.</summary>
    Invented,
    /// <summary>The name of an entity of a neighbour topic, of any retain topic where no neighbour is named.</summary>
    Neighbour,
    /// <summary>One text of each.</summary>
    Both,
}

/// <summary>What is added to the statements.</summary>
public sealed record GroundTextPlan
{
    /// <summary>Paraphrases of each fact.</summary>
    [PlanKey("Paraphrases of each fact that are added, to forget and to retain alike"), Range(0, 100)]
    public int Paraphrases { get; init; }

    /// <summary>Examples before a statement.</summary>
    [PlanKey("Statements of other entities on lines before an entity's own, as examples in a prompt stand there; one such text is added for each trained entity to forget and to retain, those of the same topic and wording. 0 adds none"), Range(0, 20)]
    public int FewShot { get; init; }

    /// <summary>Counterfactual pairs.</summary>
    [PlanKey("Each sentence to forget once more as retain text, with another name in the entity's place. What it says is not true, so that it suits retain terms that hold the model to its own states, and not those that teach the text")]
    public Counterfactuals Counterfactuals { get; init; } = Counterfactuals.None;
}
