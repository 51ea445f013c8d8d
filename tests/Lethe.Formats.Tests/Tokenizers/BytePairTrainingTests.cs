using System.Text.Json;
using Lethe.Formats.Tokenizers;

namespace Lethe.Formats.Tests.Tokenizers;

public sealed class BytePairTrainingTests
{
    private static JsonElement Saved(Tokenizer tokenizer)
    {
        using var folder = new TempFolder();
        tokenizer.Save(folder.File("tokenizer.json"));
        return JsonDocument.Parse(File.ReadAllBytes(folder.File("tokenizer.json"))).RootElement;
    }

    private static string[] Merges(JsonElement file) => [.. file.GetProperty("model").GetProperty("merges").EnumerateArray().Select(merge => $"{merge[0].GetString()} {merge[1].GetString()}")];

    // By hand: "aaab" three times, "ab" twice. Pairs: a+a 6, a+b 5, so aa comes first. Then "aa a b" three times and "a b" twice: a+b 5, aa+a 3, so ab.
    // Then "aa ab" 3 times, so aaab; nothing is left to join.
    [Fact]
    public void Merges_of_a_toy_corpus_are_those_found_by_hand()
    {
        var trained = BytePairTraining.Train(["aaab", "aaab", "aaab", "ab", "ab"], new BytePairTrainingOptions { VocabularySize = 400, MinimumFrequency = 1, SpecialTokens = ["<end>"] });
        Assert.Equal(["a a", "a b", "aa ab"], Merges(Saved(trained)));
        Assert.Equal(260, trained.VocabularySize);
        Assert.Equal(0, trained.IdOf("<end>"));
        Assert.Equal([trained.IdOf("aaab")!.Value, 0], trained.Encode("aaab<end>"));
    }

    [Fact]
    public void The_minimum_frequency_ends_the_training()
    {
        var trained = BytePairTraining.Train(["aaab", "aaab", "aaab", "ab", "ab"], new BytePairTrainingOptions { VocabularySize = 400, MinimumFrequency = 5 });
        Assert.Equal(["a a", "a b"], Merges(Saved(trained)));
    }

    // The fixtures were trained by the reference library on this corpus (make_tokenizers.py: CORPUS), with 600 tokens.
    [Theory]
    [InlineData("gpt2_style", BytePairCut.Gpt2)]
    [InlineData("llama3_style", BytePairCut.Llama3)]
    [InlineData("qwen2_style", BytePairCut.Qwen2)]
    public void Vocabulary_and_merges_are_those_that_the_reference_library_trained(string family, BytePairCut cut)
    {
        var texts = TokenizerGoldenTests.Rows("gpt2_style").Select(row => row.GetProperty("text").GetString()!).ToArray();
        Assert.Equal(28, texts.Length);
        var corpus = texts.Concat(texts).Concat(texts).Append(string.Concat(Enumerable.Repeat("the quick brown fox jumps over the lazy dog ", 4)))
            .Append(string.Concat(Enumerable.Repeat("The model forgets one thing and keeps the rest. ", 6)))
            .Append(string.Concat(Enumerable.Repeat("return the answer to the question of the capital of France ", 4)));
        var golden = JsonDocument.Parse(File.ReadAllBytes(Repository.Fixture("tokenizers", family, "tokenizer.json"))).RootElement;
        var special = golden.GetProperty("added_tokens").EnumerateArray().Select(token => token.GetProperty("content").GetString()!).ToArray();
        var trained = Saved(BytePairTraining.Train(corpus, new BytePairTrainingOptions { VocabularySize = 600, MinimumFrequency = 1, SpecialTokens = special, Cut = cut }));
        Assert.Equal(Merges(golden), Merges(trained));
        Assert.Equal(Vocabulary(golden), Vocabulary(trained));
        foreach (var stage in new[] { "pre_tokenizer", "decoder", "added_tokens" })
            Assert.True(JsonElement.DeepEquals(golden.GetProperty(stage), trained.GetProperty(stage)), stage);

        static Dictionary<string, int> Vocabulary(JsonElement file) => file.GetProperty("model").GetProperty("vocab").EnumerateObject().ToDictionary(entry => entry.Name, entry => entry.Value.GetInt32());
    }

    [Fact]
    public void The_same_texts_in_another_order_give_the_same_file_and_it_loads_again_with_the_same_ids()
    {
        var texts = Enumerable.Range(0, 300).Select(i => $"line {i * i} of the corpus, {(i % 3 == 0 ? "😀 日本" : "plain")} text").ToArray();
        var options = new BytePairTrainingOptions { VocabularySize = 500, SpecialTokens = ["<s>", "</s>"], Before = "<s>", Cut = BytePairCut.SmolLm2 };
        var first = BytePairTraining.Train(texts, options);
        Assert.Equal(Saved(first).GetRawText(), Saved(BytePairTraining.Train(texts.Reverse(), options)).GetRawText());
        using var folder = new TempFolder();
        first.Save(folder.File("tokenizer.json"));
        var loaded = Tokenizer.FromJsonFile(folder.File("tokenizer.json"));
        foreach (var text in texts)
        {
            Assert.Equal(first.Encode(text, addSpecialTokens: true), loaded.Encode(text, addSpecialTokens: true));
            Assert.Equal(text, loaded.Decode(loaded.Encode(text, addSpecialTokens: true), skipSpecialTokens: true));
            Assert.Equal(0, loaded.Encode(text, addSpecialTokens: true)[0]);
        }
    }

    [Fact]
    public void A_word_of_a_million_letters_is_learnt_in_seconds()
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var trained = BytePairTraining.Train([new string('a', 1_000_000)], new BytePairTrainingOptions { VocabularySize = 300 });
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), $"took {clock.Elapsed}");
        Assert.Equal("a a", Merges(Saved(trained))[0]);
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        static string Message(BytePairTrainingOptions options) => Assert.Throws<UsageException>(() => BytePairTraining.Train(["a"], options)).Message;
        Assert.Contains("258", Message(new BytePairTrainingOptions { VocabularySize = 257 }), StringComparison.Ordinal);
        Assert.Contains("minimum frequency", Message(new BytePairTrainingOptions { MinimumFrequency = 0 }), StringComparison.Ordinal);
        Assert.Contains("twice", Message(new BytePairTrainingOptions { SpecialTokens = ["<s>", "<s>"] }), StringComparison.Ordinal);
        Assert.Contains("two characters", Message(new BytePairTrainingOptions { SpecialTokens = ["a"] }), StringComparison.Ordinal);
        Assert.Contains("not among", Message(new BytePairTrainingOptions { Before = "<s>" }), StringComparison.Ordinal);
    }
}
