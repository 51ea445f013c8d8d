using Lethe.Formats.Tokenizers;
using Lethe.Torch;

namespace Lethe.Evaluation.Language;

/// <summary>
/// Turns texts into token ids by the rules of lm-evaluation-harness 0.4.13 (<c>HFLM._encode_pair</c>, <c>loglikelihood</c>,
/// <c>loglikelihood_rolling</c>), whose figures are then comparable.
/// </summary>
/// <param name="tokenizer">The model's tokenizer.</param>
/// <param name="prefix">The id that begins a text without a context: the BOS token, else the EOS token; null if the model has neither.</param>
public sealed class RequestEncoding(Tokenizer tokenizer, int? prefix)
{
    private readonly string? prefixText = prefix is { } id ? tokenizer.TokenOf(id) : null;

    /// <summary>The tokenizer.</summary>
    public Tokenizer Tokenizer => tokenizer;

    /// <summary>The id that begins a text without a context.</summary>
    public int? Prefix => prefix;

    /// <summary>Ids of a text on its own: with the special tokens that the tokenizer adds, unless the text begins with the BOS token itself.</summary>
    public int[] Encode(string text) => tokenizer.Encode(text, addSpecialTokens: !(prefixText is { Length: > 0 } bos && text.StartsWith(bos, StringComparison.Ordinal)));

    /// <summary>
    /// A context and its continuation. White space at the end of the context moves to the continuation; both are encoded as one text, and what stands
    /// beyond the ids of the context alone is the continuation, also where the two merge.
    /// </summary>
    /// <exception cref="BadInputException">There is nothing to score, or nothing to condition on.</exception>
    public ScoredRequest Pair(string context, string continuation)
    {
        if (context.Length == 0)
        {
            var alone = tokenizer.Encode(continuation);
            if (alone.Length == 0)
                throw new BadInputException("Neither the context nor the continuation holds a token, so that there is nothing to score; give them text.");
            // A continuation that begins with the prefix has its context in itself.
            return alone[0] == prefix ? new ScoredRequest([alone[0]], alone[1..]) : new ScoredRequest(prefix is { } first ? [first] : [], alone);
        }
        var tail = WhiteSpace.Tail(context);
        var head = Encode(context[..tail]);
        var whole = Encode(context + continuation);
        return new ScoredRequest(head, whole[Math.Min(head.Length, whole.Length)..]);
    }

    /// <summary>
    /// A whole text in windows that score each of its tokens once: the first window is conditioned on the prefix token, a later one on as many tokens before it
    /// as fit.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="maximumLength">Tokens that the model reads at once.</param>
    /// <returns>The windows; none for a text without tokens.</returns>
    /// <exception cref="BadInputException">The model has no prefix token.</exception>
    public IReadOnlyList<ScoredRequest> Rolling(string text, int maximumLength) => Windows(Encode(text), maximumLength);

    private List<ScoredRequest> Windows(int[] ids, int maximumLength)
    {
        var windows = new List<ScoredRequest>();
        if (ids.Length == 0)
            return windows;
        var first = Math.Min(maximumLength, ids.Length);
        windows.Add(new ScoredRequest([prefix ?? throw new BadInputException("The model has neither a BOS nor an EOS token, so that the first token of a text has nothing to be conditioned on.")], ids[..first]));
        for (var done = first; done < ids.Length;)
        {
            var scored = Math.Min(ids.Length - done, maximumLength);
            var end = done + scored;
            windows.Add(new ScoredRequest(ids[(end - maximumLength - 1)..done], ids[done..end]));
            done = end;
        }
        return windows;
    }
}
