using Lethe.Models.Language;
using Lethe.Torch;

namespace Lethe.Evaluation.Language;

/// <summary>
/// Log-likelihoods of continuations. What the answers of a question share goes through the layers once, what many questions share (examples, a preamble) once for
/// all of them, and only positions that predict a scored token go through the head. Computes on the torch thread.
/// </summary>
/// <param name="model">The model, all layers and the head loaded.</param>
/// <param name="options">How requests are put into batches.</param>
public sealed class LanguageScorer(CausalLanguageModel model, ScoringOptions? options = null)
{
    private readonly ScoringOptions options = options ?? new ScoringOptions();

    /// <summary>Tokens that the model reads at once.</summary>
    public int MaximumLength => options.LengthFor(model);

    /// <summary>Scores single requests.</summary>
    /// <inheritdoc cref="Score(IReadOnlyList{IReadOnlyList{ScoredRequest}}, Action{int, int}?, CancellationToken)"/>
    public LogLikelihood[] Score(IReadOnlyList<ScoredRequest> requests, Action<int, int>? progress = null, CancellationToken cancellation = default) =>
        [.. Score([.. requests.Select(request => (IReadOnlyList<ScoredRequest>)[request])], progress, cancellation).Select(scores => scores[0])];

    /// <summary>Scores the answers of questions.</summary>
    /// <param name="questions">The requests of each question, which share their beginning.</param>
    /// <param name="progress">Told how many requests of how many are scored.</param>
    /// <param name="cancellation">Asks for a stop between two batches.</param>
    /// <returns>A score for each request, in the same order.</returns>
    /// <exception cref="BadInputException">A request cannot be scored (<see cref="ScoredRequest.Checked"/>).</exception>
    /// <exception cref="RunFailedException">A score is not finite.</exception>
    public LogLikelihood[][] Score(IReadOnlyList<IReadOnlyList<ScoredRequest>> questions, Action<int, int>? progress = null, CancellationToken cancellation = default)
    {
        var requests = questions.SelectMany(question => question).Select(request => request.Checked(MaximumLength)).ToArray();
        var work = new Work(this, requests.Length, progress, cancellation);
        using var noGrad = Autograd.NoGrad();
        foreach (var grove in ScoringPlan.Groves(ScoringPlan.Bundles(questions, MaximumLength), options.TrunkTokens))
            work.Run(grove);

        var next = 0;
        return [.. questions.Select(question => question.Select(request => new LogLikelihood(work.Sums[next], work.Greedy[next++], request.Continuation.Length)).ToArray())];
    }

    /// <summary>One call's state.</summary>
    private sealed class Work(LanguageScorer owner, int count, Action<int, int>? progress, CancellationToken cancellation)
    {
        private readonly CausalLanguageModel model = owner.Model;
        private readonly ScoringOptions options = owner.options;
        private readonly TokenLikelihoods likelihoods = new(owner.Model, owner.options);
        private readonly long cachePositions = owner.options.CachePositions(owner.Model);
        private int done;

        public double[] Sums { get; } = new double[count];

        public bool[] Greedy { get; } = [.. Enumerable.Repeat(true, count)];

        public void Run(Grove grove)
        {
            // Equal lengths where branches follow, so that no padding lies between a prefix and its branches: neither masks nor positions are then
            // needed, and what a window of attention sees is exact. Longest first: memory runs out at once or not at all.
            var straight = grove.Bundles.Where(bundle => bundle.Branches.Count == 0).OrderByDescending(bundle => bundle.Prefix.Length).ToList();
            var branched = grove.Bundles.Where(bundle => bundle.Branches.Count > 0).GroupBy(bundle => bundle.Prefix.Length).OrderByDescending(group => group.Key)
                .Select(group => group.OrderByDescending(bundle => bundle.BranchLength).ToList()).ToList();
            var capacity = grove.Bundles.Max(bundle => bundle.Prefix.Length + bundle.BranchLength);
            using var trunk = grove.Trunk == 0 ? null : Trunk(grove.Bundles[0].Prefix.AsMemory(0, grove.Trunk), capacity);
            Run(straight, grove.Trunk, trunk);
            foreach (var group in branched)
                Run(group, grove.Trunk, trunk);
        }

        private KeyValueCache Trunk(ReadOnlyMemory<int> ids, int capacity)
        {
            var cache = new KeyValueCache(model, 1, capacity);
            using var scope = new TensorScope();
            model.Hidden(TokenBatch.Of([ids], model.Device), new ForwardContext { Cache = cache });
            return cache;
        }

        private void Run(List<Bundle> bundles, int trunk, KeyValueCache? trunkCache)
        {
            if (bundles.Count == 0)
                return;
            var branched = bundles[0].Branches.Count > 0;
            var capacity = trunkCache?.Capacity ?? bundles[0].Prefix.Length + bundles.Max(bundle => bundle.BranchLength);
            foreach (var (from, to) in TokenBatch.Cut(bundles.Count, (from, to) =>
                (long)(to - from) * (bundles[from].Prefix.Length - trunk) <= options.BatchTokens
                && (!branched && trunk == 0 || (to - from + Enumerable.Range(from, to - from).Sum(i => bundles[i].Branches.Count)) * (long)capacity <= cachePositions)))
            {
                cancellation.ThrowIfCancellationRequested();
                Run(bundles[from..to], trunk, trunkCache, branched, capacity);
                done += bundles[from..to].Sum(bundle => bundle.Picks.Select(pick => pick.Request).Distinct().Count());
                progress?.Invoke(done, Sums.Length);
            }
        }

        private void Run(List<Bundle> batch, int trunk, KeyValueCache? trunkCache, bool branched, int capacity)
        {
            using var scope = new TensorScope();
            using var own = trunkCache is null && branched ? new KeyValueCache(model, batch.Count, capacity) : null;
            var cache = trunkCache ?? own;
            if (trunkCache is not null)
            {
                // Every row of it begins with the same trunk, whatever followed before.
                trunkCache.Truncate(trunk);
                trunkCache.Select(new long[batch.Count]);
            }
            var context = new ForwardContext { Cache = cache };
            var width = batch.Max(bundle => bundle.Prefix.Length) - trunk;
            var hidden = model.Hidden(TokenBatch.Of([.. batch.Select(bundle => (ReadOnlyMemory<int>)bundle.Prefix.AsMemory(trunk))], model.Device), context);
            likelihoods.Add(hidden, batch.SelectMany((bundle, row) => bundle.Picks.Where(pick => pick.Branch < 0)
                .Select(pick => new ScoredToken((long)row * width + pick.Position - trunk, pick.Target, pick.Request))), Sums, Greedy);
            if (!branched)
                return;

            cache!.Select([.. batch.SelectMany((bundle, row) => bundle.Branches.Select(_ => (long)row))]);
            var length = batch.Max(bundle => bundle.BranchLength);
            var ends = model.Hidden(TokenBatch.Of([.. batch.SelectMany(bundle => bundle.Branches.Select(branch => (ReadOnlyMemory<int>)branch))], model.Device), context);
            var first = 0;
            var tokens = new List<ScoredToken>();
            foreach (var bundle in batch)
            {
                tokens.AddRange(bundle.Picks.Where(pick => pick.Branch >= 0).Select(pick => new ScoredToken((first + pick.Branch) * (long)length + pick.Position, pick.Target, pick.Request)));
                first += bundle.Branches.Count;
            }
            likelihoods.Add(ends, tokens, Sums, Greedy);
        }
    }

    private CausalLanguageModel Model => model;
}
