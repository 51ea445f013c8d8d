using System.ComponentModel.DataAnnotations;
using Lethe.Runs.Plans;

namespace Lethe.Runs.Language.Studies;

/// <summary>A plan of <c>lethe compare</c>: methods of unlearning on a language model, tuned alike on one topic and reported on others.</summary>
public sealed record StudyPlan : IPlanRules
{
    /// <summary>What this is for.</summary>
    [PlanKey("What is compared, in the words of whoever asks")]
    [MinLength(1)]
    public required string Title { get; init; }

    /// <summary>The plan underneath.</summary>
    [PlanKey("The plan of unlearn, of kind language, that every run begins with; relative to this one")]
    public required string Plan { get; init; }

    /// <summary>What all runs share.</summary>
    [PlanKey("Values laid over that plan in every run, by the path of their key, such as texts.batch: 8")]
    public IReadOnlyDictionary<string, PlanNode> Set { get; init; } = new SortedDictionary<string, PlanNode>(StringComparer.Ordinal);

    /// <summary>The methods.</summary>
    [PlanKey("The methods; one of them is proposed, at least one is a baseline")]
    [MinLength(2)]
    public required IReadOnlyList<StudyMethodPlan> Methods { get; init; }

    /// <summary>How options are chosen.</summary>
    [PlanKey("How each method's configuration is chosen, on a topic that is not reported")]
    public required StudyTunePlan Tune { get; init; }

    /// <summary>What is reported.</summary>
    [PlanKey("What is reported of each method's chosen configuration")]
    public required StudyReportPlan Report { get; init; }

    /// <summary>What single options do.</summary>
    [PlanKey("Changes one option at a time, from a method's chosen configuration, on the topic of tuning; null for no such table")]
    public StudySensitivityPlan? Sensitivity { get; init; }

    /// <summary>Whether models are kept.</summary>
    [PlanKey("Whether the models of all runs are kept; false keeps figures, readings and what forgetting found, and removes each exported model once it has been measured")]
    public bool KeepModels { get; init; }

    /// <inheritdoc/>
    public IEnumerable<PlanProblem> Problems()
    {
        if (Methods.GroupBy(method => method.Name).FirstOrDefault(same => same.Count() > 1) is { } twice)
            yield return new("methods", $"Two methods are named '{twice.Key}'; give each its own name.");
        if (Methods.Count(method => method.Proposed) is var proposed && proposed != 1)
            yield return new("methods", $"{proposed} methods are proposed; exactly one has to say proposed: true.");
        if (!Methods.Any(method => method is { Proposed: false, Control: false }))
            yield return new("methods", "No method is a baseline; leave proposed and control out of at least one.");
        foreach (var (index, method) in Methods.Index())
            foreach (var (r, round) in Tune.Rounds.Index())
                if (round.Set.Keys.FirstOrDefault(method.Grid.ContainsKey) is { } varied)
                    yield return new($"tune.rounds.{r}.set", $"'{varied}' is what the grid of '{method.Name}' varies; leave it out of methods.{index}.grid or of the round.");
        if (Sensitivity is { } sensitivity && !Methods.Any(method => method.Name == sensitivity.Method))
            yield return new("sensitivity.method", $"'{sensitivity.Method}' is no method{NearestWord.Hint(sensitivity.Method, Methods.Select(method => method.Name))} (these are: {string.Join(", ", Methods.Select(method => method.Name))}).");
        if (Set.Keys.FirstOrDefault(StudyRules.IsSeed) is not null)
            yield return new("set", "Seeds are listed under tune.seeds and report.seeds, not in 'set'.");
    }
}

/// <summary>A method and the configurations of it that are tried.</summary>
public sealed record StudyMethodPlan : IPlanRules
{
    /// <summary>Its name.</summary>
    [PlanKey("Its name in tables and folders: letters, digits, dashes and underscores")]
    [Length(1, 40)]
    public required string Name { get; init; }

    /// <summary>Whether it is ours.</summary>
    [PlanKey("Whether it is the method that is proposed, which the others are compared with")]
    public bool Proposed { get; init; }

    /// <summary>Whether it is a control.</summary>
    [PlanKey("Whether it is a control, such as the proposed method with a random subspace: reported beside it, but never the strongest baseline")]
    public bool Control { get; init; }

    /// <summary>What all its configurations share.</summary>
    [PlanKey("Values laid over the plan in all its runs, by the path of their key, such as method: {kind: rmu, steps: 250}")]
    public IReadOnlyDictionary<string, PlanNode> Set { get; init; } = new SortedDictionary<string, PlanNode>(StringComparer.Ordinal);

    /// <summary>What is varied.</summary>
    [PlanKey("Its configurations: for the path of each key the list of its values; with several keys every combination is tried. Empty: one configuration")]
    public IReadOnlyDictionary<string, IReadOnlyList<PlanNode>> Grid { get; init; } = new SortedDictionary<string, IReadOnlyList<PlanNode>>(StringComparer.Ordinal);

    /// <inheritdoc/>
    public IEnumerable<PlanProblem> Problems()
    {
        if (Proposed && Control)
            yield return new("control", "A method is proposed or a control, not both.");
        if (Name.Any(c => !(char.IsAsciiLetterOrDigit(c) || c is '-' or '_')))
            yield return new("name", $"'{Name}' must be letters, digits, dashes and underscores: it names folders.");
        if (Grid.FirstOrDefault(key => key.Value.Count == 0).Key is { } empty)
            yield return new($"grid.{empty}", "The list of values is empty; give at least one, or leave the key out.");
        if (Set.Keys.Concat(Grid.Keys).FirstOrDefault(StudyRules.IsMeasured) is { } measured)
            yield return new("set", $"'{measured}' decides what is asked, and all methods are asked the same; set it in the study's set, in tune or in report.");
        if (Set.Keys.FirstOrDefault(Grid.ContainsKey) is { } varied)
            yield return new("set", $"'{varied}' is what its grid varies; leave it out of one of the two.");
    }
}

/// <summary>Successive halving on a topic that is not reported.</summary>
public sealed record StudyTunePlan : IPlanRules
{
    /// <summary>The topic.</summary>
    [PlanKey("Values laid over the plan while tuning, such as ground.forget, ground.neighbours and measure.part: validation")]
    public IReadOnlyDictionary<string, PlanNode> Set { get; init; } = new SortedDictionary<string, PlanNode>(StringComparer.Ordinal);

    /// <summary>The rounds.</summary>
    [PlanKey("Rounds: each runs what is left of every method's configurations and keeps the better share; the last one chooses")]
    [MinLength(1)]
    public IReadOnlyList<StudyRoundPlan> Rounds { get; init; } = [new()];

    /// <summary>Seeds.</summary>
    [PlanKey("Seeds that every configuration is run with; figures are averaged over them")]
    [MinLength(1)]
    [Range(0, long.MaxValue)]
    public IReadOnlyList<long> Seeds { get; init; } = [0];

    /// <inheritdoc/>
    public IEnumerable<PlanProblem> Problems()
    {
        if (Rounds.Count > 0 && Rounds[^1].Set.Keys.FirstOrDefault(key => key == "method" || key.StartsWith("method.", StringComparison.Ordinal)) is { } changed)
            yield return new($"rounds.{Rounds.Count - 1}.set", $"The last round chooses, and what is chosen is reported as it was run; '{changed}' may be set in earlier rounds only.");
        if (Seeds.Distinct().Count() != Seeds.Count)
            yield return new("seeds", "A seed stands there twice; list each once.");
        if (Set.Keys.Concat(Rounds.SelectMany(round => round.Set.Keys)).FirstOrDefault(StudyRules.IsSeed) is not null)
            yield return new("seeds", "Seeds are listed under 'seeds', not in 'set'.");
    }
}

/// <summary>A round of tuning.</summary>
public sealed record StudyRoundPlan
{
    /// <summary>What makes it cheap.</summary>
    [PlanKey("Values laid over the plan in this round, such as measure.questions: 40 or method.steps: 100; a key of method that a method does not have is passed over for it")]
    public IReadOnlyDictionary<string, PlanNode> Set { get; init; } = new SortedDictionary<string, PlanNode>(StringComparer.Ordinal);

    /// <summary>Who goes on.</summary>
    [PlanKey("Share of each method's configurations that goes on, rounded up: those within the bound first, by what they forget, then the cheapest; without meaning in the last round")]
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double Keep { get; init; } = 0.5;
}

/// <summary>What is reported.</summary>
public sealed record StudyReportPlan : IPlanRules
{
    /// <summary>What all of it shares.</summary>
    [PlanKey("Values laid over the plan in reported runs, such as measure.part: test")]
    public IReadOnlyDictionary<string, PlanNode> Set { get; init; } = new SortedDictionary<string, PlanNode>(StringComparer.Ordinal);

    /// <summary>The topics.</summary>
    [PlanKey("The topics that are reported")]
    [MinLength(1)]
    public required IReadOnlyList<StudyTopicPlan> Topics { get; init; }

    /// <summary>Which baselines.</summary>
    [PlanKey("Which baselines are run on these topics: all, or the strongest of tuning, which is the one that the proposed method is held against; controls always are")]
    public ReportedBaselines Baselines { get; init; }

    /// <summary>Seeds.</summary>
    [PlanKey("Seeds that every method and topic is run with; items are averaged over them first")]
    [MinLength(1)]
    [Range(0, long.MaxValue)]
    public IReadOnlyList<long> Seeds { get; init; } = [0, 1, 2];

    /// <inheritdoc/>
    public IEnumerable<PlanProblem> Problems()
    {
        if (Topics.GroupBy(topic => topic.Name).FirstOrDefault(same => same.Count() > 1) is { } twice)
            yield return new("topics", $"Two topics are named '{twice.Key}'; give each its own name.");
        if (Seeds.Distinct().Count() != Seeds.Count)
            yield return new("seeds", "A seed stands there twice; list each once.");
        if (Set.Keys.Concat(Topics.SelectMany(topic => topic.Set.Keys)).FirstOrDefault(StudyRules.IsSeed) is not null)
            yield return new("seeds", "Seeds are listed under 'seeds', not in 'set'.");
    }
}

/// <summary>Which baselines are run on the topics that are reported.</summary>
public enum ReportedBaselines
{
    /// <summary>Every baseline's chosen configuration.</summary>
    All,
    /// <summary>That of the strongest one of tuning: on a large model the others would take most of the time and decide nothing.</summary>
    Strongest,
}

/// <summary>A topic that is reported.</summary>
public sealed record StudyTopicPlan
{
    /// <summary>Its name.</summary>
    [PlanKey("Its name in tables and folders")]
    [Length(1, 40)]
    public required string Name { get; init; }

    /// <summary>What makes it this topic.</summary>
    [PlanKey("Values laid over the plan for this topic, such as ground.forget and ground.neighbours")]
    public IReadOnlyDictionary<string, PlanNode> Set { get; init; } = new SortedDictionary<string, PlanNode>(StringComparer.Ordinal);
}

/// <summary>One option at a time.</summary>
public sealed record StudySensitivityPlan : IPlanRules
{
    /// <summary>Of which method.</summary>
    [PlanKey("The method whose chosen configuration the table begins with")]
    public required string Method { get; init; }

    /// <summary>What all its runs share.</summary>
    [PlanKey("Values laid over the plan in all runs of the table, besides those of tune")]
    public IReadOnlyDictionary<string, PlanNode> Set { get; init; } = new SortedDictionary<string, PlanNode>(StringComparer.Ordinal);

    /// <summary>The options.</summary>
    [PlanKey("For the path of each key the values that are tried, one at a time")]
    [MinLength(1)]
    public required IReadOnlyDictionary<string, IReadOnlyList<PlanNode>> Keys { get; init; }

    /// <summary>Seeds.</summary>
    [PlanKey("Seeds that every value is run with")]
    [MinLength(1)]
    [Range(0, long.MaxValue)]
    public IReadOnlyList<long> Seeds { get; init; } = [0];

    /// <inheritdoc/>
    public IEnumerable<PlanProblem> Problems()
    {
        if (Keys.Keys.FirstOrDefault(StudyRules.IsMeasured) is { } measured)
            yield return new("keys", $"'{measured}' decides what is asked, and figures of other questions cannot be compared; vary options of forgetting.");
        if (Keys.FirstOrDefault(key => key.Value.Count == 0).Key is { } empty)
            yield return new($"keys.{empty}", "The list of values is empty; give at least one, or leave the key out.");
    }
}

/// <summary>Which keys of the plan underneath decide what is asked.</summary>
internal static class StudyRules
{
    private static readonly string[] Measured = ["model", "ground", "measure", "kind"];

    /// <summary>Whether a path belongs to what all methods must have in common: what is asked. Which texts are added for it to read is a method's own affair.</summary>
    public static bool IsMeasured(string path) => IsSeed(path) || (Measured.Contains(path.Split('.')[0]) && !path.StartsWith("ground.texts.", StringComparison.Ordinal));

    /// <summary>Whether a path is the seed.</summary>
    public static bool IsSeed(string path) => path == "seed";
}
