using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lethe.Formats.Tokenizers;

namespace Lethe.Formats.Tests.Tokenizers;

/// <summary>Single rules on vocabularies small enough to follow by hand; expectations from the reference library's source (3ba8ad0) unless a line says otherwise.</summary>
public sealed class TokenizerRulesTests
{
    /// <summary>A tokenizer whose vocabulary is every character below U+0180, U+2581 and what else is named, so that ids show pieces.</summary>
    private static Tokenizer Make(string? model = null, string? normalizer = null, string? pre = null, string? post = null, string? decoder = null, string? added = null) => Parse(
        $$"""{"added_tokens":{{added ?? "[]"}},"normalizer":{{normalizer ?? "null"}},"pre_tokenizer":{{pre ?? "null"}},"post_processor":{{post ?? "null"}},"decoder":{{decoder ?? "null"}},"model":{{model ?? """{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"c":3,"abc":4,"<u>":5," ":6,"-":7},"merges":["a b","ab c"],"unk_token":"<u>"}"""}}}""");

    private static Tokenizer Parse(string json) => Tokenizer.FromJson(Encoding.UTF8.GetBytes(json), "test.json");

    /// <summary>The pieces that a pre-tokenizer makes, seen through a model that knows whole pieces only.</summary>
    private static string[] Pieces(string pre, string text)
    {
        using var document = JsonDocument.Parse(pre);
        var (stages, _) = PreTokenizer.Read(new JsonField("test.json", "pre_tokenizer", document.RootElement));
        return [.. PreTokenizer.Split(stages, text).Select(piece => piece.Span.ToString())];
    }

    [Theory]
    [InlineData("Removed", "The|final|countdown")]
    [InlineData("Isolated", "The|-|final|-|-|countdown")]
    [InlineData("MergedWithPrevious", "The-|final-|-|countdown")]
    [InlineData("MergedWithNext", "The|-final|-|-countdown")]
    [InlineData("Contiguous", "The|-|final|--|countdown")]
    public void Split_puts_its_matches_where_it_says(string behavior, string expected)
    {
        // The reference library's own test (tokenizer/normalizer.rs, split).
        Assert.Equal(expected.Split('|'), Pieces($$$"""{"type":"Split","pattern":{"String":"-"},"behavior":"{{{behavior}}}","invert":false}""", "The-final--countdown"));
        Assert.Equal(expected.Split('|'), Pieces($$$"""{"type":"Split","pattern":{"Regex":"-"},"behavior":"{{{behavior}}}"}""", "The-final--countdown"));
    }

    [Fact]
    public void Inverted_split_keeps_the_matches() =>
        Assert.Equal(["ab", "12"], Pieces("""{"type":"Split","pattern":{"Regex":"[a-z]+|[0-9]+"},"behavior":"Removed","invert":true}""", " ab--12!"));

    [Fact]
    public void Digits_are_all_numbers_of_unicode_also_astral_ones()
    {
        Assert.Equal(["a", "1", "½", "Ⅳ", "𝟙", "b"], Pieces("""{"type":"Digits","individual_digits":true}""", "a1½Ⅳ𝟙b"));
        Assert.Equal(["a", "1½Ⅳ𝟙", "b"], Pieces("""{"type":"Digits","individual_digits":false}""", "a1½Ⅳ𝟙b"));
    }

    [Theory]
    [InlineData(@"\p{L}+", "x𝒳𠮷y 😀z", "x𝒳𠮷y| 😀|z")]
    [InlineData(@"[^\s\p{L}\p{N}]+", "a😀🇯🇵b", "a|😀🇯🇵|b")]
    [InlineData(@"\p{N}{1,2}", "𝟙𝟚𝟛", "𝟙𝟚|𝟛")]
    [InlineData(@".", "a😀", "a|😀")]
    [InlineData(@"[^a]", "a😀a", "a|😀|a")]
    [InlineData(@"\p{M}", "e\u0301\ud81b\udf51", "e|\u0301|\ud81b\udf51")]
    [InlineData(@"(?i:'s)", "it'S it'ſ", "it|'S| it|'ſ")]
    [InlineData(@"a++b|.", "aab", "aab")]
    [InlineData(@"\s+(?!\S)|\s+", "a  b ", "a| | |b| ")]
    [InlineData(@"[\u3040-\u309F]+", "aあいb", "a|あい|b")]
    [InlineData(@"^x|z$", "x\nxz\nz", "x|\n|x|z|\n|z")]
    public void Patterns_see_characters_not_halves_of_them(string pattern, string text, string expected) =>
        Assert.Equal(expected.Split('|'), Pieces($$$"""{"type":"Split","pattern":{"Regex":{{{JsonSerializer.Serialize(pattern)}}}},"behavior":"Isolated"}""", text));

    [Theory]
    [InlineData(@"\w+", @"\w")]
    [InlineData(@"\bx", @"\b")]
    [InlineData(@"\p{Han}", @"\p{Han}")]
    [InlineData(@"(a)\1", @"\1")]
    [InlineData(@"[a[b]]", "[ inside a set")]
    [InlineData(@"[a&&b]", "&& inside a set")]
    [InlineData(@"(?<n>a)", "(?<n")]
    [InlineData(@"(a", "not closed")]
    [InlineData(@"a)", "')' too many")]
    [InlineData(@"*", "nothing to repeat")]
    [InlineData(@"a{2000}", "1000")]
    [InlineData(@"😀", "U+FFFF")]
    [InlineData(@"(?i:é)", "ignores case")]
    [InlineData(@"[z-a]", "backwards")]
    public void A_pattern_that_means_something_else_in_dotnet_is_refused_by_name(string pattern, string named) =>
        Check.Refused(() => Pieces($$$"""{"type":"Split","pattern":{"Regex":{{{JsonSerializer.Serialize(pattern)}}}},"behavior":"Isolated"}""", "x"), "test.json", "pre_tokenizer.pattern.Regex", named);

    [Fact]
    public void A_pattern_that_backtracks_for_ever_is_refused() =>
        Check.Refused(() => Pieces("""{"type":"Split","pattern":{"Regex":"(?:a|aa)+(?=[bc])\\p{L}"},"behavior":"Isolated"}""", new string('a', 90) + "z"), "pre_tokenizer.pattern.Regex", "5 s");

    [Theory]
    [InlineData("always", "a b", "▁a|▁b")]
    [InlineData("never", "a b", "a|▁b")]
    [InlineData("first", "a b", "▁a|▁b")]
    [InlineData("always", " a", "▁a")]
    public void Metaspace_marks_and_cuts(string scheme, string text, string expected) =>
        Assert.Equal(expected.Split('|'), Pieces($$"""{"type":"Metaspace","replacement":"▁","prepend_scheme":"{{scheme}}","split":true}""", text));

    [Fact]
    public void Metaspace_that_prepends_first_leaves_what_stands_behind_a_token_alone()
    {
        var tokenizer = Make("""{"type":"BPE","vocab":{"a":0,"▁":1,"▁a":2},"merges":[["▁","a"]]}""", pre: """{"type":"Metaspace","replacement":"▁","prepend_scheme":"first"}""",
            added: """[{"id":3,"content":"<x>","special":true,"normalized":false}]""");
        Assert.Equal([2, 3, 0], tokenizer.Encode("a<x>a"));
    }

    [Fact]
    public void Unknown_characters_fuse_only_where_the_file_says_so()
    {
        Assert.Equal([4, 5, 5, 0], Make().Encode("abcxya"));
        Assert.Equal([4, 5, 0], Make("""{"vocab":{"a":0,"b":1,"ab":2,"c":3,"abc":4,"<u>":5},"merges":["a b","ab c"],"unk_token":"<u>","fuse_unk":true}""").Encode("abcxya"));
        Assert.Equal([4, 0], Make("""{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"c":3,"abc":4},"merges":["a b","ab c"]}""").Encode("abcxya"));
    }

    [Fact]
    public void Bytes_stand_in_only_where_all_bytes_of_a_character_are_tokens()
    {
        var tokenizer = Make("""{"vocab":{"a":0,"<u>":1,"<0xC3>":2,"<0xA9>":3},"merges":[],"unk_token":"<u>","byte_fallback":true}""");
        Assert.Equal([0, 2, 3, 0], tokenizer.Encode("aéa"));
        Assert.Equal([0, 1, 0], tokenizer.Encode("aèa"));
        // A waiting unknown character comes behind the bytes: the reference library's own order.
        Assert.Equal([2, 3, 1, 0], tokenizer.Encode("èéa"));
    }

    [Fact]
    public void Whole_words_are_looked_up_first_where_merges_are_ignored()
    {
        const string model = """{"vocab":{"a":0,"b":1,"ab":2,"c":3,"bc":4,"abc":5},"merges":["b c"],"ignore_merges":IGNORE}""";
        Assert.Equal([0, 4], Make(model.Replace("IGNORE", "false", StringComparison.Ordinal)).Encode("abc"));
        Assert.Equal([5], Make(model.Replace("IGNORE", "true", StringComparison.Ordinal)).Encode("abc"));
    }

    [Fact]
    public void Prefixes_of_continuing_words_and_suffixes_of_ends_take_part()
    {
        var tokenizer = Make("""{"vocab":{"a":0,"##b":1,"##c</w>":2,"ab":3,"abc</w>":4,"a</w>":5},"merges":[["a","##b"],["ab","##c</w>"]],"continuing_subword_prefix":"##","end_of_word_suffix":"</w>"}""");
        Assert.Equal([4], tokenizer.Encode("abc"));
        Assert.Equal([5], tokenizer.Encode("a"));
    }

    [Fact]
    public void Lone_surrogates_count_as_the_replacement_character()
    {
        var tokenizer = TokenizerGoldenTests.Read("gpt2_style");
        Assert.Equal(tokenizer.Encode("a\uFFFDb"), tokenizer.Encode("a\uD83Db"));
        Assert.Equal("a\uFFFDb", tokenizer.Decode(tokenizer.Encode("a\uDE00b")));
    }

    [Theory]
    [InlineData(true, false, false, "a <x> b", "a| <x>| b")]
    [InlineData(false, true, false, "a <x> b", "a |<x> |b")]
    [InlineData(false, false, true, "a<x>b <x> ", "a|<|x|>|b| |<x>| ")]
    public void Added_tokens_take_white_space_or_stand_alone_as_they_say(bool left, bool right, bool word, string text, string expected)
    {
        var letters = string.Join(",", "abx<> ".Select((letter, id) => $"{JsonSerializer.Serialize(letter.ToString())}:{id}"));
        var tokenizer = Make($$"""{"vocab":{{{letters}}},"merges":[]}""", added: $$"""[{"id":9,"content":"<x>","lstrip":{{(left ? "true" : "false")}},"rstrip":{{(right ? "true" : "false")}},"single_word":{{(word ? "true" : "false")}},"normalized":false,"special":true}]""");
        var wanted = expected.Split('|').SelectMany(part => part.Contains("<x>", StringComparison.Ordinal) ? [9] : part.Select(letter => "abx<> ".IndexOf(letter, StringComparison.Ordinal))).ToArray();
        Assert.Equal(wanted, tokenizer.Encode(text));
        Assert.True(tokenizer.IsSpecial(9));
        Assert.Equal(10, tokenizer.VocabularySize);
        Assert.Equal("<x>", tokenizer.TokenOf(9));
        Assert.False(tokenizer.Has(7));
    }

    [Fact]
    public void The_longest_added_token_wins_and_normalised_ones_are_found_in_the_normalised_text()
    {
        var tokenizer = Make("""{"vocab":{"a":0,"b":1},"merges":[]}""", normalizer: """{"type":"Lowercase"}""",
            added: """[{"id":2,"content":"Aa","normalized":true},{"id":3,"content":"bB","normalized":false},{"id":4,"content":"bBb","normalized":false}]""");
        Assert.Equal([2, 0], tokenizer.Encode("AAA"));
        Assert.Equal([4, 1, 0, 3, 0], tokenizer.Encode("bBbBabBA"));
    }

    [Fact]
    public void Added_tokens_are_found_as_a_plain_search_finds_them()
    {
        var random = new Random(3);
        for (var round = 0; round < 200; round++)
        {
            string Word(int most) => string.Concat(Enumerable.Range(0, random.Next(1, most)).Select(_ => "ab"[random.Next(2)]));
            var words = Enumerable.Range(0, random.Next(1, 12)).Select(_ => Word(6)).Distinct().ToArray();
            var text = Word(40);
            var found = new AddedTokens(words.Select((word, id) => (word, new AddedToken(id, word, false, false, false, false, false)))).Split(text);
            var expected = new List<string>();
            for (var at = 0; at < text.Length;)
            {
                var best = words.Where(word => string.CompareOrdinal(text, at, word, 0, word.Length) == 0).MaxBy(word => word.Length);
                if (best is not null)
                    expected.Add(best);
                at += best?.Length ?? 1;
            }
            Assert.Equal(expected, found.Where(part => part.Token is not null).Select(part => part.Token!.Content));
            Assert.Equal(text, string.Concat(found.Select(part => text[part.Begin..part.End])));
        }
    }

    [Theory]
    [InlineData("e\u0301", "é")]
    [InlineData("a\u0301\u0323", "ạ\u0301")]
    [InlineData("\u1100\u1161\u11A8", "각")]
    [InlineData("\u212B \u2126 \u0958", "Å Ω \u0915\u093C")]
    [InlineData("\uAC00\u11A8", "각")]
    [InlineData("q\u0307\u0323", "q\u0323\u0307")]
    [InlineData("\U0001D15E", "\U0001D157\U0001D165")]
    [InlineData("plain", "plain")]
    public void Canonical_composition_follows_unicode(string text, string expected)
    {
        // By Python's unicodedata.normalize("NFC").
        Assert.Equal(expected, CanonicalForm.Compose(text));
        Assert.Equal(CanonicalForm.Decompose(text), CanonicalForm.Decompose(expected));
    }

    [Fact]
    public void Normalizers_run_in_order()
    {
        using var document = JsonDocument.Parse("""{"type":"Sequence","normalizers":[{"type":"Strip"},{"type":"NFC"},{"type":"Lowercase"},{"type":"Replace","pattern":{"Regex":"\\s+"},"content":" "},{"type":"Replace","pattern":{"String":"b"},"content":"c"},{"type":"Prepend","prepend":"_"}]}""");
        var normalize = Normalizer.Read(new JsonField("test.json", "normalizer", document.RootElement))!;
        Assert.Equal("_é ci\u0307", normalize("  E\u0301 \n Bİ "));
        Assert.Equal("", normalize(" "));
    }

    [Theory]
    [InlineData("""{"type":"BPEDecoder","suffix":"</w>"}""", "ab</w> c</w> d</w>", "ab c d")]
    [InlineData("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"}""", "▁a ▁b c", "a bc")]
    [InlineData("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"never"}""", "▁a ▁b c", " a bc")]
    [InlineData("""{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":"_","start":1,"stop":2}]}""", "__a <0xE3> <0x81> <0x82> b_ __", "_aあb_")]
    [InlineData("""{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Fuse"}]}""", "a <0xE3> <0x81> <0x82> <0xFF> b", "a\uFFFD\uFFFD\uFFFD\uFFFDb")]
    [InlineData("""{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Replace","pattern":{"String":"xyx"},"content":"-"}]}""", "x yx y xyx yx", "-y-yx")]
    [InlineData("null", "a b", "a b")]
    public void Decoders_follow_the_reference_library_at_once_and_as_a_stream(string decoder, string tokens, string expected)
    {
        var list = tokens.Split(' ');
        var vocabulary = string.Join(",", list.Distinct().Select((token, id) => $"{JsonSerializer.Serialize(token)}:{id}"));
        var tokenizer = Make($$"""{"vocab":{{{vocabulary}}},"merges":[]}""", decoder: decoder);
        var ids = list.Select(token => tokenizer.IdOf(token)!.Value).ToArray();
        Assert.Equal(expected, tokenizer.Decode(ids));
        var stream = tokenizer.Stream();
        Assert.Equal(expected, string.Concat(ids.Select(stream.Push).ToArray()) + stream.Finish());
        Assert.Throws<InvalidOperationException>(() => stream.Push(0));
    }

    [Fact]
    public void Ids_that_no_token_has_decode_to_nothing() => Assert.Equal("a a", Make().Decode([0, 99, -1, 0]));

    [Fact]
    public void Templates_put_tokens_around()
    {
        const string post = """{"type":"Sequence","processors":[{"type":"ByteLevel"},{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"c","type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"u","type_id":0}}],"pair":[],"special_tokens":{"c":{"id":"c","ids":[3,3],"tokens":["c","c"]},"u":{"id":"u","ids":[5],"tokens":["<u>"]}}}]}""";
        Assert.Equal([3, 3, 0, 5], Make(post: post).Encode("a", addSpecialTokens: true));
        Assert.Equal([0], Make(post: post).Encode("a"));
        Assert.Equal([5, 0, 3], Make(post: """{"type":"BertProcessing","sep":["c",3],"cls":["<u>",5]}""").Encode("a", addSpecialTokens: true));
    }

    [Fact]
    public void Words_remembered_and_words_cut_at_space_marks_have_the_same_ids_as_the_whole_text()
    {
        // With ignore_merges the cutting at space marks is off and the whole text is one word; no whole text is in the vocabulary, so ids must agree.
        var json = JsonNode.Parse(File.ReadAllBytes(Repository.Fixture("tokenizers", "llama2_style", "tokenizer.json")))!;
        var cut = Parse(json.ToJsonString());
        json["model"]!["ignore_merges"] = true;
        var whole = Parse(json.ToJsonString());
        var random = new Random(7);
        const string alphabet = "aaeth or.▁ \n🎈é1<";
        for (var i = 0; i < 400; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(3, 60)).Select(_ => random.Next(8) == 0 ? "the" : alphabet[random.Next(alphabet.Length)].ToString()));
            Assert.Equal(whole.Encode(text), cut.Encode(text));
            Assert.Equal(cut.Encode(text), cut.Encode(text));
        }
    }

    [Theory]
    [InlineData("gpt2_style")]
    [InlineData("llama2_style")]
    [InlineData("llama3_style")]
    public void A_million_times_the_same_letter_takes_no_more_than_seconds(string family)
    {
        var tokenizer = TokenizerGoldenTests.Read(family);
        foreach (var text in new[] { new string('a', 1_000_000), new string(' ', 1_000_000), new string('1', 1_000_000), string.Concat(Enumerable.Repeat("😀", 200_000)) })
        {
            var clock = Stopwatch.StartNew();
            var ids = tokenizer.Encode(text);
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"{family} took {clock.Elapsed} for {text[..2]}…");
            Assert.Equal(text, tokenizer.Decode(ids));
        }
    }

    [Fact]
    public void Many_threads_get_the_same_ids()
    {
        var tokenizer = TokenizerGoldenTests.Read("llama3_style");
        var rows = TokenizerGoldenTests.Rows("llama3_style").ToArray();
        Parallel.For(0, 200, i => Assert.Equal(TokenizerGoldenTests.Ids(rows[i % rows.Length], "ids"), tokenizer.Encode(rows[i % rows.Length].GetProperty("text").GetString()!)));
    }

    [Fact]
    public void A_file_is_saved_byte_for_byte()
    {
        using var folder = new TempFolder();
        TokenizerGoldenTests.Read("gemma_style").Save(folder.File("tokenizer.json"));
        Assert.Equal(File.ReadAllBytes(Repository.Fixture("tokenizers", "gemma_style", "tokenizer.json")), File.ReadAllBytes(folder.File("tokenizer.json")));
    }
}
