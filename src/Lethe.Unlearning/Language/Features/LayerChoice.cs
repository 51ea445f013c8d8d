using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Lethe.Models.SparseAutoencoders.Reading;
using Lethe.Torch;

namespace Lethe.Unlearning.Language.Features;

/// <summary>How sites are compared.</summary>
public sealed record LayerChoiceOptions
{
    /// <summary>Random halvings of the texts that the criterion is averaged over.</summary>
    [Description("Random halvings of the texts that the criterion is averaged over")]
    [Range(1, 1000)]
    public int Splits { get; init; } = 4;

    /// <summary>Permutations of the labels.</summary>
    [Description("Permutations of the texts' labels that the criterion is held against")]
    [Range(19, 100_000)]
    public int Permutations { get; init; } = 200;

    /// <summary>A site counts as separating if at most this share of permutations does as well at any site.</summary>
    [Description("A site separates if at most this share of permutations does as well at any site")]
    [Range(0.001, 0.5)]
    public double Level { get; init; } = 0.05;

    /// <summary>Sites taken together.</summary>
    [Description("Sites taken together, the best ones that separate")]
    [Range(1, 100)]
    public int Sites { get; init; } = 1;

    /// <summary>Questions of each topic by which the choice is checked; 0 leaves the check out.</summary>
    [Description("Validation questions of each topic by which the choice is checked: at each site the relevant subspace is taken out of the untouched model, and what that does to the answers is ranked beside the criterion. Two forwards of the whole model a site; 0 leaves it out")]
    [Range(0, 100_000)]
    public int CheckQuestions { get; init; }
}

/// <summary>A site, with the sums of the same texts at every site.</summary>
/// <param name="Site">Its name.</param>
/// <param name="Forget">Texts to forget.</param>
/// <param name="Retain">Texts to retain.</param>
public sealed record SiteTexts(string Site, TextLatents Forget, TextLatents Retain);

/// <summary>How well a site keeps the two kinds of text apart.</summary>
/// <param name="Site">Its name.</param>
/// <param name="Share">The criterion: 0.5 does not separate, 1 separates completely.</param>
/// <param name="Permuted">Its mean over permuted labels.</param>
/// <param name="Permuted95">Its 95th percentile over permuted labels.</param>
/// <param name="P">Share of permutations that do as well at this site, the observed labels among them.</param>
/// <param name="FamilyP">Share of permutations that do as well at the best of all sites: corrected for having looked at several.</param>
public sealed record SiteSeparation(string Site, double Share, double Permuted, double Permuted95, double P, double FamilyP);

/// <summary>
/// Which site is edited, decided by data. The criterion of a site is the share of energy that latents chosen on one half of the texts have on forget text in the other half,
/// E_f / (E_f + E_r) with E the sum over chosen latents of mean z², averaged over both directions of some random halvings: chosen and measured on different texts, so that what
/// chance made large in the first half counts for nothing. Its distribution under chance comes from permuting the labels of texts and choosing anew. The paper's criterion is not public; this one is ours.
/// </summary>
/// <param name="Sites">All sites, in the order in which they were given.</param>
/// <param name="Chosen">Places in that list of the sites chosen, the best first; empty where none separates.</param>
/// <param name="Diagnosis">Where none was chosen, why, in words; else null.</param>
public sealed record LayerChoice(IReadOnlyList<SiteSeparation> Sites, IReadOnlyList<int> Chosen, string? Diagnosis)
{
    /// <summary>Texts of each kind that a halving needs.</summary>
    public const int FewestTexts = 4;

    // Rows of weights multiplied at once: four for each halving of each permutation.
    private const int RowsAtOnce = 256;

    /// <summary>Compares sites.</summary>
    /// <param name="sites">The sites; the texts are the same, in the same order, at each.</param>
    /// <param name="selection">How relevant latents are chosen; not by a causal importance, which texts do not have.</param>
    /// <param name="options">How sites are compared.</param>
    /// <param name="seed">Decides halvings and permutations.</param>
    /// <exception cref="BadInputException">There are fewer than <see cref="FewestTexts"/> texts of a kind.</exception>
    /// <exception cref="UsageException">The importance is causal.</exception>
    public static LayerChoice Choose(IReadOnlyList<SiteTexts> sites, LatentSelectionOptions selection, LayerChoiceOptions options, ulong seed)
    {
        if (sites.Count == 0)
            throw new ArgumentException("There is no site to choose from.", nameof(sites));
        if (selection.Importance == LatentImportance.Causal)
            throw new UsageException("Sites cannot be compared by causal scores, which belong to questions and not to texts; use mean_square, squared_mean or frequency for the choice of the layer.");
        var (forget, retain) = (sites[0].Forget.Count, sites[0].Retain.Count);
        if (sites.FirstOrDefault(site => site.Forget.Count != forget || site.Retain.Count != retain) is { } other)
            throw new ArgumentException($"{other.Site} was read on other texts than {sites[0].Site}.", nameof(sites));
        if (forget < FewestTexts || retain < FewestTexts)
            throw new BadInputException($"{forget} texts to forget and {retain} to retain are too few to compare layers: halves of both are needed, so at least {FewestTexts} of each. Give more documents, or name the layer yourself.");

        var assignments = Assignments(forget, retain, options, seed);
        var shares = sites.Select(site => Shares(site, selection, assignments, options.Splits, seed)).ToArray();
        var best = Enumerable.Range(1, options.Permutations).Select(k => shares.Max(of => of[k])).ToArray();
        double P(IEnumerable<double> permuted, double observed) => (1.0 + permuted.Count(value => value >= observed)) / (options.Permutations + 1);
        SiteSeparation[] found = [.. sites.Zip(shares, (site, of) =>
        {
            var permuted = of.Skip(1).Order().ToArray();
            return new SiteSeparation(site.Site, of[0], permuted.Average(), permuted[(int)Math.Ceiling(0.95 * permuted.Length) - 1], P(permuted, of[0]), P(best, of[0]));
        })];
        int[] chosen = [.. Enumerable.Range(0, found.Length).Where(k => found[k].FamilyP <= options.Level).OrderByDescending(k => found[k].Share).Take(options.Sites)];
        return new(found, chosen, chosen.Length > 0 ? null : Explain(found, options));
    }

    private static string Explain(SiteSeparation[] found, LayerChoiceOptions options)
    {
        var best = found.MaxBy(site => site.Share)!;
        return string.Create(CultureInfo.InvariantCulture,
            $"No site tells the texts to forget from those to retain: at {best.Site}, the best of {found.Length}, the chosen latents have {best.Share:P1} of their energy on texts to forget, where permuted labels reach {best.Permuted95:P1} in one of 20 cases "
            + $"(p = {best.FamilyP:G2}, {options.Level} or less is asked for). Give more documents, documents that say more of what is to be forgotten and retain texts that say less of it, or other autoencoders; or name the layer yourself.");
    }

    // Labels of all texts and of their halves: for the observed labels and each permutation, for each halving: 0 and 1 are forget texts of either half, 2 and 3 retain texts.
    private static byte[][] Assignments(int forget, int retain, LayerChoiceOptions options, ulong seed)
    {
        using var random = new RandomStream(RandomStream.ChildSeed(seed, "permutations"));
        var result = new byte[(options.Permutations + 1) * options.Splits][];
        for (var permutation = 0; permutation <= options.Permutations; permutation++)
        {
            using var scope = new TensorScope();
            var order = permutation == 0 ? [.. Enumerable.Range(0, forget + retain).Select(k => (long)k)] : Tensor.RandPerm(forget + retain, random).ToArray<long>();
            for (var split = 0; split < options.Splits; split++)
            {
                var labels = new byte[forget + retain];
                foreach (var (start, count, first) in new[] { (0, forget, 0), (forget, retain, 2) })
                    foreach (var (place, k) in Tensor.RandPerm(count, random).ToArray<long>().Index())
                        labels[order[start + k]] = (byte)(first + (place < count / 2 ? 0 : 1));
                result[permutation * options.Splits + split] = labels;
            }
        }
        return result;
    }

    // The criterion for the observed labels, then for each permutation.
    private static double[] Shares(SiteTexts site, LatentSelectionOptions selection, byte[][] assignments, int splits, ulong seed)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var width = (int)site.Forget.Width;
        var ties = LatentSelection.Ties(width, seed);
        var tokens = site.Forget.Tokens.Concat(site.Retain.Tokens).ToArray();
        Tensor Pool(Func<TextLatents, Tensor> of) => Tensor.Cat([of(site.Forget), of(site.Retain)]);
        var squares = Pool(texts => texts.SumOfSquares);
        var sums = selection.Importance == LatentImportance.SquaredMean ? Pool(texts => texts.Sum) : null;
        var active = selection.Importance == LatentImportance.Frequency || selection.MostRetainFrequency < 1 ? Pool(texts => texts.Active) : null;
        var unused = new double[width];
        var values = new double[assignments.Length / splits];
        for (var start = 0; start < assignments.Length; start += RowsAtOnce / 4)
        {
            using var part = new TensorScope();
            var count = Math.Min(RowsAtOnce / 4, assignments.Length - start);
            var weights = new float[4 * count * tokens.Length];
            var totals = new double[4 * count];
            for (var k = 0; k < count; k++)
                for (var text = 0; text < tokens.Length; text++)
                {
                    var row = 4 * k + assignments[start + k][text];
                    weights[row * tokens.Length + text] = 1;
                    totals[row] += tokens[text];
                }
            var chosenTexts = Tensor.FromArray(weights, 4 * count, tokens.Length);
            double[][] Means(Tensor? of)
            {
                if (of is null)
                    return [.. Enumerable.Repeat(unused, 4 * count)];
                var flat = chosenTexts.Mm(of).ToArray<float>();
                return [.. totals.Select((total, row) => flat.AsSpan(row * width, width).ToArray().Select(sum => total == 0 ? 0 : sum / total).ToArray())];
            }
            var (square, mean, frequency) = (Means(squares), Means(sums), Means(active));
            for (var k = 0; k < count; k++)
                for (var half = 0; half < 2; half++)
                {
                    var (f, r, heldForget, heldRetain) = (4 * k + half, 4 * k + 2 + half, 4 * k + 1 - half, 4 * k + 3 - half);
                    var scores = new LatentScores(square[f], square[r], mean[f], mean[r], frequency[f], frequency[r]);
                    var (chosen, _, _) = LatentSelection.Relevant(scores, scores.Ratio(selection), selection, ties);
                    var (forget, retain) = (chosen.Sum(j => square[heldForget][j]), chosen.Sum(j => square[heldRetain][j]));
                    values[(start + k) / splits] += (forget + retain == 0 ? 0.5 : forget / (forget + retain)) / (2 * splits);
                }
        }
        return values;
    }
}
