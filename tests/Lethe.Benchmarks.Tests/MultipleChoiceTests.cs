using System.Text.Json;

namespace Lethe.Benchmarks.Tests;

public sealed class MultipleChoiceTests
{
    [PeerFact]
    public async Task A_quick_run_scores_the_same_questions_on_both_sides()
    {
        var (code, output, error) = await SelectiveAmnesiaVaeTests.Run("multiple-choice", "--quick", "--threads", "1", "--json");

        Assert.True(code == 0, error);
        var sets = JsonDocument.Parse(output).RootElement.GetProperty("sets").EnumerateArray().ToArray();
        Assert.Equal(["quiz", "mmlu"], sets.Select(set => set.GetProperty("task").GetString()));
        Assert.All(sets, set => Assert.True(set.GetProperty("ratio").GetDouble() > 0));
        // Ids and model are the same, so that scores differ by rounding alone; answers have up to a dozen tokens.
        Assert.All(sets, set => Assert.InRange(set.GetProperty("difference").GetDouble(), 0, 1e-3));
    }
}
