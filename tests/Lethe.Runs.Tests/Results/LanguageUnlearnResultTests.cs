using System.Text.Json;
using Lethe.Evaluation;
using Lethe.Runs.Results;

namespace Lethe.Runs.Tests.Results;

public sealed class LanguageUnlearnResultTests
{
    [Fact]
    public void A_topic_that_was_not_known_above_the_floor_is_read_as_it_was_written()
    {
        var measure = new Measure(0.5, 10);
        var known = new KnowledgeResult
        {
            SwapBefore = measure,
            SwapAfter = measure,
            SwapChange = measure,
            MarginBefore = measure,
            MarginAfter = measure,
            MarginChange = measure,
            ChoiceBefore = measure,
            ChoiceAfter = measure,
        };
        var written = new LanguageForgetResult { SwapBefore = 0.4, SwapAfter = 0.5, Floor = 0.5, Qualifies = false, Trained = known };

        var read = JsonSerializer.Deserialize<LanguageForgetResult>(JsonSerializer.Serialize(written, ResultJson.Options), ResultJson.Options);

        Assert.Equal(written, read);
    }
}
