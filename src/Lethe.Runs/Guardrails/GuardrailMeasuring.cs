using Lethe.Evaluation.Language;
using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Runs.Language.Corpora;
using Lethe.Runs.SparseAutoencoders;
using Lethe.Torch;
using Lethe.Unlearning.Guardrails;

namespace Lethe.Runs.Guardrails;

/// <summary>What is measured.</summary>
/// <param name="Model">The model.</param>
/// <param name="Guardrail">The guardrail's folder.</param>
/// <param name="Benign">Harmless text.</param>
/// <param name="Forget">Text that it is for; empty for none.</param>
/// <param name="Length">The most tokens of a sequence; null takes that of its calibration.</param>
/// <param name="Sequences">The most sequences of each text.</param>
public sealed record GuardrailMeasureRequest(string Model, string Guardrail, IReadOnlyList<CorpusPlan> Benign, IReadOnlyList<CorpusPlan> Forget, int? Length, int Sequences);

/// <summary>What <c>guardrail measure --json</c> prints.</summary>
/// <param name="Model">The model.</param>
/// <param name="Guardrail">The guardrail.</param>
/// <param name="Length">The most tokens of a sequence.</param>
/// <param name="Rates">What was found.</param>
public sealed record GuardrailMeasureResult(string Model, GuardrailFacts Guardrail, int Length, GuardrailRates Rates)
{
    /// <summary>Version of this layout.</summary>
    public string Schema { get; init; } = "lethe.guardrail-measure/1";
}

/// <summary>Measures how often a guardrail edits harmless text, and text that it is for.</summary>
public static class GuardrailMeasuring
{
    private const int Rows = 8, DefaultLength = 256;

    /// <summary>Reads the texts through the guarded model. Call on the torch thread.</summary>
    /// <exception cref="BadInputException">A file is missing or damaged, or the guardrail does not belong to the model.</exception>
    public static GuardrailMeasureResult Run(GuardrailMeasureRequest request, RunContext context)
    {
        var here = Path.GetFullPath("plan.yaml");
        var benign = new CorpusReader(request.Benign, here, "benign");
        var forget = new CorpusReader(request.Forget, here, "forget");
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        using var checkpoint = LanguageCheckpoint.Open(request.Model);
        using var model = checkpoint.Load(new LoadOptions { Device = context.Device, Head = false });
        using var guard = ModelGuard.Set(model, [request.Guardrail]);
        var opened = guard.Opened[0];
        var length = Math.Min(request.Length ?? (opened.Guardrail.Calibration.Length > 1 ? opened.Guardrail.Calibration.Length : DefaultLength), checkpoint.Configuration.MaximumPositions);
        IReadOnlyList<GuardedText> Read(CorpusReader corpus, string stage)
        {
            context.Progress.StageStarted(stage);
            var from = context.Time.GetTimestamp();
            var texts = new List<GuardedText>();
            opened.Guardrail.Observer = found => texts.AddRange(Texts(found));
            foreach (var batch in LanguageTexts.Sequences(corpus.Read().Select(document => document.Text), checkpoint.Tokenizer, checkpoint.Special, length).Where(text => text.Length > 1).Take(request.Sequences).Chunk(Rows))
            {
                using var inner = new TensorScope();
                context.Cancellation.ThrowIfCancellationRequested();
                var longest = batch.Max(text => text.Length);
                long[] ids = [.. batch.SelectMany(text => text.Select(id => (long)id).Concat(Enumerable.Repeat(0L, longest - text.Length)))];
                long[] mask = [.. batch.SelectMany(text => Enumerable.Repeat(1L, text.Length).Concat(Enumerable.Repeat(0L, longest - text.Length)))];
                model.Run(model.Embed(Tensor.FromArray(ids, batch.Length, longest)), 0, opened.Guardrail.Site.Layer + 1, new ForwardContext { AttentionMask = Tensor.FromArray(mask, batch.Length, longest).To(model.Device) });
                context.Progress.Advanced(new StageProgress(stage, null, texts.Count, Math.Max(texts.Count, request.Sequences), null, null, []));
            }
            context.Progress.StageFinished(stage, Math.Round(context.Time.GetElapsedTime(from).TotalSeconds, 3));
            return texts;
        }
        var harmless = Read(benign, "benign");
        if (harmless.Count == 0)
            throw new BadInputException($"{string.Join(", ", benign.Files.Take(3))}: holds no sequence of two tokens or more; give more text.");
        var rates = GuardrailRates.Of(harmless, request.Forget.Count == 0 ? [] : Read(forget, "forget"));
        return new GuardrailMeasureResult(request.Model, opened.Facts, length, rates);
    }

    private static IEnumerable<GuardedText> Texts(GuardrailReading found)
    {
        for (var row = 0; row < found.Counted.GetLength(0); row++)
        {
            var (edited, counted, largest) = (0L, 0L, 0.0);
            for (var k = 0; k < found.Counted.GetLength(1); k++)
                if (found.Counted[row, k])
                    (edited, counted, largest) = (edited + (found.Edited[row, k] ? 1 : 0), counted + 1, Math.Max(largest, found.Statistic[row, k]));
            yield return new GuardedText(edited, counted, largest);
        }
    }
}
