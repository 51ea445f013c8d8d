using System.Text.Json.Nodes;
using Lethe.Runs.Tests.Plans;

namespace Lethe.Runs.Tests;

public sealed class CanonicalJsonTests
{
    private abstract record Shape;

    private sealed record Circle(double Radius) : Shape;

    private sealed record Square(double Radius) : Shape;

    private sealed record Holder(Shape Shape, IReadOnlyDictionary<string, object?> Extra)
    {
        public int Derived => 1;
    }

    private sealed class Fixed(int value)
    {
        public int GetOnly { get; } = value;
    }

    [Fact]
    public void Keys_come_in_one_order_and_values_in_one_form()
    {
        Assert.Equal("{\"extra\":{\"a\":[1,2.5,\"x\",null,true],\"b\":\"deep_blue\"},\"shape\":{\"kind\":\"Circle\",\"radius\":1E-05}}",
            CanonicalJson.Of(new Holder(new Circle(1e-5), new Dictionary<string, object?> { ["b"] = Colour.DeepBlue, ["a"] = new object?[] { 1, 2.5, "x", null, true } })));
        Assert.Equal("{\"b_b\":1,\"c\":{\"a\":2}}", CanonicalJson.Of(new { c = new { a = 2 }, bB = 1 }));
        Assert.Equal("{\"get_only\":3}", CanonicalJson.Of(new Fixed(3)));
        Assert.Equal(CanonicalJson.Of(JsonNode.Parse("""{ "b": 1, "a": [ {"d": 1, "c": "é"} ] }""")), CanonicalJson.Of(JsonNode.Parse("""{"a":[{"c":"\u00e9","d":1}],"b":1}""")));
    }

    [Fact]
    public void Two_forms_with_the_same_keys_have_different_digests() =>
        Assert.NotEqual(CanonicalJson.Digest(new Circle(1)), CanonicalJson.Digest(new Square(1)));

    [Fact]
    public void What_JSON_cannot_say_is_refused()
    {
        Assert.Throws<NotSupportedException>(() => CanonicalJson.Of(double.NaN));
        Assert.Throws<NotSupportedException>(() => CanonicalJson.Of(new System.Text.StringBuilder()));
    }

    [Fact]
    public void The_digest_is_SHA_256_of_the_text() =>
        // printf '[1]' | sha256sum
        Assert.Equal("080a9ed428559ef602668b4c00f114f1a11c3f6b02a435f0bdc154578e4d7f22", CanonicalJson.Digest(new[] { 1 }));
}
