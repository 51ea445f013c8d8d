using Lethe.Models.Language;
using Lethe.Models.SparseAutoencoders;
using Lethe.Models.SparseAutoencoders.Reading;
using Lethe.Torch;

namespace Lethe.Unlearning.Language.Features;

/// <summary>A question whose answers are compared.</summary>
/// <param name="Prompt">Token ids of what is read first; 2 or more.</param>
/// <param name="Answers">Token ids of each answer, 1 or more each; 2 answers or more.</param>
/// <param name="Right">Which answer is right.</param>
public sealed record MarginQuestion(int[] Prompt, IReadOnlyList<int[]> Answers, int Right);

/// <summary>
/// The effect of each latent on answers, to first order: for each question a_j = Σ_t z_j(t) ∂margin/∂z_j(t) over the positions of the prompt but the first, where margin = log p(right answer) − mean log p(wrong
/// answers); the score is the mean of a_j² over questions. −a_j is how much the margin would change if the latent were set to 0 throughout. The gradient at the latents is that at the residual through the
/// layers above, times the decoder: ∂margin/∂z_j = W_dec[j] · ∂margin/∂h.
/// </summary>
public static class CausalScores
{
    /// <summary>Scores of all latents of some autoencoders, from the same forwards and backwards.</summary>
    /// <param name="model">The whole model.</param>
    /// <param name="saes">Autoencoders that know their sites.</param>
    /// <param name="questions">Questions about what is to be forgotten, in the words of training, not of the test.</param>
    /// <param name="tokensAtOnce">Tokens of a batch, padding included; each costs memory for the layers above the lowest site, and 16 bytes a latent.</param>
    /// <param name="advanced">Told after each batch: questions done.</param>
    /// <returns>K numbers for each autoencoder.</returns>
    /// <exception cref="BadInputException">There is no question, one has no answers to compare, or an autoencoder belongs to no site of this model.</exception>
    public static IReadOnlyList<double[]> Read(CausalLanguageModel model, IReadOnlyList<SparseAutoencoder> saes, IReadOnlyList<MarginQuestion> questions, int tokensAtOnce = 1024, Action<int>? advanced = null)
    {
        if (questions.Count == 0)
            throw new BadInputException("There are no questions, so that the effect of latents on answers cannot be had; give questions with right and wrong answers, or choose another importance.");
        if (questions.Index().FirstOrDefault(entry => entry.Item.Prompt.Length < 2 || entry.Item.Answers.Count < 2 || entry.Item.Answers.Any(answer => answer.Length == 0) || entry.Item.Right < 0 || entry.Item.Right >= entry.Item.Answers.Count, (-1, null!)) is { Index: >= 0 } bad)
            throw new BadInputException($"Question {bad.Index + 1} has {bad.Item.Prompt.Length} prompt tokens and {bad.Item.Answers.Count} answers, of which number {bad.Item.Right} is right; 2 tokens, 2 answers that are not empty and one of them right are needed.");
        Site[] sites = [.. saes.Select(sae => SpliceLoss.SiteOf(sae, model))];
        var sums = saes.Select(sae => new double[sae.Width]).ToArray();
        var done = 0;
        foreach (var batch in Batches(questions, tokensAtOnce))
        {
            using var scope = new TensorScope();
            foreach (var (k, effects) in Effects(model, saes, sites, batch).Index())
            {
                var squares = effects.Square().Sum(0L).ToArray<float>();
                for (var j = 0; j < squares.Length; j++)
                    sums[k][j] += squares[j];
            }
            advanced?.Invoke(done += batch.Count);
        }
        foreach (var of in sums)
            for (var j = 0; j < of.Length; j++)
                of[j] /= questions.Count;
        return sums;
    }

    /// <summary>a of each question and latent, (questions, K) for each autoencoder; in the open scope.</summary>
    internal static Tensor[] Effects(CausalLanguageModel model, IReadOnlyList<SparseAutoencoder> saes, Site[] sites, IReadOnlyList<MarginQuestion> questions)
    {
        using var scope = new TensorScope();
        var rows = questions.Index().SelectMany(question => question.Item.Answers.Index().Select(answer => (Question: question.Index, Of: question.Item, Answer: answer.Item, Right: answer.Index == question.Item.Right))).ToArray();
        var length = rows.Max(row => row.Of.Prompt.Length + row.Answer.Length);
        var ids = new long[rows.Length * length];
        var prompt = new float[rows.Length * length]; // 1 at the positions whose latents count
        var (asked, targets, signs) = (new List<long>(), new List<long>(), new List<float>());
        foreach (var (r, row) in rows.Index())
        {
            var read = row.Of.Prompt.Length;
            for (var at = 0; at < read + row.Answer.Length; at++)
                ids[r * length + at] = at < read ? row.Of.Prompt[at] : row.Answer[at - read];
            prompt.AsSpan(r * length + 1, read - 1).Fill(1);
            foreach (var (at, token) in row.Answer.Index())
            {
                asked.Add(r * length + read + at - 1);
                targets.Add(token);
                signs.Add(row.Right ? 1 : -1f / (row.Of.Answers.Count - 1));
            }
        }
        var device = model.Device;
        var below = sites.Min(site => site.Layer);
        Tensor entered;
        using (Autograd.NoGrad())
            entered = model.Run(model.Embed(Tensor.FromArray(ids, rows.Length, length)), 0, below);
        using var leaves = new Leaves(saes, sites);
        using var grad = Autograd.EnableGrad();
        var hidden = model.Run(entered, below, model.LayerCount, new ForwardContext { Sites = leaves }).Reshape(-1, model.HiddenSize);
        var predicted = model.Head(hidden.IndexSelect(0, Tensor.FromArray(asked.ToArray()).To(device))).LogSoftmax(-1, DType.Float32);
        var margin = (predicted.Gather(1, Tensor.FromArray(targets.ToArray()).To(device).Unsqueeze(1)).View(-1) * Tensor.FromArray(signs.ToArray()).To(device)).Sum();
        var gradients = Autograd.Grad([margin], leaves.Values);
        using var noGrad = Autograd.NoGrad();
        var counted = Tensor.FromArray(prompt, rows.Length, length, 1).To(device);
        var owners = Tensor.FromArray(rows.Select(row => (long)row.Question).ToArray()).To(device);
        // The rows of a question share its prompt, and so the latents there.
        return [.. gradients.Select((gradient, k) => scope.Keep(Tensor.Zeros([questions.Count, saes[k].Width], device: device)
            .IndexAddInPlace(0, owners, (gradient * leaves.Values[k] * counted).Sum(1L).To(DType.Float32))))];
    }

    private static IEnumerable<List<MarginQuestion>> Batches(IReadOnlyList<MarginQuestion> questions, int tokensAtOnce)
    {
        var batch = new List<MarginQuestion>();
        var (rows, longest) = (0, 0);
        foreach (var question in questions)
        {
            var length = question.Prompt.Length + question.Answers.Max(answer => answer.Length);
            if (batch.Count > 0 && (rows + question.Answers.Count) * Math.Max(longest, length) > tokensAtOnce)
            {
                yield return batch;
                (batch, rows, longest) = ([], 0, 0);
            }
            batch.Add(question);
            (rows, longest) = (rows + question.Answers.Count, Math.Max(longest, length));
        }
        yield return batch;
    }

    // Puts the latents into the graph as leaves: an edit that changes nothing, x + (leaf − z) W_dec with leaf = z.
    private sealed class Leaves(IReadOnlyList<SparseAutoencoder> saes, Site[] sites) : ISiteVisitor, IDisposable
    {
        public Tensor[] Values { get; } = new Tensor[saes.Count];

        public bool Wants(Site site) => sites.Contains(site);

        public Tensor Visit(Site site, Tensor value)
        {
            using var scope = new TensorScope();
            for (var k = 0; k < sites.Length; k++)
                if (sites[k] == site)
                {
                    Tensor z;
                    using (Autograd.NoGrad())
                    {
                        z = saes[k].Encode(value.Detach());
                        Values[k] = TensorScope.Detach(z.Clone());
                    }
                    Values[k].RequiresGrad = true;
                    value = saes[k].Edit(value, z, Values[k]);
                }
            return scope.Keep(value);
        }

        public void Dispose()
        {
            foreach (var value in Values)
                value?.Dispose();
        }
    }
}
