using Lethe.Torch;

namespace Lethe.Models.Language.Generation;

/// <summary>How tokens are chosen and when to stop. The filters work in transformers' order: repetition penalty, temperature, top-k, top-p, min-p.</summary>
public sealed record GenerationOptions
{
    /// <summary>The most tokens to make for each prompt, at least 1. Default 256.</summary>
    public int MaximumTokens { get; init; } = 256;

    /// <summary>What logits are divided by, at least 0; 0 takes the likeliest token always. Default 0.</summary>
    public double Temperature { get; init; }

    /// <summary>Only the k likeliest tokens (and those as likely as the k-th), at least 1; null for all. Default null.</summary>
    public int? TopK { get; init; }

    /// <summary>Only the likeliest tokens that together have this probability, over 0 and at most 1 (Holtzman et al., arXiv 1904.09751). Default 1: all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Only tokens that are at least this fraction as likely as the likeliest, 0 to 1 (Nguyen et al., arXiv 2407.01082). Default 0: all.</summary>
    public double MinP { get; init; }

    /// <summary>Logits of tokens that occurred, prompt included, are divided by this where positive and multiplied where negative, over 0 (Keskar et al., arXiv 1909.05858). Default 1: none.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Texts that end an answer where they first appear, and are not part of it; none may be empty. Default none.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>Tokens that end an answer and are not part of it. Default none.</summary>
    public IReadOnlyCollection<int> EndTokens { get; init; } = [];

    /// <summary>Where chance comes from: the same seed gives the same tokens. Prompt k of a batch has its own stream, whatever the others do. Default 0.</summary>
    public ulong Seed { get; init; }

    /// <summary>Whether chance plays no part.</summary>
    public bool IsGreedy => Temperature == 0;

    /// <summary>Refuses what is out of range.</summary>
    /// <exception cref="UsageException">A value is out of its range; the message names it.</exception>
    public void Validate()
    {
        Check(MaximumTokens >= 1, "maximum tokens", MaximumTokens, "at least 1");
        Check(Temperature >= 0 && double.IsFinite(Temperature), "temperature", Temperature, "0 or more");
        Check(TopK is null or >= 1, "top-k", TopK ?? 0, "at least 1");
        Check(TopP is > 0 and <= 1, "top-p", TopP, "over 0 and at most 1");
        Check(MinP is >= 0 and <= 1, "min-p", MinP, "0 to 1");
        Check(RepetitionPenalty > 0 && double.IsFinite(RepetitionPenalty), "repetition penalty", RepetitionPenalty, "over 0");
        if (StopStrings.Any(string.IsNullOrEmpty))
            throw new UsageException("A stop string is empty; every text contains that one.");
    }

    private static void Check(bool holds, string name, double value, string allowed)
    {
        if (!holds)
            throw new UsageException(FormattableString.Invariant($"The {name} is {value}; it has to be {allowed}."));
    }
}

/// <summary>Why an answer ended.</summary>
public enum StopReason
{
    /// <summary>The model gave an end token.</summary>
    EndToken,
    /// <summary>A stop string appeared.</summary>
    StopString,
    /// <summary>The most tokens that were asked for.</summary>
    MaximumTokens,
    /// <summary>The model has no more positions.</summary>
    MaximumPositions,
}
