using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.SparseAutoencoders;
using Lethe.Models.SparseAutoencoders.Reading;
using Lethe.Models.SparseAutoencoders.Training;
using Lethe.Runs.Results;
using Lethe.Torch;
using Lethe.Unlearning.Language;
using Lethe.Unlearning.Language.Subspaces;

namespace Lethe.Runs.Language.Unlearning;

/// <summary>A method at work: its loop, which knows the weights that it changes.</summary>
/// <param name="Loop">The loop.</param>
/// <param name="TrainedNumbers">Numbers that are trained; 0 where none is.</param>
/// <param name="TokensSeen">Tokens read so far.</param>
/// <param name="Owned">What goes when it is done, in this order.</param>
internal sealed record LanguageForgetting(ILanguageUnlearning Loop, long TrainedNumbers, Func<long> TokensSeen, params IReadOnlyList<IDisposable> Owned) : IDisposable
{
    /// <summary>Makes a method.</summary>
    /// <param name="options">The method.</param>
    /// <param name="seed">The plan's seed.</param>
    /// <param name="checkpoint">The base model; of methods over hidden states only the slice that is edited is loaded.</param>
    /// <param name="digest">What the model is known by.</param>
    /// <param name="texts">What it reads.</param>
    /// <param name="saes">The plan's autoencoders.</param>
    /// <param name="features">What sspu chose before; null for methods that choose nothing.</param>
    /// <param name="inputs">What edited matrices read; null for methods that do not ask.</param>
    /// <param name="values">What a closed-form edit found; null for other methods.</param>
    /// <param name="device">Where it computes.</param>
    /// <param name="slices">Slices that are shared with other runs; null for a run that stands alone.</param>
    /// <param name="stop">Stop criterion.</param>
    public static LanguageForgetting Make(
        LanguageMethodOptions options, ulong seed, LanguageCheckpoint checkpoint, string digest, TrainingTexts texts, IReadOnlyList<SparseAutoencoder> saes, FeatureStages? features, InputMoments? inputs, ValueStage? values, Device device, SlicePool? slices,
        StopCriterion? stop)
    {
        // The released code of RMU pads on the left and counts every position.
        var batches = texts.BatchOptions(checkpoint.Special);
        if (options is ReleasedRepresentationMisdirectionOptions)
            batches = batches with { Padding = PaddingSide.Left, CountFirst = true, CountPadding = true };
        TextBatches Batches(IReadOnlyList<TextRow> rows, string name) => TextBatches.Of(rows, batches with { Seed = RandomStream.ChildSeed(seed, name) });
        var (forget, retain) = (Batches(texts.ForgetRows, "forget"), Batches([.. texts.Retain.Select(row => new TextRow(row))], "retain"));
        SliceLease Lease(SliceOptions slice) => SliceLease.Take(
            slices, CanonicalJson.Digest(new { digest, inputs = texts.Inputs, texts = texts.Options, batches, seed, slice.Weights, slice.Reads, device = device.ToString() }),
            () => SharedSlice.Open(checkpoint.Path, slice with { Device = device }, forget, retain));
        switch (options)
        {
            case RepresentationMisdirectionOptions rmu:
                return OfSlice(Lease(RepresentationMisdirection.Slice(checkpoint.Weights, rmu)), slice => RepresentationMisdirection.Create(slice.Cache, [(slice.Forget, slice.Retain)], rmu, seed, stop: stop));
            case SubspaceProjectionOptions sspu:
                var chosen = sspu with { Layers = features?.Layers ?? sspu.Layers };
                return OfSubspaces(chosen, seed, Lease(SubspaceProjectionUnlearning.Slice(checkpoint.Weights, chosen)), features, inputs, stop);
            case CrispOptions crisp:
                var salient = Salient(crisp, checkpoint, texts, saes, device);
                return OfSlice(Lease(Crisp.Slice(checkpoint.Weights, salient, crisp)), slice => Crisp.Create(slice.Cache, slice.Forget, slice.Retain, null, salient, crisp, seed, stop: stop));
            case WholeModelOptions whole:
                return OfModel(checkpoint, device, model =>
                {
                    var loop = new WholeModelUnlearning(model, forget, retain, whole, seed, stop: stop);
                    return new LanguageForgetting(loop, loop.ParameterCount, () => loop.TokensSeen, loop, model);
                });
            case ClosedFormEditOptions edit:
                return OfModel(checkpoint, device, model =>
                {
                    var loop = new ClosedFormEdit(model, values!.Prompts, values.Read(device), inputs!, edit);
                    return new LanguageForgetting(loop, 0, () => values.Prompts.Tokens, loop, model);
                });
            default:
                throw new NotSupportedException($"{options.GetType().Name} is no method that a plan can name.");
        }
    }

    /// <summary>Refuses what a method cannot do with a model, before anything is computed.</summary>
    /// <param name="options">The method.</param>
    /// <param name="checkpoint">The model.</param>
    /// <param name="saes">The plan's autoencoders.</param>
    /// <param name="chooses">Whether layers are chosen by data.</param>
    /// <exception cref="UsageException">A layer or matrix is not there, or the method needs an autoencoder.</exception>
    public static void Check(LanguageMethodOptions options, LanguageCheckpoint checkpoint, IReadOnlyList<SparseAutoencoder> saes, bool chooses)
    {
        var layers = checkpoint.Configuration.Layers;
        switch (options)
        {
            case RepresentationMisdirectionOptions rmu:
                if (rmu.Layer >= layers || rmu.ResolvedLayers[^1] > rmu.Layer)
                    throw new UsageException($"method.layer is {rmu.Layer} and edited are layers {string.Join(", ", rmu.ResolvedLayers)}: the layer read must be one of 0 to {layers - 1}, and no edited layer above it.");
                RepresentationMisdirection.Slice(checkpoint.Weights, rmu);
                break;
            case SubspaceProjectionOptions sspu:
                if (!chooses && (sspu.Layers.FirstOrDefault(layer => layer >= layers, -1) is >= 0 and var beyond))
                    throw new UsageException($"method.layers names layer {beyond}; the model has layers 0 to {layers - 1}.");
                if (FeatureStages.Needed(sspu) && (chooses ? saes.Count == 0 : !FeatureStages.Explains(sspu, saes)))
                    throw new UsageException($"method.kind is sspu, which needs a sparse autoencoder of what leaves {(chooses ? "a layer" : $"each of method.layers ({string.Join(", ", sspu.Layers)})")}; name it under sparse_autoencoders, or choose a method without, such as rmu.");
                if (!chooses)
                    SubspaceProjectionUnlearning.Slice(checkpoint.Weights, sspu);
                break;
            case CrispOptions when saes.Count == 0:
                throw new UsageException("method.kind is crisp, which suppresses latents of a sparse autoencoder; name one under sparse_autoencoders, or choose a method without, such as rmu.");
            case ClosedFormEditOptions edit when edit.EditedLayers.Any(layer => layer >= layers):
                throw new UsageException($"method.edited_layers is {string.Join(", ", edit.EditedLayers)}; the model has layers 0 to {layers - 1}.");
        }
    }

    /// <summary>Says, once the loop is finished, what became of latents and subspaces; null for methods that have none.</summary>
    public Func<LanguageFeaturesResult>? Explain { get; init; }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var owned in Owned)
            owned.Dispose();
    }

    private static LanguageForgetting OfSlice(SliceLease lease, Func<SharedSlice, SliceUnlearning> make)
    {
        try
        {
            var loop = make(lease.Slice);
            return new LanguageForgetting(loop, loop.ParameterCount, () => loop.TokensSeen, loop, lease);
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }

    // Enough text for means that move by a per cent or so.
    private const int ExplainedBatches = 32;

    private static LanguageForgetting OfSubspaces(SubspaceProjectionOptions sspu, ulong seed, SliceLease lease, FeatureStages? features, InputMoments? inputs, StopCriterion? stop)
    {
        var (cache, forget, retain) = (lease.Slice.Cache, lease.Slice.Forget, lease.Slice.Retain);
        Dictionary<int, SubspacePair> pairs = [];
        try
        {
            pairs = features?.Pairs(cache, forget, retain) ?? [];
            var method = SubspaceProjectionUnlearning.Create(cache, forget, retain, pairs, sspu, seed, inputs, stop);
            return new LanguageForgetting(method.Loop, method.Loop.ParameterCount, () => method.Loop.TokensSeen, [method, .. pairs.Values, lease])
            {
                Explain = () =>
                {
                    method.Loop.Finish();
                    var explanation = SubspaceProjectionExplanation.Read(method, [.. forget.Batches.Take(ExplainedBatches)], [.. retain.Batches.Take(ExplainedBatches)], features?.Latents);
                    return new LanguageFeaturesResult(features?.Separation, features?.Choices ?? [], method.Setup, method.Inputs, explanation);
                },
            };
        }
        catch
        {
            foreach (var pair in pairs.Values)
                pair.Dispose();
            lease.Dispose();
            throw;
        }
    }

    private static LanguageForgetting OfModel(LanguageCheckpoint checkpoint, Device device, Func<CausalLanguageModel, LanguageForgetting> make)
    {
        var model = checkpoint.Load(new LoadOptions { Device = device });
        try
        {
            return make(model);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static SalientLatents[] Salient(CrispOptions options, LanguageCheckpoint checkpoint, TrainingTexts texts, IReadOnlyList<SparseAutoencoder> saes, Device device)
    {
        var special = checkpoint.Special;
        PackedTokens Packed(IReadOnlyList<int[]> rows) => PackedTokens.Of(rows, texts.Length, special.AddBos ? special.Bos : null, special.Bos ?? special.Eos);
        using var model = checkpoint.Load(new LoadOptions { ToLayer = saes.Max(sae => Site.Parse(sae.Site!.Name).Layer) + 1, Head = false, Device = device });
        using var pass = LatentPass.Read(model, saes, [new("forget", Packed(texts.Forget)), new("retain", Packed(texts.Retain))], contexts: 1);
        return [.. saes.Select((sae, k) => SalientLatents.Choose(sae, pass.Statistics(k, 0), pass.Statistics(k, 1), options))];
    }
}
