using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders.Training;

/// <summary>
/// Texts as contexts of one length: the tokens of all texts in a row, a separator between texts, cut into contexts. No position is wasted on padding. What fills no
/// context at the end is left out.
/// </summary>
public sealed class PackedTokens
{
    private readonly int[] tokens;
    private readonly int? separator;

    private PackedTokens(int[] tokens, int length, int? separator) => (this.tokens, Length, this.separator) = (tokens, length, separator);

    /// <summary>Tokens of a context.</summary>
    public int Length { get; }

    /// <summary>Number of contexts.</summary>
    public int Count => tokens.Length / Length;

    /// <summary>Packs texts.</summary>
    /// <param name="texts">Token ids of each text, without special tokens.</param>
    /// <param name="length">Tokens of a context, 2 or more.</param>
    /// <param name="first">What every context begins with, such as the model's BOS; null for nothing.</param>
    /// <param name="separator">What stands between texts; null for nothing.</param>
    /// <exception cref="BadInputException">The texts fill no context.</exception>
    public static PackedTokens Of(IEnumerable<int[]> texts, int length, int? first = null, int? separator = null)
    {
        var packed = new List<int>();
        void Add(int token)
        {
            if (first is { } begin && packed.Count % length == 0)
                packed.Add(begin);
            packed.Add(token);
        }
        var any = false;
        foreach (var text in texts.Where(text => text.Length > 0))
        {
            // A context that begins here has its own first token already.
            if (any && separator is { } between && !(first is not null && packed.Count % length == 0))
                Add(between);
            any = true;
            foreach (var token in text)
                Add(token);
        }
        var whole = packed.Count / length * length;
        if (whole == 0)
            throw new BadInputException($"The corpus is too short: its {packed.Count} tokens fill no context of {length}. Give more text, or set a shorter context.");
        packed.RemoveRange(whole, packed.Count - whole);
        return new PackedTokens([.. packed], length, separator);
    }

    /// <summary>Token ids of a context.</summary>
    public ReadOnlySpan<int> Context(int index) => tokens.AsSpan(index * Length, Length);

    /// <summary>Contexts by their numbers, (B, T) int64.</summary>
    public Tensor Ids(ReadOnlySpan<int> contexts)
    {
        var ids = new long[contexts.Length * Length];
        for (var row = 0; row < contexts.Length; row++)
            for (var at = 0; at < Length; at++)
                ids[row * Length + at] = tokens[contexts[row] * Length + at];
        return Tensor.FromArray(ids, contexts.Length, Length);
    }

    /// <summary>
    /// Whether a position counts, (B, T) bool: all but the first of a context, whose norm in trained models is many times the others', and separators, which begin a text.
    /// </summary>
    public Tensor Counted(Tensor ids)
    {
        using var scope = new TensorScope();
        var counted = separator is { } between ? ids.Ne(between) : ids.Ge(0);
        counted.Narrow(1, 0, 1).ZeroInPlace();
        return scope.Keep(counted);
    }
}
