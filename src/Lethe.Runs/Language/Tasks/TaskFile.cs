using System.ComponentModel.DataAnnotations;
using Lethe.Runs.Plans;

namespace Lethe.Runs.Language.Tasks;

/// <summary>What is asked of the model for each row.</summary>
public enum TaskOutput
{
    /// <summary>Log-likelihood of each of several answers; the most likely one is the model's.</summary>
    MultipleChoice,
    /// <summary>Log-likelihood of one continuation, and whether it is the greedy one.</summary>
    Loglikelihood,
    /// <summary>Log-likelihood of a whole text.</summary>
    LoglikelihoodRolling,
    /// <summary>Greedy generation up to a stop string.</summary>
    GenerateUntil,
    /// <summary>Log-likelihoods of the answers of two questions for each other: of Lethe, not of lm-evaluation-harness.</summary>
    Swap,
}

/// <summary>
/// A task: a YAML file of the layout that lm-evaluation-harness has, with the keys that make sense without Python and without a download. Its data are files:
/// JSON lines, CSV with a header, or text lines, plain or gzip.
/// </summary>
public sealed record TaskFile : IPlanRules
{
    /// <summary>Name of the task.</summary>
    [PlanKey("Name of the task: letters, digits, '_', '-' and '.'"), Length(1, 100)]
    public required string Task { get; init; }

    /// <summary>Name shown in tables.</summary>
    [PlanKey("Name shown in tables; null shows the task's name")]
    public string? TaskAlias { get; init; }

    /// <summary>Layout of the data files.</summary>
    [PlanKey("Layout of the data files: json (one object a line), csv (with a header line) or text (one document a line, its key is text)"), AllowedValues("json", "csv", "text")]
    public string DatasetPath { get; init; } = "json";

    /// <summary>Where the data are.</summary>
    [PlanKey("Where the data are")]
    public required DatasetArguments DatasetKwargs { get; init; }

    /// <summary>Part whose rows are asked.</summary>
    [PlanKey("Part of data_files whose rows are asked; null asks those of validation_split")]
    public string? TestSplit { get; init; }

    /// <summary>Part asked where there is no test part.</summary>
    [PlanKey("Part of data_files whose rows are asked where test_split is null")]
    public string? ValidationSplit { get; init; }

    /// <summary>Part of examples.</summary>
    [PlanKey("Part of data_files that examples are taken from where fewshot_split is null")]
    public string? TrainingSplit { get; init; }

    /// <summary>Part of examples.</summary>
    [PlanKey("Part of data_files that examples are taken from; null takes training_split, validation_split, then the rows asked (never the row itself)")]
    public string? FewshotSplit { get; init; }

    /// <summary>How rows are changed when they are read.</summary>
    [PlanKey("How rows are changed when they are read: truthfulqa_csv makes question, mc1_targets and mc2_targets out of the columns of TruthfulQA.csv; null changes nothing"), AllowedValues("truthfulqa_csv")]
    public string? ProcessDocs { get; init; }

    /// <summary>What is asked.</summary>
    [PlanKey("What is asked of the model for each row")]
    public required TaskOutput OutputType { get; init; }

    /// <summary>Text before everything.</summary>
    [PlanKey("Template of the text that stands before everything else")]
    public string Description { get; init; } = "";

    /// <summary>The question.</summary>
    [PlanKey("Template of the question, or the name of its key; for loglikelihood_rolling not used")]
    public string DocToText { get; init; } = "";

    /// <summary>The right answer.</summary>
    [PlanKey("The right answer: a template or the name of a key; for multiple_choice an index, the answer's text, or, for truthfulqa_mc2, a list of 0 and 1; for loglikelihood_rolling the text")]
    public string DocToTarget { get; init; } = "";

    /// <summary>The answers.</summary>
    [PlanKey("The answers of multiple_choice: a list of templates, or the name or place of a list of texts")]
    public PlanNode? DocToChoice { get; init; }

    /// <summary>Between question and answer.</summary>
    [PlanKey("Text between question and answer")]
    public string TargetDelimiter { get; init; } = " ";

    /// <summary>Between examples.</summary>
    [PlanKey("Text after each example")]
    public string FewshotDelimiter { get; init; } = "\n\n";

    /// <summary>Number of examples.</summary>
    [PlanKey("Examples before the question, always the first rows of their part"), Range(0, 100)]
    public int NumFewshot { get; init; }

    /// <summary>How examples are chosen.</summary>
    [PlanKey("How examples are chosen")]
    public FewshotChoice FewshotConfig { get; init; } = new();

    /// <summary>Keys whose values make groups.</summary>
    [PlanKey("Keys whose values make subtasks, each with its own figures: TASK_VALUE; examples come from the rows of the same subtask. Of Lethe")]
    public IReadOnlyList<string> GroupBy { get; init; } = [];

    /// <summary>Rows that are taken.</summary>
    [PlanKey("Rows that are taken: keys with the texts that a row may have there; empty takes all. Of Lethe")]
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Where { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>How text is generated.</summary>
    [PlanKey("How text is generated; for generate_until")]
    public GenerationArguments GenerationKwargs { get; init; } = new();

    /// <summary>What is cut out of the generated text.</summary>
    [PlanKey("Ways to cut the answer out of the generated text, each with figures of its own; for generate_until. Empty takes the text as it is, under the name none")]
    public IReadOnlyList<AnswerFilter> FilterList { get; init; } = [];

    /// <summary>How the answers are judged.</summary>
    [PlanKey("How answers are judged where the metric alone does not say: truthfulqa_mc2 makes acc the probability of the true answers over that of all; null judges as usual"), AllowedValues("truthfulqa_mc2")]
    public string? ProcessResults { get; init; }

    /// <summary>The figures.</summary>
    [PlanKey("The figures; empty takes all that the output type has")]
    public IReadOnlyList<TaskMetric> MetricList { get; init; } = [];

    /// <summary>How often each request is made.</summary>
    [PlanKey("How often each request is made; greedy answers do not differ"), Range(1, 1)]
    public int Repeats { get; init; } = 1;

    /// <summary>Not supported, and false in every task that sets it.</summary>
    [PlanKey("Whether rows seen in training are removed; only false"), AllowedValues(false)]
    public bool ShouldDecontaminate { get; init; }

    /// <summary>Notes.</summary>
    [PlanKey("Notes; version is shown in the results")]
    public TaskNotes Metadata { get; init; } = new();

    /// <summary>The part whose rows are asked.</summary>
    internal string Split => (TestSplit ?? ValidationSplit)!;

    /// <summary>The part that examples come from.</summary>
    internal string ExampleSplit => FewshotSplit ?? TrainingSplit ?? ValidationSplit ?? Split;

    /// <inheritdoc/>
    public IEnumerable<PlanProblem> Problems()
    {
        if (!Task.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.'))
            yield return new("task", $"'{Task}' is not a name of letters, digits, '_', '-' and '.'; it becomes part of a file's name.");
        if ((TestSplit ?? ValidationSplit) is null)
            yield return new("", "'test_split' is missing: it says which part of data_files is asked.");
        foreach (var (key, split) in ((string, string?)[])[("test_split", TestSplit), ("validation_split", ValidationSplit), ("training_split", TrainingSplit), ("fewshot_split", FewshotSplit)])
            if (split is not null && !DatasetKwargs.DataFiles.ContainsKey(split))
                yield return new(key, $"'{split}' is no part of dataset_kwargs.data_files{NearestWord.Hint(split, DatasetKwargs.DataFiles.Keys)} (it has: {string.Join(", ", DatasetKwargs.DataFiles.Keys)}).");
        if (OutputType is TaskOutput.MultipleChoice or TaskOutput.Swap && DocToChoice is null or PlanScalar { IsNothing: true })
            yield return new("", "'doc_to_choice' is missing: a task of multiple_choice needs answers.");
        if (DocToChoice is PlanMap)
            yield return new("doc_to_choice", "it must be a list, or the name of a key that holds one.");
        if (OutputType != TaskOutput.LoglikelihoodRolling && DocToText.Length == 0)
            yield return new("", "'doc_to_text' is missing: it is the question.");
        if (DocToTarget.Length == 0)
            yield return new("", "'doc_to_target' is missing: it is the right answer.");
        if (ProcessResults == "truthfulqa_mc2" && OutputType != TaskOutput.MultipleChoice)
            yield return new("process_results", "truthfulqa_mc2 judges the answers of multiple_choice only.");
        var known = TaskMetrics.Of(OutputType);
        foreach (var (index, metric) in MetricList.Index())
            if (!known.Contains(metric.Metric))
                yield return new($"metric_list.{index}.metric", $"'{metric.Metric}' is no figure of this output type{NearestWord.Hint(metric.Metric, known)} (it has: {string.Join(", ", known)}).");
    }
}

/// <summary>Where a task's data are.</summary>
public sealed record DatasetArguments
{
    /// <summary>Files by part.</summary>
    [PlanKey("Files by the name of their part; a path is relative to the task's file, and ${data} stands for the data folder"), Length(1, 20)]
    public required IReadOnlyDictionary<string, string> DataFiles { get; init; }
}

/// <summary>How examples are chosen.</summary>
public sealed record FewshotChoice
{
    /// <summary>The way.</summary>
    [PlanKey("The way; first_n takes the first rows, whatever the seed"), AllowedValues("first_n")]
    public string Sampler { get; init; } = "first_n";
}

/// <summary>How text is generated.</summary>
public sealed record GenerationArguments
{
    /// <summary>Stop strings.</summary>
    [PlanKey("Texts that end the answer; the model's end-of-text token always does"), MaxLength(32)]
    public IReadOnlyList<string> Until { get; init; } = ["\n\n"];

    /// <summary>Longest answer.</summary>
    [PlanKey("Most tokens of an answer"), Range(1, 100_000)]
    public int MaxGenToks { get; init; } = 256;

    /// <summary>Only greedy.</summary>
    [PlanKey("Whether tokens are drawn; only false, tasks take the most likely token"), AllowedValues(false)]
    public bool DoSample { get; init; }

    /// <summary>Not used.</summary>
    [PlanKey("Of no effect where do_sample is false"), Range(0.0, 100.0)]
    public double Temperature { get; init; }
}

/// <summary>A way to cut an answer out of a generated text.</summary>
public sealed record AnswerFilter
{
    /// <summary>Its name in the results.</summary>
    [PlanKey("Name in the results"), Length(1, 100)]
    public required string Name { get; init; }

    /// <summary>Its steps.</summary>
    [PlanKey("Steps in order"), Length(1, 10)]
    public required IReadOnlyList<FilterStep> Filter { get; init; }
}

/// <summary>A step of a filter.</summary>
public sealed record FilterStep : IPlanRules
{
    /// <summary>What it does.</summary>
    [PlanKey("regex keeps what a pattern finds, [invalid] where it finds nothing; take_first keeps the first answer; lowercase and remove_whitespace (in front) change it"), AllowedValues("regex", "take_first", "lowercase", "remove_whitespace")]
    public required string Function { get; init; }

    /// <summary>The pattern.</summary>
    [PlanKey("Regular expression of regex; of a pattern with groups the first group that is not empty counts")]
    public string? RegexPattern { get; init; }

    /// <summary>Which match.</summary>
    [PlanKey("Which match counts, from 0; -1 is the last"), Range(-1000, 1000)]
    public int GroupSelect { get; init; }

    /// <inheritdoc/>
    public IEnumerable<PlanProblem> Problems()
    {
        if (Function == "regex" && RegexPattern is null)
            yield return new("", "'regex_pattern' is missing: regex needs a pattern.");
        if (RegexPattern is not null && TaskPatterns.Problem(RegexPattern) is { } problem)
            yield return new("regex_pattern", problem);
    }
}

/// <summary>A figure of a task.</summary>
public sealed record TaskMetric : IPlanRules
{
    /// <summary>Its name.</summary>
    [PlanKey("acc, acc_norm (multiple_choice); perplexity, acc (loglikelihood); word_perplexity, byte_perplexity, bits_per_byte, token_perplexity (loglikelihood_rolling); exact_match (generate_until); swap_acc, swap_margin (swap)")]
    public required string Metric { get; init; }

    /// <summary>How rows are put together.</summary>
    [PlanKey("How rows are put together; each figure has one way, and this names it or is left out"), AllowedValues("mean", "perplexity", "weighted_perplexity", "bits_per_byte")]
    public string? Aggregation { get; init; }

    /// <summary>Which direction is better.</summary>
    [PlanKey("Whether more is better; null for what is known of the figure")]
    public bool? HigherIsBetter { get; init; }

    /// <summary>Ignored in exact_match.</summary>
    [PlanKey("Whether exact_match takes upper and lower case for the same")]
    public bool IgnoreCase { get; init; }

    /// <summary>Ignored in exact_match.</summary>
    [PlanKey("Whether exact_match passes over punctuation")]
    public bool IgnorePunctuation { get; init; }

    /// <summary>Ignored in exact_match.</summary>
    [PlanKey("Regular expressions whose finds exact_match removes from both texts"), MaxLength(32)]
    public IReadOnlyList<string> RegexesToIgnore { get; init; } = [];

    /// <inheritdoc/>
    public IEnumerable<PlanProblem> Problems()
    {
        foreach (var (index, pattern) in RegexesToIgnore.Index())
            if (TaskPatterns.Problem(pattern) is { } problem)
                yield return new($"regexes_to_ignore.{index}", problem);
    }
}

/// <summary>Notes of a task.</summary>
public sealed record TaskNotes
{
    /// <summary>Version of the task.</summary>
    [PlanKey("Version of the task"), Range(0.0, 1e6)]
    public double Version { get; init; }

    /// <summary>Where the data come from.</summary>
    [PlanKey("Where the data come from, their licence, and how they have to look; shown where they are missing")]
    public string? Source { get; init; }
}
