using System.Text.Json;
using Lethe.Runs.Language.Evaluation;

namespace Lethe.Runs.Tests.Language;

public sealed class PythonJsonTests
{
    // What python3 -c 'json.dumps(json.loads(row), indent=2, ensure_ascii=False)' prints.
    [Theory]
    [InlineData("""{"a": [1, 2.5, {"b": null}], "c": {}, "d": [], "e": "é\"\\\n\u0001/\u007f", "f": true}""",
        "{\n  \"a\": [\n    1,\n    2.5,\n    {\n      \"b\": null\n    }\n  ],\n  \"c\": {},\n  \"d\": [],\n  \"e\": \"é\\\"\\\\\\n\\u0001/\u007f\",\n  \"f\": true\n}")]
    public void A_row_is_written_as_Python_writes_it(string json, string expected) => Assert.Equal(expected, PythonJson.Of(JsonDocument.Parse(json).RootElement));
}
