using System.Text.Json;
using Lethe.Formats.Tokenizers;

namespace Lethe.Formats.Tests.Tokenizers;

/// <summary>Ids and texts against the reference library's (tests/Fixtures/tokenizers, made by make_tokenizers.py with tokenizers 0.23.3); everything is exact.</summary>
public sealed class TokenizerGoldenTests
{
    public static TheoryData<string> Families => ["gpt2_style", "llama3_style", "qwen2_style", "llama2_style", "gemma_style", "clip_style"];

    [Theory]
    [MemberData(nameof(Families))]
    public void Ids_and_decoded_texts_are_the_reference_librarys(string family)
    {
        var tokenizer = Read(family);
        foreach (var row in Rows(family))
        {
            var text = row.GetProperty("text").GetString()!;
            Assert.Equal(Ids(row, "ids"), tokenizer.Encode(text));
            Assert.Equal(Ids(row, "ids_special"), tokenizer.Encode(text, addSpecialTokens: true));
            Assert.Equal(row.GetProperty("decoded").GetString(), tokenizer.Decode(Ids(row, "ids"), skipSpecialTokens: true));
            Assert.Equal(row.GetProperty("decoded_special").GetString(), tokenizer.Decode(Ids(row, "ids_special")));
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void A_stream_gives_joined_what_decoding_at_once_gives_and_no_half_characters(string family)
    {
        var tokenizer = Read(family);
        foreach (var row in Rows(family))
        {
            var ids = Ids(row, "ids_special");
            var stream = tokenizer.Stream(skipSpecialTokens: false);
            var parts = ids.Select(stream.Push).ToList();
            parts.Add(stream.Finish());
            Assert.Equal(row.GetProperty("decoded_special").GetString(), string.Concat(parts));
            if (!row.GetProperty("decoded_special").GetString()!.Contains('\uFFFD', StringComparison.Ordinal))
                Assert.All(parts, part => Assert.DoesNotContain('\uFFFD', part));
        }
    }

    internal static Tokenizer Read(string family) => Tokenizer.FromJsonFile(Repository.Fixture("tokenizers", family, "tokenizer.json"));

    internal static IEnumerable<JsonElement> Rows(string family) => Golden.Read(Path.Combine("tokenizers", family)).GetProperty("rows").EnumerateArray();

    internal static int[] Ids(JsonElement row, string name) => [.. row.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];
}
