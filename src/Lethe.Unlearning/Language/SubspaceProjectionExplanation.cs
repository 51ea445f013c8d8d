using Lethe.Models.SparseAutoencoders;
using Lethe.Torch;
using Lethe.Unlearning.Language.Features;
using Lethe.Unlearning.Language.Subspaces;

namespace Lethe.Unlearning.Language;

/// <summary>What became of a chosen latent.</summary>
/// <param name="Latent">Its number.</param>
/// <param name="Relevant">Whether it was chosen as relevant, otherwise as irrelevant.</param>
/// <param name="ForgetBefore">Mean activation on forget text, in the untouched model.</param>
/// <param name="ForgetAfter">The same with the edited weights.</param>
/// <param name="RetainBefore">Mean activation on retain text, in the untouched model.</param>
/// <param name="RetainAfter">The same with the edited weights.</param>
public sealed record LatentMovement(int Latent, bool Relevant, double ForgetBefore, double ForgetAfter, double RetainBefore, double RetainAfter);

/// <summary>How far hidden states moved, and where to.</summary>
/// <param name="Length">Root of the mean of ‖h − h₀‖².</param>
/// <param name="Relative">That, divided by the root of the mean of ‖h₀‖².</param>
/// <param name="Relevant">Share of Σ ‖h − h₀‖² inside the relevant subspace; null without subspaces.</param>
/// <param name="Irrelevant">Share inside the irrelevant subspace; null without subspaces.</param>
/// <param name="ByChance">What a random subspace of the relevant one's rank would hold, rank / D; null without subspaces.</param>
public sealed record StateMovement(double Length, double Relative, double? Relevant, double? Irrelevant, double? ByChance);

/// <summary>Whether the target was within reach: lengths are roots of means of squares over forget positions.</summary>
/// <param name="Before">‖h₀ − c‖.</param>
/// <param name="After">‖h − c‖.</param>
/// <param name="RelevantShare">Share of the fall of ‖h − c‖² that lies inside the relevant subspace; null without subspaces, or where the distance did not fall.</param>
/// <param name="IrrelevantShare">Share of the fall inside the irrelevant subspace, in which an irrelevant target lies.</param>
public sealed record TargetReach(double Before, double After, double? RelevantShare, double? IrrelevantShare);

/// <summary>What an edit did at a layer read.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Forget">Movement on forget text.</param>
/// <param name="Retain">Movement on retain text.</param>
/// <param name="Target">Whether the target was reached.</param>
/// <param name="Latents">The chosen latents; empty where no autoencoder was given for the layer.</param>
public sealed record LayerExplanation(int Layer, StateMovement Forget, StateMovement Retain, TargetReach Target, IReadOnlyList<LatentMovement> Latents);

/// <summary>How a matrix changed. Shares are of ‖ΔW‖² and null where nothing changed.</summary>
/// <param name="Matrix">Its name.</param>
/// <param name="Norm">‖ΔW‖, Frobenius.</param>
/// <param name="Relative">‖ΔW‖ / ‖W₀‖.</param>
/// <param name="Relevant">Share whose residual side lies in the relevant subspace, carried through norms in between; null without subspaces.</param>
/// <param name="Irrelevant">Share in the irrelevant subspace.</param>
/// <param name="Inputs">Share whose input side lies in P₀; null where the input side is free.</param>
public sealed record MatrixMovement(string Matrix, double Norm, double Relative, double? Relevant, double? Irrelevant, double? Inputs);

/// <summary>What SSPU did to a model, in numbers that a picture can be made of.</summary>
/// <param name="Layers">By layer read.</param>
/// <param name="Matrices">By edited matrix.</param>
public sealed record SubspaceProjectionExplanation(IReadOnlyList<LayerExplanation> Layers, IReadOnlyList<MatrixMovement> Matrices)
{
    /// <summary>Compares the slice as it is now (after <see cref="SliceUnlearning.Finish"/> with the strength applied) with what it was.</summary>
    /// <param name="method">The method.</param>
    /// <param name="forget">Forget text to read, such as texts that training did not see; each batch is run once.</param>
    /// <param name="retain">Retain text to read.</param>
    /// <param name="latents">Autoencoder and chosen latents by layer read; layers without one have no latents in the explanation.</param>
    /// <exception cref="BadInputException">An autoencoder belongs to another site or size.</exception>
    public static SubspaceProjectionExplanation Read(
        SubspaceProjectionUnlearning method, IReadOnlyList<TextBatch> forget, IReadOnlyList<TextBatch> retain, IReadOnlyDictionary<int, (SparseAutoencoder Autoencoder, LatentChoice Choice)>? latents = null)
    {
        using var noGrad = Autograd.NoGrad();
        var cache = method.Cache;
        var layers = new List<LayerExplanation>();
        foreach (var (place, layer) in cache.Reads.Index())
        {
            using var scope = new TensorScope();
            SparseAutoencoder? sae = null;
            Tensor? chosen = null;
            LatentChoice? choice = null;
            if (latents?.TryGetValue(layer, out var of) == true)
            {
                (sae, choice) = of;
                var site = new Models.Language.Site(layer, Models.Language.SiteKind.ResidualAfter);
                if (sae.Site?.Name is { } name && name != site.ToString())
                    throw new BadInputException($"The autoencoder belongs to {name}; the latents of {site} are to be explained.");
                sae.Check($"site {site}", cache.Configuration.HiddenSize);
                chosen = Tensor.FromArray(choice.Relevant.Concat(choice.Irrelevant).Select(latent => (long)latent).ToArray()).To(cache.Device);
            }
            var (targets, pair) = (method.TargetsOf(layer), method.PairOf(layer));
            var (f, r) = (new Sums(pair, sae, chosen), new Sums(pair, sae, chosen));
            // How near text to retain comes to a target is not asked.
            foreach (var (texts, sums, target) in new (IReadOnlyList<TextBatch>, Sums, Func<TextBatch, Tensor>)[] { (forget, f, targets.Of), (retain, r, _ => targets.Shared) })
                foreach (var batch in texts)
                {
                    using var one = new TensorScope();
                    var counted = batch.Mask(DType.Float32, cache.Device).View(-1).Nonzero().View(-1);
                    Tensor Counted(Tensor state) => state.Reshape(-1, state.Size(-1)).IndexSelect(0, counted);
                    var state = cache.Frozen(batch)[place];
                    sums.Add(Counted(state), Counted(cache.Updated(batch)[place]), Counted(target(batch).Expand(state.Shape.ToArray())));
                }
            layers.Add(new(layer, f.Movement(), r.Movement(), f.Reach(), choice is null ? [] :
                [.. choice.Relevant.Concat(choice.Irrelevant).Index().Select(entry => new LatentMovement(entry.Item, entry.Index < choice.Relevant.Count,
                    f.Latent(entry.Index, after: false), f.Latent(entry.Index, after: true), r.Latent(entry.Index, after: false), r.Latent(entry.Index, after: true)))]));
        }
        return new(layers, [.. method.Places.Select((place, k) => Matrix(method, place, cache.Weights[k], cache.Originals[k]))]);
    }

    private static MatrixMovement Matrix(SubspaceProjectionUnlearning method, MatrixPlace place, Tensor now, Tensor before)
    {
        using var scope = new TensorScope();
        var original = before.To(DType.Float64);
        var change = now.To(DType.Float64) - original;
        var norm = change.Norm().Item();
        var outputsLast = place.InputsFirst ? change : change.T(); // (in, out)
        var pair = method.PairOf(method.ReadAbove(place.Layer));
        double? Residual(OrthonormalBasis? stream)
        {
            if (stream is null || norm == 0)
                return null;
            using var basis = place.Residual(stream);
            return basis.Share(place.Writes ? outputsLast : outputsLast.T());
        }
        return new(place.Name, norm, norm / original.Norm().Item(), Residual(pair?.Relevant), Residual(pair?.Irrelevant),
            norm > 0 && method.InputOf(place.Name) is { } inputs ? inputs.Share(outputsLast.T()) : null);
    }

    /// <summary>Sums over positions of one kind of text.</summary>
    private sealed class Sums(SubspacePair? pair, SparseAutoencoder? sae, Tensor? chosen)
    {
        private readonly double[] latentsBefore = new double[chosen?.Elements ?? 0], latentsAfter = new double[chosen?.Elements ?? 0];
        private long count;
        private double before, moved, movedRelevant, movedIrrelevant;
        private (double Before, double After) distance, relevant, irrelevant;

        public void Add(Tensor frozen, Tensor updated, Tensor target)
        {
            count += frozen.Size(0);
            var (h0, h, c) = (frozen.To(DType.Float64), updated.To(DType.Float64), target.To(DType.Float64));
            before += Square(h0);
            moved += Square(h - h0);
            distance = (distance.Before + Square(h0 - c), distance.After + Square(h - c));
            if (pair is not null)
            {
                movedRelevant += Inside(pair.Relevant, h - h0);
                movedIrrelevant += Inside(pair.Irrelevant, h - h0);
                relevant = (relevant.Before + Inside(pair.Relevant, h0 - c), relevant.After + Inside(pair.Relevant, h - c));
                irrelevant = (irrelevant.Before + Inside(pair.Irrelevant, h0 - c), irrelevant.After + Inside(pair.Irrelevant, h - c));
            }
            if (sae is null)
                return;
            Add(latentsBefore, frozen);
            Add(latentsAfter, updated);
        }

        public StateMovement Movement() => new(Math.Sqrt(moved / count), before == 0 ? 0 : Math.Sqrt(moved / before),
            pair is null ? null : moved == 0 ? 0 : movedRelevant / moved, pair is null ? null : moved == 0 ? 0 : movedIrrelevant / moved, pair is null ? null : (double)pair.Relevant.Rank / pair.Relevant.Size);

        public TargetReach Reach()
        {
            var fall = distance.Before - distance.After;
            double? Share((double Before, double After) part) => pair is null || fall <= 0 ? null : (part.Before - part.After) / fall;
            return new(Math.Sqrt(distance.Before / count), Math.Sqrt(distance.After / count), Share(relevant), Share(irrelevant));
        }

        public double Latent(int place, bool after) => (after ? latentsAfter : latentsBefore)[place] / count;

        private void Add(double[] sums, Tensor states)
        {
            foreach (var (k, value) in sae!.Encode(states).IndexSelect(-1, chosen!).To(DType.Float64).Sum(0L).ToArray<double>().Index())
                sums[k] += value;
        }

        private static double Square(Tensor x) => x.Square().Sum().Item();

        private static double Inside(OrthonormalBasis basis, Tensor x) => Square(x.MatMul(basis.As(x)));
    }
}
