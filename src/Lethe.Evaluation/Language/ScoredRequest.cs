using System.Globalization;
using Lethe.Torch;

namespace Lethe.Evaluation.Language;

/// <summary>What the log-likelihood of a continuation came to.</summary>
/// <param name="LogProbability">Sum of the natural logarithms of the tokens' probabilities, nats.</param>
/// <param name="Greedy">Whether every token of the continuation was the most probable one at its place.</param>
/// <param name="Tokens">Tokens scored.</param>
public readonly record struct LogLikelihood(double LogProbability, bool Greedy, int Tokens);

/// <summary>
/// A request as token ids: a context that the model is given and a continuation that is scored. The model reads
/// (context + continuation) without its last token, cut from the left to the model's length.
/// </summary>
/// <param name="Context">Ids of the context before any cut; at least one.</param>
/// <param name="Continuation">Ids of the continuation; at least one, at most the model's length.</param>
public sealed record ScoredRequest(int[] Context, int[] Continuation)
{
    /// <summary>Refuses what lm-evaluation-harness refuses: nothing to score, nothing to condition on, or a continuation that does not fit the model.</summary>
    /// <param name="maximumLength">Tokens that the model reads at once.</param>
    /// <exception cref="BadInputException">The request cannot be scored; the sentence says why, without naming where it comes from.</exception>
    public ScoredRequest Checked(int maximumLength)
    {
        if (Continuation.Length == 0)
            throw new BadInputException("The continuation holds no token, so that there is nothing to score; give it text.");
        if (Context.Length == 0)
            throw new BadInputException("The context holds no token and the model has none that begins a text, so that there is nothing to condition on; give the context text.");
        if (Continuation.Length > maximumLength)
            throw new BadInputException(string.Create(CultureInfo.InvariantCulture, $"The continuation has {Continuation.Length} tokens, and the model reads at most {maximumLength}; shorten it."));
        return this;
    }

    /// <summary>What the model reads; the last <c>Continuation.Length</c> positions predict the continuation.</summary>
    /// <param name="maximumLength">Tokens that the model reads at once.</param>
    public int[] Input(int maximumLength)
    {
        var length = Context.Length + Continuation.Length - 1;
        var skipped = Math.Max(0, length - maximumLength);
        var input = new int[length - skipped];
        for (var i = 0; i < input.Length; i++)
        {
            var at = i + skipped;
            input[i] = at < Context.Length ? Context[at] : Continuation[at - Context.Length];
        }
        return input;
    }
}
