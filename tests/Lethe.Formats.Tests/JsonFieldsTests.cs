namespace Lethe.Formats.Tests;

public sealed class JsonFieldsTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    private JsonFields Read(string json) => JsonFields.Read(folder.Write("x.json", System.Text.Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void Values_have_types_and_bounds()
    {
        var json = Read("\uFEFF{\"i\": 3.0, \"n\": 1e-5, \"f\": true, \"t\": \"x\", \"l\": [\"a\"], \"o\": {\"k\": [1, 2]}, \"z\": null}");
        Assert.Equal(3, json.Int("i", 0, 5));
        Assert.Equal(1e-5, json.Number("n", 0, 1));
        Assert.True(json.Flag("f"));
        Assert.Equal("x", json.Text("t"));
        Assert.Equal(["a"], json.Texts("l"));
        Assert.Equal([1, 2], json.Object("o")!.Ints("k", 0, 5));
        Assert.Equal([3], json.Ints("i", 0, 5));
        Assert.Null(json.Int("z", 0, 5));
        Assert.True(json.IsNull("z"));
        Assert.False(json.IsNull("none"));
        Check.Refused(() => json.Int("i", 4, 5), "x.json", "i is 3.0", "4 to 5");
        Check.Refused(() => json.Int("n", 0, 5), "1e-5");
        Check.Refused(() => json.Flag("t"), "true or false");
        Check.Refused(() => json.Text("o"), "a text");
        Check.Refused(() => json.Object("o")!.Int("k", 0, 1), "o.k is [1, 2]");
        Check.Refused(() => json.Object("o")!.Ints("k", 0, 1), "o.k", "0 to 1");
    }

    [Theory]
    [InlineData("[]", "a list"), InlineData("{", "valid JSON"), InlineData("{\"a\":1,\"a\":2}", "valid JSON"), InlineData("{\"a\": NaN}", "valid JSON"), InlineData("", "valid JSON")]
    public void What_is_no_object_is_refused(string text, string words) => Check.Refused(() => Read(text), "x.json", words);

    [Fact]
    public void Half_a_surrogate_pair_is_refused() => Check.Refused(() => Read("{\"a\": \"\\ud800\"}").Text("a"), "a is no valid Unicode");
}
