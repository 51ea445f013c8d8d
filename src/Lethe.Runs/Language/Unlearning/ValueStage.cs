using Lethe.Formats;
using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;
using Lethe.Unlearning.Language;

namespace Lethe.Runs.Language.Unlearning;

/// <summary>The stage of a closed-form edit that finds its values. Neither how much is held, nor the strength, nor the seed decides them: configurations and seeds of a sweep share one search.</summary>
internal sealed class ValueStage
{
    private const string FileName = "values.safetensors";

    private readonly Artefact found;

    /// <summary>Runs the stage.</summary>
    /// <param name="runner">The run.</param>
    /// <param name="options">The method.</param>
    /// <param name="checkpoint">The base model; all of it is loaded.</param>
    /// <param name="digest">What the model is known by.</param>
    /// <param name="texts">What the prompts are made of.</param>
    /// <param name="device">Where it computes.</param>
    public ValueStage(StageRunner runner, ClosedFormEditOptions options, LanguageCheckpoint checkpoint, string digest, TrainingTexts texts, Device device)
    {
        Prompts = TextBatches.Of(texts.Prompts(LanguageMeasuring.EncodingOf(checkpoint)), texts.BatchOptions(checkpoint.Special) with { ByLength = true });
        found = runner.Run(
            new Stage
            {
                Name = "values",
                Method = "edit-values",
                Version = 1,
                Options = new { Layer = options.EditedLayers.Max(), options.Goal, options.ValueSteps, options.ValueRate, options.ValueClamp, options.ValueDecay, texts = texts.Options },
                Inputs = [new("model", digest), .. texts.Inputs],
                Environment = new("float32", device.ToString(), Engine.Threads, Engine.Version),
            },
            work =>
            {
                using var scope = new TensorScope();
                using var model = checkpoint.Load(new LoadOptions { Device = device });
                using var values = new EditValues(model, Prompts, options);
                work.Train(values);
                SafetensorsWriter.Write(work.PathOf(FileName), values.Found.Select((value, k) => KeyValuePair.Create(Name(k), value.ToHost())));
            });
    }

    /// <summary>The prompts.</summary>
    public TextBatches Prompts { get; }

    /// <summary>What forgetting is told of it.</summary>
    public StageInput Input => found.As("values");

    /// <summary>The values of each batch, (B, D); they belong to the open scope.</summary>
    public IReadOnlyList<Tensor> Read(Device device)
    {
        using var file = SafetensorsFile.Open(found.PathOf(FileName));
        var arrays = file.ReadAll();
        return [.. Enumerable.Range(0, arrays.Count).Select(k => Tensor.From(arrays[Name(k)]).To(device))];
    }

    private static string Name(int batch) => $"values.{batch}";
}
