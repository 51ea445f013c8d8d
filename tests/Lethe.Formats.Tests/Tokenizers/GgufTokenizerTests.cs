using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Lethe.Formats.Gguf;
using Lethe.Formats.Tokenizers;

namespace Lethe.Formats.Tests.Tokenizers;

/// <summary>SmolLM2's tokenizer out of its GGUF file against fixtures/scores/smollm2_tokenizer_golden.json (tokenizers 0.23.3); everything is exact.</summary>
public sealed class GgufTokenizerTests
{
    private static readonly Lazy<Tokenizer> SmolLm = new(Open);

    internal static Tokenizer Shared => SmolLm.Value;

    private static Tokenizer Open()
    {
        var path = SharedData.Path("models", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf");
        using var file = GgufFile.Open(path);
        return Tokenizer.FromGguf(file.Metadata, path);
    }

    private static JsonElement Expected(string name) => JsonDocument.Parse(File.ReadAllBytes(SharedData.Path("fixtures", "scores", name))).RootElement;

    [SharedFact]
    public void SmolLM2s_ids_and_texts_are_the_reference_librarys()
    {
        var tokenizer = SmolLm.Value;
        Assert.Equal(49152, tokenizer.VocabularySize);
        foreach (var row in Expected("smollm2_tokenizer_golden.json").GetProperty("rows").EnumerateArray())
        {
            var text = row.GetProperty("text").GetString()!;
            var ids = TokenizerGoldenTests.Ids(row, "ids");
            Assert.Equal(ids, tokenizer.Encode(text));
            Assert.Equal(TokenizerGoldenTests.Ids(row, "ids_special"), tokenizer.Encode(text, addSpecialTokens: true));
            Assert.Equal(row.GetProperty("decoded").GetString(), tokenizer.Decode(ids, skipSpecialTokens: true));
            Assert.Equal(row.GetProperty("decoded_special").GetString(), tokenizer.Decode(ids));
        }
    }

    [SharedFact]
    public void Ids_that_end_inside_a_character_decode_to_the_replacement_character()
    {
        foreach (var row in Expected("smollm2_tokenizer_golden.json").GetProperty("partial").EnumerateArray())
            Assert.Equal(row.GetProperty("decoded").GetString(), SmolLm.Value.Decode(TokenizerGoldenTests.Ids(row, "ids")));
    }

    [SharedFact]
    public void Four_whole_files_give_the_reference_librarys_ids_also_from_the_saved_tokenizer_json()
    {
        using var folder = new TempFolder();
        SmolLm.Value.Save(folder.File("tokenizer.json"));
        var saved = Tokenizer.FromJsonFile(folder.File("tokenizer.json"));
        Assert.Equal(SmolLm.Value.VocabularySize, saved.VocabularySize);
        Assert.Equal(SmolLm.Value.SpecialIds, saved.SpecialIds);
        foreach (var row in Expected("smollm2_tokenizer_golden.json").GetProperty("bulk").EnumerateArray())
        {
            var text = Unzipped(row.GetProperty("file").GetString()!);
            foreach (var tokenizer in new[] { SmolLm.Value, saved })
            {
                var ids = tokenizer.Encode(text);
                Assert.Equal(row.GetProperty("tokens").GetInt32(), ids.Length);
                Assert.Equal(TokenizerGoldenTests.Ids(row, "first"), ids[..16]);
                Assert.Equal(row.GetProperty("sha256").GetString(), Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(ids.AsSpan()))));
            }
        }
    }

    internal static string Unzipped(string path)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(SharedData.Path(path.Split('/'))), CompressionMode.Decompress), new UTF8Encoding(false));
        return reader.ReadToEnd();
    }

    [SharedFact]
    public void Llama2cs_file_gives_the_ids_of_the_tokenizer_json_beside_it_and_the_golden_ones()
    {
        var scored = Tokenizer.FromLlama2C(SharedData.Path("models", "stories260K", "tok512.bin"));
        var merged = Tokenizer.FromJsonFile(SharedData.Path("models", "stories260K", "tokenizer.json"));
        Assert.Equal(512, scored.VocabularySize);
        var golden = JsonDocument.Parse(File.ReadAllBytes(SharedData.Path("models", "stories260K", "golden.json"))).RootElement;
        foreach (var row in golden.GetProperty("cases").EnumerateArray())
            foreach (var tokenizer in new[] { scored, merged })
                Assert.Equal(TokenizerGoldenTests.Ids(row, "ids"), tokenizer.Encode(row.GetProperty("text").GetString()!, addSpecialTokens: true));
        var stories = Unzipped("data/text/tinystories_excerpt.txt.gz");
        Assert.Equal(merged.Encode(stories), scored.Encode(stories));
        foreach (var family in TokenizerGoldenTests.Families)
            foreach (var row in TokenizerGoldenTests.Rows(family))
            {
                var text = row.GetProperty("text").GetString()!;
                Assert.Equal(merged.Encode(text), scored.Encode(text));
                Assert.Equal(merged.Decode(merged.Encode(text)), scored.Decode(scored.Encode(text)));
            }
    }

    [SharedFact]
    public void Stories260Ks_scored_texts_have_the_ids_of_the_harness()
    {
        var tokenizer = Tokenizer.FromJsonFile(SharedData.Path("models", "stories260K", "tokenizer.json"));
        var rolling = Expected("stories260K.json").GetProperty("rolling").EnumerateArray().Where(row => row.GetProperty("ids").ValueKind == JsonValueKind.Array).ToArray();
        Assert.NotEmpty(rolling);
        foreach (var row in rolling)
            Assert.Equal(TokenizerGoldenTests.Ids(row, "ids"), tokenizer.Encode(row.GetProperty("text").GetString()!, addSpecialTokens: !row.GetProperty("text").GetString()!.StartsWith("<s>", StringComparison.Ordinal)));
    }
}
