using System.Buffers.Binary;
using System.Text;
using Lethe.Formats.Gguf;
using Lethe.Formats.Tokenizers;

namespace Lethe.Formats.Tests.Tokenizers;

public sealed class TokenizerHostileTests
{
    private const string Model = """{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}""";

    [Theory]
    [InlineData("", "not valid JSON")]
    [InlineData("[]", "the document must be an object")]
    [InlineData("{}", "lacks 'model'")]
    [InlineData("""{"model":1}""", "model must be an object and is a number")]
    [InlineData("""{"model":{"type":"Unigram","vocab":[]}}""", "'Unigram'")]
    [InlineData("""{"model":{"type":"WordPiece","vocab":{}}}""", "'WordPiece'")]
    [InlineData("""{"model":{"vocab":{"a":0}}}""", "'none'")]
    [InlineData("""{"model":{"vocab":{},"merges":[]}}""", "empty vocabulary")]
    [InlineData("""{"model":{"vocab":{"a":0,"b":0},"merges":[]}}""", "model.vocab.b is 0")]
    [InlineData("""{"model":{"vocab":{"a":-1},"merges":[]}}""", "model.vocab.a must be a whole number")]
    [InlineData("""{"model":{"vocab":{"a":1.5},"merges":[]}}""", "1.5")]
    [InlineData("""{"model":{"vocab":{"a":9999999},"merges":[]}}""", "ids up to 9999999")]
    [InlineData("""{"model":{"vocab":{"a":2147483647},"merges":[]}}""", "2147483647")]
    [InlineData("""{"model":{"vocab":{"a":0,"a":1},"merges":[]}}""", "not valid JSON")]
    [InlineData("""{"model":{"vocab":{"\ud800":0},"merges":[]}}""", "")]
    [InlineData("""{"model":{"vocab":{"a":0},"merges":["a b"]}}""", "model.merges[0] joins 'a' and 'b', but the vocabulary lacks 'b'")]
    [InlineData("""{"model":{"vocab":{"a":0},"merges":["ab"]}}""", "one space")]
    [InlineData("""{"model":{"vocab":{"a":0},"merges":["a b c"]}}""", "one space")]
    [InlineData("""{"model":{"vocab":{"a":0},"merges":[["a"]]}}""", "must hold two texts")]
    [InlineData("""{"model":{"vocab":{"a":0},"merges":[1]}}""", "model.merges[0] must be a text")]
    [InlineData("""{"model":{"vocab":{"a":0},"merges":{}}}""", "model.merges must be a list")]
    [InlineData("""{"model":{"vocab":{"a":0},"merges":[],"dropout":0.1}}""", "model.dropout must be null or 0")]
    [InlineData("""{"model":{"vocab":{"a":0},"merges":[],"unk_token":"<unk>"}}""", "'<unk>'")]
    [InlineData("""{"model":{"vocab":{"a":0},"merges":[],"byte_fallback":"yes"}}""", "model.byte_fallback must be true or false")]
    [InlineData("""{"normalizer":{"type":"Precompiled"},"model":MODEL}""", "normalizer has the type 'Precompiled'")]
    [InlineData("""{"normalizer":{"type":"Sequence","normalizers":[{"type":"NFKC"}]},"model":MODEL}""", "normalizer.normalizers[0] has the type 'NFKC'")]
    [InlineData("""{"normalizer":{},"model":MODEL}""", "normalizer lacks 'type'")]
    [InlineData("""{"pre_tokenizer":{"type":"BertPreTokenizer"},"model":MODEL}""", "'BertPreTokenizer'")]
    [InlineData("""{"pre_tokenizer":{"type":"Split","pattern":{"String":"x"},"behavior":"Sideways"},"model":MODEL}""", "pre_tokenizer.behavior is 'Sideways'")]
    [InlineData("""{"pre_tokenizer":{"type":"Metaspace","replacement":"ab"},"model":MODEL}""", "pre_tokenizer.replacement must be one character")]
    [InlineData("""{"decoder":{"type":"CTC"},"model":MODEL}""", "decoder has the type 'CTC'")]
    [InlineData("""{"decoder":{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"ByteLevel"}]},"model":MODEL}""", "decoder.decoders[1]")]
    [InlineData("""{"post_processor":{"type":"Nothing"},"model":MODEL}""", "post_processor has the type 'Nothing'")]
    [InlineData("""{"post_processor":{"type":"BertProcessing","cls":["x",70],"sep":["y",0]},"model":MODEL}""", "id 70")]
    [InlineData("""{"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"q"}}],"special_tokens":{}},"model":MODEL}""", "'q'")]
    [InlineData("""{"added_tokens":[{"id":0,"content":"zz"}],"model":MODEL}""", "added_tokens[0] gives 'zz' the id 0, which 'a' has")]
    [InlineData("""{"added_tokens":[{"id":7,"content":"a"}],"model":MODEL}""", "has the id 0 already")]
    [InlineData("""{"added_tokens":[{"content":"zz"}],"model":MODEL}""", "added_tokens[0] lacks 'id'")]
    public void A_bad_tokenizer_json_is_refused_with_the_field(string json, string why) =>
        Check.Refused(() => Tokenizer.FromJson(Encoding.UTF8.GetBytes(json.Replace("MODEL", Model, StringComparison.Ordinal)), "bad.json"), "bad.json", why);

    [Fact]
    public void Sequences_nested_without_end_are_refused()
    {
        foreach (var (stage, list) in new[] { ("normalizer", "normalizers"), ("pre_tokenizer", "pretokenizers"), ("decoder", "decoders"), ("post_processor", "processors") })
        {
            var nested = string.Concat(Enumerable.Repeat($"{{\"type\":\"Sequence\",\"{list}\":[", 20)) + string.Concat(Enumerable.Repeat("]}", 20));
            Check.Refused(() => Tokenizer.FromJson(Encoding.UTF8.GetBytes($$"""{"{{stage}}":{{nested}},"model":{{Model}}}"""), "bad.json"), stage, "nests Sequences more than 8 deep");
        }
    }

    [Fact]
    public void An_added_token_of_absurd_length_is_refused() =>
        Check.Refused(() => Tokenizer.FromJson(Encoding.UTF8.GetBytes($$"""{"added_tokens":[{"id":7,"content":"{{new string('x', 1001)}}"}],"model":{{Model}}}"""), "bad.json"), "added_tokens[0].content", "1000");

    [Fact]
    public void A_missing_file_is_refused() => Check.Refused(() => Tokenizer.FromJsonFile("no-such-folder/tokenizer.json"), "no-such-folder", "no such file");

    [Fact]
    public void Damaged_tokenizer_json_files_are_refused_or_work()
    {
        var small = """{"version":"1.0","added_tokens":[{"id":3,"content":"<x>","special":true,"normalized":true,"lstrip":true,"single_word":true}],"normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Replace","pattern":{"Regex":"\\s+"},"content":" "},{"type":"Prepend","prepend":"▁"}]},"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(?i:'s|[^\\r\\n\\p{L}]?\\p{L}+)|\\p{N}{1,3}"},"behavior":"MergedWithNext","invert":false},{"type":"Metaspace","replacement":"▁","prepend_scheme":"first"},{"type":"ByteLevel","add_prefix_space":true}]},"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<x>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[],"special_tokens":{"<x>":{"id":"<x>","ids":[3],"tokens":["<x>"]}}},"decoder":{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":1},{"type":"Replace","pattern":{"String":"ab"},"content":"c"}]},"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"<0x41>":4},"merges":[["a","b"]],"byte_fallback":true,"fuse_unk":true,"unk_token":"a"}}""";
        Fuzz.Run([Encoding.UTF8.GetBytes(small)], 8000, bytes => Use(Tokenizer.FromJson(bytes, "fuzz")), maxAllocated: 48 << 20);
    }

    [Fact]
    public void Damaged_tokenizer_bin_files_are_refused_or_work() =>
        Fuzz.Run([Bin(("ab", 1f), ("▁a", 2f))], 4000, bytes => Use(Llama2CTokenizer.Read("fuzz", bytes).ToTokenizer("fuzz")), maxAllocated: 48 << 20);

    private static void Use(Tokenizer tokenizer)
    {
        var ids = tokenizer.Encode("a ab's <x> 12345 É\ud800 😀", addSpecialTokens: true);
        tokenizer.Decode(ids);
        tokenizer.Decode([0, 1, 2, 3, 4, int.MaxValue]);
    }

    private static byte[] Bin(params (string Text, float Score)[] more)
    {
        var tokens = new[] { ("<unk>", 0f), ("\n<s>\n", 0f), ("\n</s>\n", 0f) }.Concat(Enumerable.Range(0, 256).Select(value => ($"<0x{value:X2}>", 0f)))
            .Concat("ab ".Select((letter, i) => (letter.ToString(), -10f - i))).Concat(more);
        var stream = new MemoryStream();
        Span<byte> number = stackalloc byte[4];
        Write(20);
        foreach (var (text, score) in tokens)
        {
            Write(BitConverter.SingleToInt32Bits(score));
            var bytes = Encoding.UTF8.GetBytes(text.Replace('▁', ' '));
            Write(bytes.Length);
            stream.Write(bytes);
        }
        return stream.ToArray();

        void Write(int value)
        {
            Span<byte> buffer = stackalloc byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(buffer, value);
            stream.Write(buffer);
        }
    }

    [Fact]
    public void The_highest_score_merges_first()
    {
        using var folder = new TempFolder();
        var tokenizer = Tokenizer.FromLlama2C(folder.Write("tok.bin", Bin(("ab", 1f), ("ba", 2f), ("▁a", 0.5f))));
        Assert.Equal(["▁a", "ba", "b"], tokenizer.Encode("abab").Select(tokenizer.TokenOf));
        Assert.Equal("abab", tokenizer.Decode(tokenizer.Encode("abab")));
        Assert.Equal(["<s>", "▁", "<0xC3>", "<0xA9>"], tokenizer.Encode("é", addSpecialTokens: true).Select(tokenizer.TokenOf));
        Assert.Equal([2], tokenizer.Encode("</s>"));
    }

    [Theory]
    [InlineData(0, 0, "longest token 0")]
    [InlineData(0, int.MaxValue, "longest token")]
    [InlineData(8, -1, "length -1")]
    [InlineData(8, 2_000_000_000, "length 2000000000")]
    [InlineData(4, 0x7FC00000, "no number")]
    [InlineData(-3, 0, "truncated")]
    public void A_bad_tokenizer_bin_is_refused_with_token_and_byte(int at, int value, string why)
    {
        var bytes = Bin(("ab", 1f));
        if (at < 0)
            bytes = bytes[..^3];
        else
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), value);
        Check.Refused(() => Llama2CTokenizer.Read("tok.bin", bytes), "tok.bin", why);
    }

    [Fact]
    public void Other_bad_tokenizer_bins_are_refused()
    {
        Check.Refused(() => Llama2CTokenizer.Read("tok.bin", [1, 0]), "2 bytes");
        Check.Refused(() => Llama2CTokenizer.Read("tok.bin", [20, 0, 0, 0]), "0 tokens");
        Check.Refused(() => Llama2CTokenizer.Read("tok.bin", Bin(("ab", 1f), ("ab", 2f))), "twice");
    }

    private static GgufMetadata Keys(params (string Key, object? Value)[] changes)
    {
        var values = new OrderedDictionary<string, object>
        {
            ["model"] = "llama",
            ["tokens"] = new[] { "<unk>", "<s>", "</s>", "▁", "a", "b", "ab", "▁ab", "<0xC3>", "<0xA9>", "<user>" },
            ["token_type"] = new long[] { 2, 3, 3, 1, 1, 1, 1, 1, 6, 6, 4 },
            ["scores"] = new double[] { 0, 0, 0, -4, -3, -2, 3, 2, 0, 0, 0 },
        };
        foreach (var (key, value) in changes)
            if (value is null)
                values.Remove(key);
            else
                values[key] = value;
        return new GgufMetadata("x.gguf", new OrderedDictionary<string, object>(values.Select(pair => KeyValuePair.Create("tokenizer.ggml." + pair.Key, pair.Value))));
    }

    [Fact]
    public void A_scored_vocabulary_out_of_a_gguf_merges_by_score_and_adds_what_its_flags_say()
    {
        var tokenizer = Tokenizer.FromGguf(Keys(), "x.gguf");
        Assert.Equal([1, 7, 6], tokenizer.Encode("abab", addSpecialTokens: true));
        Assert.Equal([7, 10, 7], tokenizer.Encode("ab<user>ab"));
        Assert.Equal([3, 8, 9, 0], tokenizer.Encode("éz"));
        Assert.False(tokenizer.IsSpecial(10));
        Assert.Equal([1, 2], tokenizer.SpecialIds);
        var plain = Tokenizer.FromGguf(Keys(("add_bos_token", false), ("add_eos_token", true), ("add_space_prefix", false), ("eos_token_id", 2UL)), "x.gguf");
        Assert.Equal([6, 2], plain.Encode("ab", addSpecialTokens: true));
        Assert.Equal(" ab", plain.Decode(plain.Encode(" ab")));
    }

    [Fact]
    public void A_gguf_without_a_known_tokenizer_is_refused_with_the_key()
    {
        static void Refused(string why, params (string, object?)[] changes) => Check.Refused(() => Tokenizer.FromGguf(Keys(changes), "x.gguf"), "x.gguf", "tokenizer.ggml.", why);
        Refused("model is missing", ("model", null));
        Refused("'rwkv'", ("model", "rwkv"));
        Refused("tokens is missing", ("tokens", null));
        Refused("twice", ("tokens", new[] { "a", "a", "</s>", "▁", "c", "b", "ab", "▁ab", "<0xC3>", "<0xA9>", "<user>" }));
        Refused("2 entries for 11 tokens", ("scores", new double[] { 0, 1 }));
        Refused("no number", ("scores", new double[] { 0, 0, 0, -4, -3, double.NaN, 3, 2, 0, 0, 0 }));
        Refused("1 entries for 11 tokens", ("token_type", new long[] { 1 }));
        Refused("the type 9", ("token_type", new long[] { 2, 3, 3, 9, 1, 1, 1, 1, 6, 6, 4 }));
        Refused("from 0 to 10", ("bos_token_id", 11UL));
        Refused("pre is missing", ("model", "gpt2"), ("merges", Array.Empty<string>()));
        Refused("pre is 'strange'", ("model", "gpt2"), ("pre", "strange"));
        Refused("lacks 'x'", ("model", "gpt2"), ("pre", "gpt-2"), ("merges", new[] { "a x" }));
        Refused("space between", ("model", "gpt2"), ("pre", "gpt-2"), ("merges", new[] { "ab" }));
        Refused("bos_token_id is missing", ("model", "gpt2"), ("pre", "llama-bpe"), ("merges", new[] { "a b" }));
    }

    [Fact]
    public void Each_known_pre_tokenizer_of_a_gguf_loads_and_is_saved_with_its_stages()
    {
        foreach (var name in new[] { "gpt-2", "phi-2", "olmo", "mpt", "smollm", "starcoder", "refact", "llama-bpe", "llama-v3", "llama3", "qwen2", "deepseek-r1-qwen" })
        {
            var tokenizer = Tokenizer.FromGguf(Keys(("model", "gpt2"), ("pre", name), ("merges", new[] { "a b" }), ("bos_token_id", 1UL)), "x.gguf");
            Assert.Equal(name.StartsWith("llama", StringComparison.Ordinal) ? [1, 6] : [6], tokenizer.Encode("ab", addSpecialTokens: true));
        }
    }
}
