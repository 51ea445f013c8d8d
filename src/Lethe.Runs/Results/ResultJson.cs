using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lethe.Runs.Results;

/// <summary>How results are written as JSON: snake_case keys, enums as words, nothing that is null, numbers that JSON lacks as null.</summary>
public static class ResultJson
{
    /// <summary>The options for every result document.</summary>
    public static JsonSerializerOptions Options { get; } = Make();

    private static JsonSerializerOptions Make()
    {
        var options = new JsonSerializerOptions
        {
            PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            WriteIndented = true,
            Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower));
        options.Converters.Add(new NotANumberIsNull());
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }

    // JSON has no word for a number that is not finite, and a whole result must not be lost for one measure.
    private sealed class NotANumberIsNull : JsonConverter<double>
    {
        public override bool HandleNull => true;

        public override double Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.Null ? double.NaN : reader.GetDouble();

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
        {
            if (double.IsFinite(value))
                writer.WriteNumberValue(value);
            else
                writer.WriteNullValue();
        }
    }
}
