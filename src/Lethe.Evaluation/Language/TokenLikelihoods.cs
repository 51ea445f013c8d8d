using Lethe.Models.Language;
using Lethe.Torch;

namespace Lethe.Evaluation.Language;

/// <summary>A token that is scored: the row of hidden states that predicts it.</summary>
/// <param name="Row">Row of the hidden states, flattened to (N, D).</param>
/// <param name="Target">Id of the token.</param>
/// <param name="Request">Whom the score belongs to.</param>
internal readonly record struct ScoredToken(long Row, int Target, int Request);

/// <summary>Sends hidden states through the head, those alone that score something, each once, and adds up what their logits say.</summary>
/// <param name="model">The model.</param>
/// <param name="options">How much at a time.</param>
internal sealed class TokenLikelihoods(CausalLanguageModel model, ScoringOptions options)
{
    /// <summary>Scores tokens.</summary>
    /// <param name="hidden">What leaves the last layer, (B, T, D).</param>
    /// <param name="tokens">What is scored.</param>
    /// <param name="sums">Log-likelihoods of the requests, added to.</param>
    /// <param name="greedy">Whether each request's tokens are all the most likely ones so far.</param>
    /// <exception cref="RunFailedException">A score is not finite.</exception>
    public void Add(Tensor hidden, IEnumerable<ScoredToken> tokens, double[] sums, bool[] greedy)
    {
        var byRow = tokens.GroupBy(token => token.Row).OrderBy(group => group.Key).ToArray();
        if (byRow.Length == 0)
            return;
        var flat = hidden.Reshape(-1, hidden.Size(-1));
        var atOnce = (int)Math.Clamp(options.LogitElements / model.Configuration.VocabularySize, 1, int.MaxValue);
        foreach (var chunk in byRow.Chunk(atOnce))
        {
            using var scope = new TensorScope();
            var rows = Tensor.FromArray(chunk.Select(group => group.Key).ToArray(), chunk.Length).To(hidden.Device);
            var logits = model.Head(flat.IndexSelect(0, rows)).To(DType.Float32); // (N, V)
            var normaliser = logits.LogSumExp(-1).To(Device.Cpu).ToArray<float>();
            var best = logits.Argmax(-1).To(Device.Cpu).ToArray<long>();
            var scored = chunk.SelectMany((group, row) => group.Select(token => (Row: row, Token: token))).ToArray();
            var width = logits.Size(-1);
            var places = Tensor.FromArray(scored.Select(entry => entry.Row * width + entry.Token.Target).ToArray(), scored.Length).To(hidden.Device);
            var chosen = logits.Reshape(-1).IndexSelect(0, places).To(Device.Cpu).ToArray<float>();
            for (var i = 0; i < scored.Length; i++)
            {
                var (row, token) = scored[i];
                var score = (double)chosen[i] - normaliser[row];
                if (!double.IsFinite(score))
                    throw new RunFailedException($"The model gives token {token.Target} the log-likelihood {score}; its weights may be damaged, or the type it computes in too narrow.");
                sums[token.Request] += score;
                greedy[token.Request] &= best[row] == token.Target;
            }
        }
    }
}
