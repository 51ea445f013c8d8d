using System.Text.RegularExpressions;
using Lethe.Evaluation;
using Lethe.Evaluation.Language;
using Lethe.Evaluation.Statistics;
using Lethe.Runs.Language.Tasks;
using Lethe.Torch;

namespace Lethe.Runs.Language.Evaluation;

/// <summary>A figure of a task or a subtask.</summary>
/// <param name="Metric">Its name, such as acc.</param>
/// <param name="Filter">What was cut out of the answer first; none for most.</param>
/// <param name="Value">The value with its standard error and interval; null where it is not defined, such as a perplexity beyond a double.</param>
public sealed record Figure(string Metric, string Filter, Measure? Value);

/// <summary>Makes figures of answers, by the definitions of lm-evaluation-harness.</summary>
internal sealed class Judging
{
    /// <summary>The filter of what is not filtered.</summary>
    public const string None = "none";

    private readonly TaskFile task;
    private readonly IReadOnlyList<string> metrics;
    private readonly IReadOnlyList<(string Name, IReadOnlyList<Func<string, string>> Steps)> filters;
    private readonly ExactMatchOptions exact;

    public Judging(TaskFile task)
    {
        this.task = task;
        metrics = task.MetricList.Count == 0 ? TaskMetrics.Of(task.OutputType) : [.. task.MetricList.Select(metric => metric.Metric)];
        filters = [.. task.FilterList.Select(filter => (filter.Name, (IReadOnlyList<Func<string, string>>)[.. filter.Filter.Select(Step)]))];
        var match = task.MetricList.FirstOrDefault(metric => metric.Metric == "exact_match");
        exact = new ExactMatchOptions
        {
            RegexesToIgnore = [.. (match?.RegexesToIgnore ?? []).Select(ExactMatch.Pattern)],
            IgnoreCase = match?.IgnoreCase ?? false,
            IgnorePunctuation = match?.IgnorePunctuation ?? false,
        };
    }

    /// <summary>What an item's scores or text come to.</summary>
    public ItemResult Judge(Item item, IReadOnlyList<LogLikelihood> scores, string? text)
    {
        var figures = new Dictionary<(string, string), double>();
        var filtered = new Dictionary<string, string>();
        var question = item.Question;
        switch (task.OutputType)
        {
            case TaskOutput.MultipleChoice:
                double[] values = [.. scores.Select(score => score.LogProbability)];
                Set("acc", () => question.True is { } labels ? ChoiceMetrics.TrueMass(values, labels) : ChoiceMetrics.Best(values) == question.Target ? 1 : 0);
                Set("acc_norm", () => (question.True?[ChoiceMetrics.BestByLength(values, question.Choices)] ?? ChoiceMetrics.BestByLength(values, question.Choices) == question.Target) ? 1 : 0);
                break;
            case TaskOutput.Swap:
                var margin = SwapPairs.Margin(scores[0].LogProbability, scores[1].LogProbability, scores[2].LogProbability, scores[3].LogProbability);
                Set("swap_acc", () => margin > 0 ? 1 : 0);
                Set("swap_margin", () => margin);
                break;
            case TaskOutput.Loglikelihood:
                Set("perplexity", () => scores[0].LogProbability);
                Set("acc", () => scores[0].Greedy ? 1 : 0);
                break;
            case TaskOutput.LoglikelihoodRolling:
                foreach (var metric in metrics)
                    Set(metric, () => scores[0].LogProbability);
                break;
            case TaskOutput.GenerateUntil:
                foreach (var (name, steps) in filters.Count > 0 ? filters : [(None, [])])
                {
                    var answer = Timed(item, () => steps.Aggregate(text!, (rest, step) => step(rest)));
                    filtered[name] = answer;
                    figures[("exact_match", name)] = Timed(item, () => ExactMatch.Of(answer, item.TargetText, exact)) ? 1 : 0;
                }
                break;
        }
        return new ItemResult(item, scores, text, figures, filtered);

        void Set(string metric, Func<double> value)
        {
            if (metrics.Contains(metric))
                figures[(metric, None)] = value();
        }
    }

    /// <summary>The figures of items.</summary>
    /// <param name="results">The items; at least one.</param>
    public IReadOnlyList<Figure> Figures(IReadOnlyList<ItemResult> results) => results.Count == 0 ? [] :
        [.. results[0].Figures.Keys.Select(key => new Figure(key.Metric, key.Filter, Measured(key.Metric, results, [.. results.Select(result => result.Figures[key])])))];

    private static Measure? Measured(string metric, IReadOnlyList<ItemResult> results, double[] values)
    {
        var texts = results.Select(result => result.Item.Question.Context);
        return metric switch
        {
            "perplexity" => Perplexity.Of(values, [.. values.Select(_ => 1L)]),
            "word_perplexity" => Perplexity.Of(values, [.. texts.Select(WhiteSpace.Words)]),
            "byte_perplexity" => Perplexity.Of(values, [.. texts.Select(WhiteSpace.Bytes)]),
            "bits_per_byte" => Perplexity.BitsPerByte(values, [.. texts.Select(WhiteSpace.Bytes)]),
            "token_perplexity" => Perplexity.Of(values, [.. results.Select(result => (long)result.Scores[0].Tokens)]),
            // Wilson's interval holds at 0 and 1; the error is that of a mean, with n − 1, as lm-evaluation-harness gives it.
            _ when values.All(value => value is 0 or 1) => Proportion.Share([.. values.Select(value => value == 1)], Better.Higher) with { StandardError = Mean.Of(values).StandardError },
            _ => Mean.Of(values, Better.Higher),
        };
    }

    private static Func<string, string> Step(FilterStep step)
    {
        if (step.Function == "regex")
        {
            var pattern = ExactMatch.Pattern(step.RegexPattern!);
            return text => ExactMatch.Extract(text, pattern, step.GroupSelect);
        }
        return step.Function switch
        {
            "lowercase" => text => text.ToLowerInvariant(),
            "remove_whitespace" => text => text.TrimStart(),
            _ => text => text, // take_first: there is one answer only.
        };
    }

    private static T Timed<T>(Item item, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (RegexMatchTimeoutException e)
        {
            throw new BadInputException($"{item.Place}: the pattern '{e.Pattern}' takes more than {ExactMatch.PatternTime.TotalSeconds} s on the model's answer; write a simpler one.", e);
        }
    }
}
