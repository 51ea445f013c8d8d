using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Lethe.Evaluation;
using Lethe.Runs.Generative;
using Lethe.Runs.Guardrails;
using Lethe.Runs.Language.Evaluation;
using Lethe.Runs.Language.Tasks;
using Lethe.Runs.Language.Topics;

using Lethe.Runs.Language.Training;
using Lethe.Runs.Results;
using Lethe.Runs.SparseAutoencoders;

namespace Lethe.Runs.Tests.Documentation;

/// <summary>docs/metrics.md against the records that results are written from.</summary>
public sealed partial class MetricsPageTests
{
    [Theory]
    [InlineData("A measure", typeof(Measure))]
    [InlineData("result.json of an unlearning run", typeof(ImageUnlearnResult))]
    [InlineData("result.json of an unlearning run on a language model", typeof(LanguageUnlearnResult))]
    [InlineData("sweep.json", typeof(SweepResult))]
    [InlineData("A point of a sweep on images", typeof(ImageSweepPoint))]
    [InlineData("A point of a sweep on language models", typeof(LanguageSweepPoint))]
    [InlineData("study.json", typeof(StudyResult))]
    [InlineData("What quickstart prints", typeof(QuickstartResult))]
    [InlineData("result.json of a training run", typeof(ImageTrainResult))]
    [InlineData("What evaluate --tasks prints", typeof(LanguageResult))]
    [InlineData("What data check prints of rows", typeof(RowCheckResult))]
    [InlineData("What data check prints of overlap", typeof(OverlapResult))]
    [InlineData("result.json of a training of sparse autoencoders", typeof(SaeTrainResult))]

    [InlineData("What guardrail measure prints", typeof(GuardrailMeasureResult))]
    [InlineData("result.json of a language model's training", typeof(LanguageTrainResult))]
    public void The_page_names_every_key_and_no_other(string section, Type type)
    {
        HashSet<string> keys = [];
        // What an unlearning run's section explains is not explained again.
        HashSet<Type> explained = type.IsSubclassOf(typeof(TrainResult)) || type == typeof(LanguageResult) || type == typeof(LanguageUnlearnResult) || type == typeof(StudyResult) ? [typeof(RunFacts), typeof(CostResult), typeof(EvaluationFacts)] : [];
        if (type != typeof(Measure))
            explained.Add(typeof(Measure));
        if (type == typeof(QuickstartResult))
            explained.UnionWith([typeof(ImageUnlearnResult), typeof(LanguageUnlearnResult)]);
        Walk(type, "", keys, explained);

        Assert.Equal(keys.Order(StringComparer.Ordinal), Documented(section).Order(StringComparer.Ordinal));
    }

    // The keys of a type stand where it is first used; later uses are a key that refers to it.
    private static void Walk(Type type, string path, HashSet<string> keys, HashSet<Type> explained)
    {
        explained.Add(type);
        foreach (var property in type.GetProperties(BindingFlags.Instance | BindingFlags.Public).Where(property => property.GetCustomAttribute<System.Text.Json.Serialization.JsonIgnoreAttribute>() is null))
        {
            var key = path + JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);
            var item = Item(property.PropertyType);
            var inner = item ?? property.PropertyType;
            if (inner.Namespace?.StartsWith("Lethe", StringComparison.Ordinal) is true && !inner.IsEnum && !explained.Contains(inner))
                Walk(inner, item is null ? key + "." : key + "[].", keys, explained);
            else
                keys.Add(key);
        }
    }

    private static Type? Item(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) && type.GetGenericArguments()[0] is { IsGenericType: false } item && item.Namespace!.StartsWith("Lethe", StringComparison.Ordinal) ? item : null;

    private static IEnumerable<string> Documented(string section)
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "metrics.md"));
        var text = page.Split("\n## ").Single(part => part.StartsWith(section + "\n", StringComparison.Ordinal));
        return Row().Matches(text).Select(row => row.Groups[1].Value);
    }

    [GeneratedRegex(@"^\| `([^`]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
