using Lethe.Models.Language;
using Lethe.Torch;

namespace Lethe.Evaluation.Language;

/// <summary>What a model wrote greedily after a context.</summary>
/// <param name="Input">Ids that it was given, cut from the left.</param>
/// <param name="Generated">Ids that it wrote, the end-of-text token included where it wrote one.</param>
/// <param name="Text">The text, special tokens left out, cut before the first stop string.</param>
public sealed record GreedyAnswer(IReadOnlyList<int> Input, IReadOnlyList<int> Generated, string Text);

/// <summary>A context to go on from.</summary>
/// <param name="Context">The text.</param>
/// <param name="Until">Texts that end the answer.</param>
/// <param name="MaximumTokens">Most tokens of the answer.</param>
public sealed record AnswerRequest(string Context, IReadOnlyList<string> Until, int MaximumTokens);

/// <summary>
/// Greedy answers by the rules of lm-evaluation-harness (<c>generate_until</c>, <c>MultiTokenEOSCriteria</c>): the context is cut from the left so that the answer fits; the
/// answer ends with an end-of-text token, at its length, or once a stop string stands in the text of the last tokens.
/// </summary>
/// <param name="model">The model, all layers and the head loaded.</param>
/// <param name="encoding">Its tokenizer.</param>
/// <param name="ends">Its end-of-text tokens; the first one's text is a stop string as well.</param>
/// <param name="options">How requests are put into batches.</param>
public sealed class GreedyAnswers(CausalLanguageModel model, RequestEncoding encoding, IReadOnlyList<int> ends, ScoringOptions? options = null)
{
    private readonly ScoringOptions options = options ?? new ScoringOptions();

    /// <summary>Answers requests.</summary>
    /// <param name="requests">The requests.</param>
    /// <param name="progress">Told how many of how many are answered.</param>
    /// <param name="cancellation">Asks for a stop between two tokens.</param>
    /// <exception cref="BadInputException">An answer leaves no room for its context, or a context holds no token.</exception>
    public GreedyAnswer[] Answer(IReadOnlyList<AnswerRequest> requests, Action<int, int>? progress = null, CancellationToken cancellation = default)
    {
        var limit = options.LengthFor(model);
        var rows = requests.Select((request, index) => new Row(index, request, Cut(request, limit))).ToList();
        var answers = new GreedyAnswer[requests.Count];
        var done = 0;
        using var noGrad = Autograd.NoGrad();
        var trunk = Trunk(rows);
        using var shared = trunk == 0 ? null : new KeyValueCache(model, 1, rows.Max(row => row.Input.Length + row.Request.MaximumTokens));
        if (shared is not null)
        {
            using var scope = new TensorScope();
            model.Hidden(TokenBatch.Of([rows[0].Input.AsMemory(0, trunk)], model.Device), new ForwardContext { Cache = shared });
        }
        // Contexts of one length go together: no padding, so that nothing needs masks and windows of attention stay exact.
        foreach (var group in rows.GroupBy(row => row.Input.Length).OrderByDescending(group => group.Key))
        {
            var members = group.ToList();
            var capacity = shared?.Capacity ?? group.Key + members.Max(row => row.Request.MaximumTokens);
            var atOnce = Math.Clamp(options.CachePositions(model) / capacity, 1, Math.Max(1, options.BatchTokens / (group.Key - trunk)));
            foreach (var batch in members.Chunk((int)atOnce))
            {
                using var own = shared is null ? new KeyValueCache(model, batch.Length, capacity) : null;
                shared?.Truncate(trunk);
                shared?.Select(new long[batch.Length]);
                Run([.. batch], shared ?? own!, trunk, cancellation);
                foreach (var row in batch)
                    answers[row.Index] = new GreedyAnswer(row.Input, row.Generated, Text(row));
                progress?.Invoke(done += batch.Length, requests.Count);
            }
        }
        return answers;
    }

    private int[] Cut(AnswerRequest request, int limit)
    {
        var room = limit - request.MaximumTokens;
        if (room < 1)
            throw new BadInputException($"An answer of {request.MaximumTokens} tokens leaves no room for a context in the model's {limit}; ask for less.");
        var ids = encoding.Encode(request.Context);
        if (ids.Length == 0)
            throw new BadInputException("The context holds no token, so that there is nothing to go on from; give it text.");
        return ids.Length > room ? ids[^room..] : ids;
    }

    /// <summary>Tokens that all contexts begin with, the examples of a task say, where they are worth going through the model once.</summary>
    private int Trunk(List<Row> rows)
    {
        if (rows.Count < 2)
            return 0;
        var common = rows.Min(row => Math.Min(row.Input.Length - 1, row.Input.AsSpan().CommonPrefixLength(rows[0].Input)));
        return common >= options.TrunkTokens ? common : 0;
    }

    private void Run(List<Row> active, KeyValueCache cache, int trunk, CancellationToken cancellation)
    {
        var context = new ForwardContext { Cache = cache };
        var next = active.Select(row => (ReadOnlyMemory<int>)row.Input.AsMemory(trunk)).ToList();
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            long[] best;
            using (var scope = new TensorScope())
            {
                var hidden = model.Hidden(TokenBatch.Of(next, model.Device), context);
                best = model.Head(hidden.Narrow(1, hidden.Size(1) - 1, 1)).Argmax(-1).Reshape(-1).To(Device.Cpu).ToArray<long>();
            }
            var going = new List<long>();
            for (var i = 0; i < active.Count; i++)
            {
                active[i].Generated.Add((int)best[i]);
                if (!Ended(active[i]))
                    going.Add(i);
            }
            if (going.Count == 0)
                return;
            if (going.Count < active.Count)
            {
                active = [.. going.Select(i => active[(int)i])];
                cache.Select([.. going]);
            }
            next = [.. active.Select(row => (ReadOnlyMemory<int>)new[] { row.Generated[^1] })];
        }
    }

    private bool Ended(Row row)
    {
        if (row.Generated.Count >= row.Request.MaximumTokens || ends.Contains(row.Generated[^1]))
            return true;
        foreach (var (stop, tokens) in row.Stops ??= [.. Stops(row.Request).Where(stop => stop.Length > 0).Select(stop => (stop, encoding.Tokenizer.Encode(stop).Length + 2))])
        {
            var tail = row.Generated.GetRange(Math.Max(0, row.Generated.Count - tokens), Math.Min(tokens, row.Generated.Count));
            if (encoding.Tokenizer.Decode(tail).Contains(stop, StringComparison.Ordinal))
                return true;
        }
        return false;
    }

    private IEnumerable<string> Stops(AnswerRequest request) =>
        ends.Count > 0 && encoding.Tokenizer.TokenOf(ends[0]) is var end && !request.Until.Contains(end) ? request.Until.Append(end) : request.Until;

    private string Text(Row row)
    {
        var text = encoding.Tokenizer.Decode(row.Generated, skipSpecialTokens: true);
        foreach (var stop in Stops(row.Request))
            if (stop.Length > 0 && text.IndexOf(stop, StringComparison.Ordinal) is >= 0 and var at)
                text = text[..at];
        return text;
    }

    private sealed class Row(int index, AnswerRequest request, int[] input)
    {
        public int Index => index;

        public AnswerRequest Request => request;

        public int[] Input => input;

        public List<int> Generated { get; } = [];

        public IReadOnlyList<(string Text, int Tokens)>? Stops { get; set; }
    }
}
