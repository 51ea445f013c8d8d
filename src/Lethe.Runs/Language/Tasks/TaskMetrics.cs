using Lethe.Evaluation.Language;
using Lethe.Torch;

namespace Lethe.Runs.Language.Tasks;

/// <summary>The figures that each output type has.</summary>
internal static class TaskMetrics
{
    /// <summary>Their names, in the order in which results show them.</summary>
    public static IReadOnlyList<string> Of(TaskOutput output) => output switch
    {
        TaskOutput.MultipleChoice => ["acc", "acc_norm"],
        TaskOutput.Loglikelihood => ["perplexity", "acc"],
        TaskOutput.LoglikelihoodRolling => ["word_perplexity", "byte_perplexity", "bits_per_byte", "token_perplexity"],
        TaskOutput.GenerateUntil => ["exact_match"],
        _ => ["swap_acc", "swap_margin"],
    };

    /// <summary>Whether more is better.</summary>
    public static bool HigherIsBetter(string metric) => metric is "acc" or "acc_norm" or "exact_match" or "swap_acc" or "swap_margin";

    /// <summary>How rows are put together, by lm-evaluation-harness's name.</summary>
    public static string Aggregation(string metric) => metric switch
    {
        "perplexity" or "bits_per_byte" => metric,
        "word_perplexity" or "byte_perplexity" or "token_perplexity" => "weighted_perplexity",
        _ => "mean",
    };
}

/// <summary>Regular expressions of task files.</summary>
internal static class TaskPatterns
{
    /// <summary>What is wrong with a pattern; null if nothing is.</summary>
    public static string? Problem(string pattern)
    {
        try
        {
            ExactMatch.Pattern(pattern);
            return null;
        }
        catch (UsageException e)
        {
            return e.Message;
        }
    }
}
