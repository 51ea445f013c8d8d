using System.Globalization;
using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;

namespace Lethe.Runs.Language.Unlearning;

/// <summary>A model that was trained like the base model and never saw the topic: what it scores is what can be scored without the knowledge.</summary>
/// <param name="Path">Its files.</param>
/// <param name="Digest">What it is known by.</param>
internal sealed record NeverKnewModel(string Path, string Digest)
{
    /// <summary>The stage that asks it.</summary>
    public const string StageName = "never-knew";

    /// <summary>Looks whether it can be compared with the base model.</summary>
    /// <param name="model">As the plan names it.</param>
    /// <param name="planFile">The plan's file.</param>
    /// <param name="runsFolder">Where the run lies of a plan that trains it.</param>
    /// <param name="original">The base model.</param>
    /// <param name="originalDigest">What that one is known by.</param>
    /// <param name="measure">What both are asked.</param>
    /// <exception cref="UsageException">It is the base model itself, or reads fewer tokens than it is asked.</exception>
    /// <exception cref="BadInputException">It is missing or damaged, or its tokenizer is another one.</exception>
    public static NeverKnewModel Open(string model, string planFile, string runsFolder, LanguageCheckpoint original, string originalDigest, LanguageMeasurePlan measure)
    {
        using var checkpoint = LanguageUnlearner.Open(model, planFile, runsFolder);
        // The same text has to be the same tokens, or log-likelihoods and perplexity could not be compared.
        if (Difference(original, checkpoint) is { } difference)
            throw new BadInputException($"{checkpoint.Path}: the never-knew model's tokenizer is not that of the base model ({difference}), so that their figures cannot be compared; train it with the base model's tokenizer (model.tokenizer: {{kind: path, path: …}}).");
        if (measure.PerplexityTokens > checkpoint.Configuration.MaximumPositions)
            throw new UsageException($"{planFile}: measure.perplexity_tokens is {measure.PerplexityTokens}; the never-knew model has {checkpoint.Configuration.MaximumPositions} positions.");
        var digest = LanguageModelDigest.Of(checkpoint.Path);
        return digest != originalDigest ? new NeverKnewModel(checkpoint.Path, digest)
            : throw new UsageException($"{planFile}: never_knew is the base model itself, byte for byte; name a model that was trained without the topic, or leave the key out.");
    }

    private static string? Difference(LanguageCheckpoint original, LanguageCheckpoint other)
    {
        var (one, two) = (original.Tokenizer, other.Tokenizer);
        if (one.VocabularySize != two.VocabularySize)
            return string.Create(CultureInfo.InvariantCulture, $"it has {two.VocabularySize} tokens, the base model's {one.VocabularySize}");
        for (var id = 0; id < one.VocabularySize; id++)
            if (one.Has(id) != two.Has(id) || one.Has(id) && one.TokenOf(id) != two.TokenOf(id))
                return string.Create(CultureInfo.InvariantCulture, $"token {id} is another one");
        return null;
    }
}
