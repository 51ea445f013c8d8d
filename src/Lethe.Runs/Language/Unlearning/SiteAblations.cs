using Lethe.Evaluation;
using Lethe.Evaluation.Language;
using Lethe.Evaluation.Statistics;
using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Runs.Language.Topics;
using Lethe.Runs.Results;
using Lethe.Torch;
using Lethe.Unlearning.Language.Features;
using Lethe.Unlearning.Language.Subspaces;

namespace Lethe.Runs.Language.Unlearning;

/// <summary>
/// What taking the relevant subspace out of the untouched model does at each site, h − U Uᵀ(h − μ) with μ the mean of retain text: the independent check of the choice of layers. Validation entities are asked;
/// the test is not opened.
/// </summary>
internal static class SiteAblations
{
    // Enough text for a mean of hidden states.
    private const int MeanTexts = 64;

    /// <summary>Measures all sites.</summary>
    /// <param name="checkpoint">The model; loaded whole.</param>
    /// <param name="sites">Each site with its relevant subspace; the caller's.</param>
    /// <param name="ground">The questions.</param>
    /// <param name="encoding">The model's tokenizer.</param>
    /// <param name="retain">Retain texts, of which the first ones give μ.</param>
    /// <param name="options">How many questions.</param>
    /// <param name="device">Where it computes.</param>
    /// <param name="report">Told how far it is: done, all, part.</param>
    public static IReadOnlyList<SiteAblation> Read(
        LanguageCheckpoint checkpoint, IReadOnlyList<(Site Site, OrthonormalBasis Relevant)> sites, Ground ground, RequestEncoding encoding, IReadOnlyList<int[]> retain, LayerChoiceOptions options, Device device, Action<long, long, string?> report)
    {
        KnowledgeTest Test(IReadOnlyList<KnowledgeQuestion> questions) => new(KnowledgeTests.Chosen(questions, options.CheckQuestions, (ulong)ground.Plan.Split.Seed), encoding, ground.TestOptions);
        var (forget, stay) = (Test(ground.Forget(GroundPart.Validation, GroundSide.Trained)), Test(ground.Retain(GroundPart.Validation, GroundSide.Unseen)));
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        using var model = checkpoint.Load(new LoadOptions { Device = device });
        using var means = SiteMeans.Read(model, [.. sites.Select(site => site.Site)], [.. retain.Take(MeanTexts)]);
        (ClusteredSample Forget, ClusteredSample Retain) Margins(string part)
        {
            var scorer = new LanguageScorer(model);
            KnowledgeReading Of(KnowledgeTest test) => test.Read(scorer, (done, all) => report(done, all, part));
            return (forget.Margins(Of(forget)), stay.Margins(Of(stay)));
        }
        var before = Margins("untouched");
        var found = new List<SiteAblation>();
        foreach (var (site, relevant) in sites)
        {
            using var ablation = new SubspaceAblation(site, relevant, means[site]);
            model.Guard = ablation;
            try
            {
                var after = Margins($"without the relevant subspace at {site}");
                Measure Fall(ClusteredSample was, ClusteredSample now) => ClusterBootstrap.Of([was, now], of => 1 - of[1] / of[0], Pooling.Macro, better: Better.Neither);
                found.Add(new($"{site}", Fall(before.Forget, after.Forget), Fall(before.Retain, after.Retain)));
            }
            finally
            {
                model.Guard = null;
            }
        }
        return found;
    }

    /// <summary>Spearman's rank correlation of the criterion with how much more the ablation takes of what is to be forgotten than of what is to stay; null where there are too few sites, or one side has no order.</summary>
    public static Measure? Correlation(IReadOnlyList<SiteSeparation> separation, IReadOnlyList<SiteAblation> ablations)
    {
        double[] criterion = [.. separation.Select(site => site.Share)], effect = [.. ablations.Select(site => site.ForgetFall.Value - site.RetainFall.Value)];
        return criterion.Length >= 3 && criterion.Distinct().Count() > 1 && effect.Distinct().Count() > 1 ? Spearman.Correlation(criterion, effect) : null;
    }

    /// <summary>Mean over positions but the first of what passes some sites.</summary>
    private sealed class SiteMeans(IReadOnlyList<Site> sites) : ISiteVisitor, IDisposable
    {
        private readonly Dictionary<Site, Tensor> sums = [];
        private long positions;

        public Tensor this[Site site] => sums[site] / (double)positions;

        public static SiteMeans Read(CausalLanguageModel model, IReadOnlyList<Site> sites, IReadOnlyList<int[]> texts)
        {
            var means = new SiteMeans(sites);
            foreach (var text in texts)
            {
                using var scope = new TensorScope();
                means.positions += text.Length - 1;
                model.Hidden(Tensor.FromArray(text.Select(id => (long)id).ToArray(), 1, text.Length), new ForwardContext { Sites = means });
            }
            return means;
        }

        public bool Wants(Site site) => sites.Contains(site);

        public Tensor Visit(Site site, Tensor value)
        {
            using var scope = new TensorScope();
            var sum = value.Narrow(1, 1, value.Size(1) - 1).Sum(1L).View(-1).To(DType.Float64).To(Device.Cpu);
            if (sums.TryGetValue(site, out var so))
                so.AddInPlace(sum);
            else
                sums.Add(site, TensorScope.Detach(sum.Clone()));
            return value;
        }

        public void Dispose()
        {
            foreach (var sum in sums.Values)
                sum.Dispose();
        }
    }
}
