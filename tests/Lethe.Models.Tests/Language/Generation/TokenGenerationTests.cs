using Lethe.Models.Language;
using Lethe.Models.Language.Generation;
using Lethe.Torch;

namespace Lethe.Models.Tests.Language.Generation;

public sealed class TokenGenerationTests
{
    public static IEnumerable<object[]> Families => Golden.Names.Select(name => (object[])[name]);

    private static int[] Prompt(string name, int length) => [.. Golden.Value(name, "input_ids").Select(0, 0).ToArray<long>().Take(length).Select(id => (int)id)];

    [TorchTheory, MemberData(nameof(Families))]
    public void Greedy_tokens_are_those_of_transformers(string name)
    {
        using var loaded = Golden.Load(name);
        var made = TokenGeneration.Run(loaded.Model, [Prompt(name, 20)], new GenerationOptions { MaximumTokens = 12 });
        Assert.Equal(Golden.Value(name, "greedy").Select(0, 0).ToArray<long>()[20..], made[0].Tokens.Select(token => (long)token));
        Assert.Equal(StopReason.MaximumTokens, made[0].Reason);
    }

    [TorchTheory, MemberData(nameof(Families))]
    public void Prompts_of_unequal_length_say_together_what_they_say_alone_also_after_others_have_ended(string name)
    {
        using var loaded = Golden.Load(name);
        int[][] prompts = [Prompt(name, 20), Prompt(name, 3), Prompt(name, 11), [7]];
        var alone = prompts.Select(prompt => TokenGeneration.Run(loaded.Model, [prompt], new GenerationOptions { MaximumTokens = 16 })[0]).ToList();
        // A token that one row makes early and another late, or never, ends them at different steps.
        var end = alone[0].Tokens[4];
        var together = TokenGeneration.Run(loaded.Model, prompts, new GenerationOptions { MaximumTokens = 16, EndTokens = [end] });
        Assert.Equal(StopReason.EndToken, together[0].Reason);
        for (var k = 0; k < prompts.Length; k++)
            Assert.Equal(alone[k].Tokens.TakeWhile(token => token != end), together[k].Tokens);
    }

    [TorchFact]
    public void A_seed_gives_the_same_tokens_whatever_else_is_in_the_batch_and_another_seed_others()
    {
        using var loaded = Golden.Load("llama");
        var options = new GenerationOptions { MaximumTokens = 20, Temperature = 1, TopK = 50, TopP = 0.95, Seed = 3 };
        var first = TokenGeneration.Run(loaded.Model, [Prompt("llama", 8), Prompt("llama", 5)], options);
        var again = TokenGeneration.Run(loaded.Model, [Prompt("llama", 8)], options);
        var other = TokenGeneration.Run(loaded.Model, [Prompt("llama", 8)], options with { Seed = 4 });
        Assert.Equal(first[0].Tokens, again[0].Tokens);
        Assert.NotEqual(first[0].Tokens, other[0].Tokens);
    }

    [TorchFact]
    public void A_large_penalty_never_repeats_a_token()
    {
        using var loaded = Golden.Load("qwen2");
        var prompt = Prompt("qwen2", 6);
        var made = TokenGeneration.Run(loaded.Model, [prompt], new GenerationOptions { MaximumTokens = 30, RepetitionPenalty = 1e6 })[0];
        var all = prompt.Distinct().Concat(made.Tokens).ToList();
        Assert.Equal(all.Distinct().Count(), all.Count);
    }

    [TorchFact]
    public void A_prompt_longer_than_a_piece_and_than_the_window_goes_on_as_it_would_without_a_cache()
    {
        var configuration = Golden.Configuration("gemma2") with { MaximumPositions = 2048 };
        using var weights = new SafetensorsWeights(Golden.Folder("gemma2"));
        using var model = CausalLanguageModel.Create(configuration, weights, new());
        using var noGrad = Autograd.NoGrad();
        var chance = new TokenChance(9);
        var prompt = Enumerable.Range(0, 1100).Select(_ => 3 + (int)(chance.Next() * 150)).ToArray();
        var made = TokenGeneration.Run(model, [prompt], new GenerationOptions { MaximumTokens = 3 })[0].Tokens;
        var all = prompt.Select(id => (long)id).ToList();
        for (var k = 0; k < 3; k++)
        {
            all.Add((long)model.Logits(Tensor.FromArray(all.ToArray(), 1, all.Count)).Select(1, all.Count - 1).Argmax(-1).Item());
            Assert.Equal(all[^1], made[k]);
        }
    }

    [TorchFact]
    public void The_last_position_of_the_model_ends_an_answer()
    {
        using var loaded = Golden.Load("gpt2");
        var made = TokenGeneration.Run(loaded.Model, [[.. Enumerable.Repeat(5, 126)], [5, 6]], new GenerationOptions { MaximumTokens = 10 });
        // 128 positions: two more can be fed, and each gives a token.
        Assert.Equal((3, StopReason.MaximumPositions), (made[0].Tokens.Count, made[0].Reason));
        Assert.Equal((10, StopReason.MaximumTokens), (made[1].Tokens.Count, made[1].Reason));
    }

    [TorchFact]
    public void Whoever_is_told_the_tokens_can_end_a_row()
    {
        using var loaded = Golden.Load("llama");
        var told = new List<(int, int)>();
        var made = TokenGeneration.Run(loaded.Model, [Prompt("llama", 4), Prompt("llama", 4)], new GenerationOptions { MaximumTokens = 5 }, (row, token) => { told.Add((row, token)); return row == 1 || told.Count(entry => entry.Item1 == 0) < 2; });
        Assert.Equal((2, StopReason.StopString), (made[0].Tokens.Count, made[0].Reason));
        Assert.Equal(made[1].Tokens, told.Where(entry => entry.Item1 == 1).Select(entry => entry.Item2));
        Assert.Equal(5, made[1].Tokens.Count);
    }

    [TorchFact]
    public void Prompts_that_cannot_be_continued_are_refused()
    {
        using var loaded = Golden.Load("llama");
        Assert.Contains("no tokens", Assert.Throws<UsageException>(() => TokenGeneration.Run(loaded.Model, [[]], new())).Message, StringComparison.Ordinal);
        Assert.Contains("128 positions", Assert.Throws<UsageException>(() => TokenGeneration.Run(loaded.Model, [new int[129]], new())).Message, StringComparison.Ordinal);
        Assert.Contains("a token 160", Assert.Throws<BadInputException>(() => TokenGeneration.Run(loaded.Model, [[160]], new())).Message, StringComparison.Ordinal);
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.Throws<OperationCanceledException>(() => TokenGeneration.Run(loaded.Model, [[5]], new(), stop: stop.Token));
    }
}
