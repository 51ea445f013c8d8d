using Lethe.Torch;

namespace Lethe.Models.Language.Generation;

/// <summary>What a model made of one prompt.</summary>
/// <param name="Tokens">The new tokens, without the end token.</param>
/// <param name="Reason">Why they end.</param>
public sealed record GeneratedTokens(IReadOnlyList<int> Tokens, StopReason Reason);

/// <summary>
/// Continues prompts token by token with a cache. Prompts of unequal length are padded on the left, with positions and masks such that each row says what it
/// would say alone; a row that is finished leaves the batch. Long prompts go through the layers in pieces, and only the last position through the head.
/// </summary>
public sealed class TokenGeneration
{
    // Tokens of a prompt that go through the layers at once: bounds the memory of what lies between the layers.
    private const int Piece = 512;

    private readonly CausalLanguageModel model;
    private readonly GenerationOptions options;
    private readonly List<Row> rows;

    private TokenGeneration(CausalLanguageModel model, IReadOnlyList<IReadOnlyList<int>> prompts, GenerationOptions options)
    {
        (this.model, this.options) = (model, options);
        rows = [.. prompts.Select((prompt, k) => new Row(k, prompt, new TokenChance(RandomStream.ChildSeed(options.Seed, $"row {k}"))))];
    }

    /// <summary>Continues prompts. Runs on the torch thread.</summary>
    /// <param name="model">The model, all of it loaded.</param>
    /// <param name="prompts">Tokens of each prompt, at least one each.</param>
    /// <param name="options">How to choose and when to stop; <see cref="GenerationOptions.StopStrings"/> are the caller's to look for, by <paramref name="accept"/>.</param>
    /// <param name="accept">Is told each new token of each prompt at once, and says whether to go on with that prompt; null: always.</param>
    /// <param name="stop">Ends the work between two tokens.</param>
    /// <returns>One for each prompt, in order.</returns>
    /// <exception cref="UsageException">An option is out of range, or a prompt is longer than the model has positions.</exception>
    /// <exception cref="BadInputException">A token is not in the model's vocabulary.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static IReadOnlyList<GeneratedTokens> Run(
        CausalLanguageModel model, IReadOnlyList<IReadOnlyList<int>> prompts, GenerationOptions options, Func<int, int, bool>? accept = null, CancellationToken stop = default)
    {
        options.Validate();
        var c = model.Configuration;
        foreach (var prompt in prompts)
        {
            if (prompt.Count == 0)
                throw new UsageException("A prompt has no tokens: give it some text, or a token that begins a text.");
            if (prompt.Count > c.MaximumPositions)
                throw new UsageException($"A prompt has {prompt.Count} tokens; the model has {c.MaximumPositions} positions.");
            foreach (var token in prompt)
                if (token < 0 || token >= c.VocabularySize)
                    throw new BadInputException($"The prompt has a token {token}; the model's vocabulary has {c.VocabularySize}, so the tokenizer belongs to another model.");
        }
        if (prompts.Count == 0)
            return [];
        using var noGrad = Autograd.NoGrad();
        var generation = new TokenGeneration(model, prompts, options);
        generation.Loop(accept ?? ((_, _) => true), stop);
        return [.. generation.rows.Select(row => new GeneratedTokens(row.Made, row.Reason!.Value))];
    }

    private void Loop(Func<int, int, bool> accept, CancellationToken stop)
    {
        var longest = rows.Max(row => row.Prompt.Count);
        // The last token is never fed back.
        var most = longest + rows.Max(row => Math.Min(options.MaximumTokens, model.Configuration.MaximumPositions + 1 - row.Prompt.Count)) - 1;
        using var scope = new TensorScope();
        using var cache = new KeyValueCache(model, rows.Count, most);
        var active = rows.ToList();
        var mask = Mask(active, longest, most);
        var next = Prompts(active, longest, mask, cache, stop);
        for (var length = longest; ; length++)
        {
            for (var k = 0; k < active.Count; k++)
                Take(active[k], next[k], accept);
            if (active.Any(row => row.Reason is not null))
                (active, mask) = Drop(active, mask, cache);
            if (active.Count == 0)
                return;
            stop.ThrowIfCancellationRequested();
            next = Step(active, length, mask, cache);
        }
    }

    private void Take(Row row, int token, Func<int, int, bool> accept)
    {
        if (options.EndTokens.Contains(token))
        {
            row.Reason = StopReason.EndToken;
            return;
        }
        row.Made.Add(token);
        if (!accept(row.Index, token))
            row.Reason = StopReason.StopString;
        else if (row.Made.Count == options.MaximumTokens)
            row.Reason = StopReason.MaximumTokens;
        else if (row.Prompt.Count + row.Made.Count > model.Configuration.MaximumPositions)
            row.Reason = StopReason.MaximumPositions;
    }

    // Rows that are finished cost nothing more.
    private static (List<Row> Active, Tensor? Mask) Drop(List<Row> active, Tensor? mask, KeyValueCache cache)
    {
        var kept = Enumerable.Range(0, active.Count).Where(k => active[k].Reason is null).Select(k => (long)k).ToArray();
        if (kept.Length > 0)
        {
            cache.Select(kept);
            mask = mask?.IndexSelect(0, Tensor.FromArray(kept).To(mask.Device));
        }
        return ([.. kept.Select(k => active[(int)k])], mask);
    }

    // 1 at tokens, 0 at the padding on the left, (rows, capacity); null where there is no padding.
    private Tensor? Mask(List<Row> active, int longest, int most)
    {
        if (active.TrueForAll(row => row.Prompt.Count == longest))
            return null;
        var mask = new long[active.Count * (long)most];
        Array.Fill(mask, 1);
        for (var k = 0; k < active.Count; k++)
            mask.AsSpan(k * most, longest - active[k].Prompt.Count).Clear();
        return Tensor.FromArray(mask, active.Count, most).To(model.Device);
    }

    private int[] Prompts(List<Row> active, int longest, Tensor? mask, KeyValueCache cache, CancellationToken stop)
    {
        using var scope = new TensorScope();
        var ids = new long[active.Count * (long)longest];
        var positions = new long[ids.Length];
        for (var k = 0; k < active.Count; k++)
            for (var (i, padding) = (0, longest - active[k].Prompt.Count); i < active[k].Prompt.Count; i++)
                (ids[k * longest + padding + i], positions[k * longest + padding + i]) = (active[k].Prompt[i], i);
        var (tokens, places) = (Tensor.FromArray(ids, active.Count, longest), mask is null ? null : Tensor.FromArray(positions, active.Count, longest).To(model.Device));
        for (var first = 0; ; first += Piece)
        {
            stop.ThrowIfCancellationRequested();
            using var piece = new TensorScope();
            var count = Math.Min(Piece, longest - first);
            var context = new ForwardContext { Cache = cache, AttentionMask = mask?.Narrow(1, 0, first + count), PositionIds = places?.Narrow(1, first, count) };
            var hidden = model.Hidden(tokens.Narrow(1, first, count), context);
            if (first + count == longest)
                return Choose(active, hidden.Narrow(1, count - 1, 1));
        }
    }

    private int[] Step(List<Row> active, int length, Tensor? mask, KeyValueCache cache)
    {
        using var scope = new TensorScope();
        var ids = Tensor.FromArray(active.Select(row => (long)row.Made[^1]).ToArray(), active.Count, 1);
        var positions = mask is null ? null : Tensor.FromArray(active.Select(row => row.Prompt.Count + row.Made.Count - 1L).ToArray(), active.Count, 1).To(model.Device);
        var hidden = model.Hidden(ids, new ForwardContext { Cache = cache, AttentionMask = mask?.Narrow(1, 0, length + 1), PositionIds = positions });
        return Choose(active, hidden);
    }

    private int[] Choose(List<Row> active, Tensor hidden)
    {
        var logits = model.Head(hidden).Select(1, 0); // (rows, vocabulary)
        if (options.IsGreedy && options.RepetitionPenalty == 1)
            return Array.ConvertAll(logits.Argmax(-1).To(Device.Cpu).ToArray<long>(), token => (int)token);
        var all = logits.To(DType.Float32).To(Device.Cpu).ToArray<float>();
        var width = all.Length / active.Count;
        var chosen = new int[active.Count];
        for (var k = 0; k < chosen.Length; k++)
        {
            var own = all.AsSpan(k * width, width);
            if (options.RepetitionPenalty != 1)
                TokenSampling.Penalise(own, active[k].Prompt.Concat(active[k].Made), options.RepetitionPenalty);
            chosen[k] = TokenSampling.Draw(own, options, options.IsGreedy ? 0 : active[k].Chance.Next());
        }
        return chosen;
    }

    private sealed class Row(int index, IReadOnlyList<int> prompt, TokenChance chance)
    {
        public int Index => index;

        public IReadOnlyList<int> Prompt => prompt;

        public TokenChance Chance => chance;

        public List<int> Made { get; } = [];

        public StopReason? Reason { get; set; }
    }
}
