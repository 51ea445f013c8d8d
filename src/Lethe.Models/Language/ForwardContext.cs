using Lethe.Torch;

namespace Lethe.Models.Language;

/// <summary>What a forward is given beside the tokens.</summary>
public sealed record ForwardContext
{
    /// <summary>A context in which nothing is said: no padding, positions from 0, no cache, nobody looks.</summary>
    public static ForwardContext Empty { get; } = new();

    /// <summary>
    /// 1 at real tokens and 0 at padding, on either side, whole numbers: (B, S), where S counts the positions in the cache, if there is one,
    /// and the T new ones. Null: no padding. Values at padded positions are finite and mean nothing.
    /// </summary>
    public Tensor? AttentionMask { get; init; }

    /// <summary>The position of each token, (B, T) whole numbers; null: the T positions after those that the cache holds, in every row, padding included.</summary>
    public Tensor? PositionIds { get; init; }

    /// <summary>
    /// The document that each token belongs to, (B, T) whole numbers, where several stand in a row: a position sees those of its own document alone. Null: a row is one text.
    /// Not together with a cache. <see cref="PositionIds"/> may begin anew with each document.
    /// </summary>
    public Tensor? Documents { get; init; }

    /// <summary>Keys and values of the positions before, which are then not computed again; null: there are none. Gradients do not flow into it.</summary>
    public KeyValueCache? Cache { get; init; }

    /// <summary>Who looks at values inside, or changes them; null: nobody.</summary>
    public ISiteVisitor? Sites { get; init; }
}
