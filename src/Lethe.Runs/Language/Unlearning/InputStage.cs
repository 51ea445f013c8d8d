using Lethe.Formats;
using Lethe.Models;
using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;
using Lethe.Unlearning.Language;
using Lethe.Unlearning.Language.Subspaces;

namespace Lethe.Runs.Language.Unlearning;

/// <summary>
/// The stage that looks at what edited matrices read: for P₀ of SSPU, and for what a closed-form edit holds. Model, texts and matrices alone decide it: configurations of other weights, steps, targets and cuts, and runs of other seeds,
/// find it in the cache.
/// </summary>
internal sealed class InputStage
{
    private const string FileName = "moments.safetensors", Forgotten = ".forget", Guarded = ".protected";

    // Rows of about the same length go together; sixteen fill a processor.
    private const int Rows = 16;

    private readonly Artefact read;

    private InputStage(Artefact read) => this.read = read;

    /// <summary>Runs the stage, where the method needs it.</summary>
    /// <param name="runner">The run.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="features">What sspu chose, which may be its layers.</param>
    /// <param name="checkpoint">The base model; the slice up to the highest edited matrix is loaded.</param>
    /// <param name="digest">What the model is known by.</param>
    /// <param name="texts">What is read.</param>
    /// <param name="device">Where it computes.</param>
    /// <returns>Null where what matrices read confines nothing and holds nothing.</returns>
    public static InputStage? Run(StageRunner runner, LanguageUnlearnPlan plan, FeatureStages? features, LanguageCheckpoint checkpoint, string digest, TrainingTexts texts, Device device)
    {
        var (weights, most) = plan.Method switch
        {
            SubspaceProjectionOptions { InputEnergy: < 1 } sspu => (SubspaceProjectionUnlearning.Slice(checkpoint.Weights, sspu with { Layers = features?.Layers ?? sspu.Layers }).Weights, sspu.InputTexts),
            ClosedFormEditOptions edit => (LayerWeights.Of(checkpoint.Weights, edit.EditedLayers.Distinct().Order(), "mlp.last"), edit.InputTexts),
            _ => ([], 0),
        };
        if (most == 0)
            return null;
        var stage = new Stage
        {
            Name = "inputs",
            Method = "input-moments",
            Version = 1,
            Options = new { weights, most, texts = texts.Options },
            Inputs = [new("model", digest), .. texts.Inputs],
            Environment = new("float32", device.ToString(), Engine.Threads, Engine.Version),
        };
        return new(runner.Run(stage, work =>
        {
            // Nothing above the last edited matrix is run, and no batch comes twice.
            using var cache = SliceCache.Open(checkpoint, new SliceOptions { Weights = weights, Reads = [weights.Max(name => LayerWeights.LayerOf(name)!.Value)], Device = device, MaximumBytes = 0 });
            // Text that is retained several times counts as often.
            IReadOnlyList<TextBatch> Batches(IReadOnlyList<int[]> rows) => TextBatches.Of(EvenSample.Of(rows, most), texts.BatchOptions(checkpoint.Special) with { Rows = Rows, ByLength = true }).Batches;
            using var moments = InputMoments.Read(cache, Batches(texts.Forget), [new InputText("retain", Batches(texts.Retain))], (done, all) => work.Report(done, all, "batches"));
            SafetensorsWriter.Write(work.PathOf(FileName), moments.Sites.SelectMany(site => Named(site, moments)));
        }));
    }

    /// <summary>What forgetting is told of it.</summary>
    public StageInput Input => read.As("inputs");

    /// <summary>The moments; the caller's.</summary>
    public InputMoments Read()
    {
        using var file = SafetensorsFile.Open(read.PathOf(FileName));
        var arrays = file.ReadAll();
        using var scope = new TensorScope();
        Tensor Of(string name) => TensorScope.Detach(Tensor.From(arrays[name]));
        return new(arrays.Keys.Where(name => name.EndsWith(Forgotten, StringComparison.Ordinal)).Select(name => name[..^Forgotten.Length]).ToDictionary(Site.Parse, site => (Of(site + Forgotten), Of(site + Guarded))));
    }

    private static IEnumerable<KeyValuePair<string, HostArray>> Named(Site site, InputMoments moments)
    {
        var (forget, guarded) = moments.Of(site);
        return [new(site + Forgotten, forget.ToHost()), new(site + Guarded, guarded.ToHost())];
    }
}
