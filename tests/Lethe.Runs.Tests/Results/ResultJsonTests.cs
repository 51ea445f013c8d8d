using System.Text.Json;
using Lethe.Runs.Results;

namespace Lethe.Runs.Tests.Results;

public class ResultJsonTests
{
    private sealed record Reading(double Value, double? Other);

    [Theory]
    [InlineData(0.25, null, """{"value":0.25}""")]
    [InlineData(double.NaN, 1.5, """{"value":null,"other":1.5}""")]
    [InlineData(double.NegativeInfinity, double.NaN, """{"value":null,"other":null}""")]
    public void A_number_that_is_not_finite_is_written_as_null(double value, double? other, string json)
    {
        var options = new JsonSerializerOptions(ResultJson.Options) { WriteIndented = false };
        Assert.Equal(json, JsonSerializer.Serialize(new Reading(value, other), options));
    }

    [Fact]
    public void Null_is_read_as_no_number()
    {
        var reading = JsonSerializer.Deserialize<Reading>("""{"value":null}""", ResultJson.Options)!;
        Assert.True(double.IsNaN(reading.Value));
        Assert.Null(reading.Other);
    }
}
