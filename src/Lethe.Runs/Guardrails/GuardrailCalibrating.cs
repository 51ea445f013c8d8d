using Lethe.Formats;
using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.SparseAutoencoders;
using Lethe.Models.SparseAutoencoders.Files;
using Lethe.Models.SparseAutoencoders.Reading;
using Lethe.Runs.Language;
using Lethe.Runs.Language.Corpora;
using Lethe.Runs.Plans;
using Lethe.Runs.SparseAutoencoders;
using Lethe.Torch;
using Lethe.Unlearning.Guardrails;

namespace Lethe.Runs.Guardrails;

/// <summary>What <c>guardrail calibrate --json</c> prints.</summary>
/// <param name="Folder">The guardrail's folder.</param>
/// <param name="Kind">What it does.</param>
/// <param name="Site">Where it stands.</param>
/// <param name="Latents">What it watches.</param>
/// <param name="Calibration">What text told.</param>
public sealed record GuardrailCalibrationResult(string Folder, string Kind, string Site, IReadOnlyList<long> Latents, GuardrailCalibration Calibration)
{
    /// <summary>Version of this layout.</summary>
    public string Schema { get; init; } = "lethe.guardrail-calibrate/1";
}

/// <summary>Makes guardrails.</summary>
public static class GuardrailCalibrating
{
    /// <summary>Reads the texts, chooses the threshold and writes the guardrail's folder. Call on the torch thread.</summary>
    /// <param name="plan">What is made.</param>
    /// <param name="output">The folder to write; it does not exist yet, or is empty.</param>
    /// <param name="context">Progress, stopping, device.</param>
    /// <exception cref="UsageException">The folder is not empty, or a length is beyond the model.</exception>
    /// <exception cref="BadInputException">A file is missing or damaged; model, autoencoder and latents do not belong together; the text says too little.</exception>
    public static GuardrailCalibrationResult Run(Plan<GuardrailPlan> plan, string output, RunContext context)
    {
        var (wanted, file) = (plan.Value, plan.Source);
        // What is known beforehand shows beforehand.
        if (Directory.Exists(output) && Directory.EnumerateFileSystemEntries(output).Any())
            throw new UsageException($"{output} exists already and is not empty; name a new folder.");
        var retain = new CorpusReader(wanted.Retain, file, "retain");
        var means = wanted.Means.Count > 0 && wanted.Guardrail.IsRelative ? new CorpusReader(wanted.Means, file, "means") : null;
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var saePath = PlanPaths.Resolve(wanted.Sae, file);
        using var sae = SaeFiles.Read(saePath, device: context.Device);
        using var direction = wanted.Direction is { } path ? ReadDirection(PlanPaths.Resolve(path, file)) : null;
        using var checkpoint = LanguageCheckpoint.Open(PlanPaths.Resolve(wanted.Model, file));
        if (wanted.Length > checkpoint.Configuration.MaximumPositions)
            throw new UsageException($"length is {wanted.Length}; the model knows {checkpoint.Configuration.MaximumPositions} positions.");
        if (sae.Site is { Layer: { } layer } && layer >= checkpoint.Configuration.Layers)
            sae.Check(checkpoint.Path, sae.InputSize, checkpoint.Configuration.Layers);
        using var model = checkpoint.Load(new LoadOptions { Device = context.Device, Head = false, ToLayer = (sae.Site?.Layer ?? 0) + 1 });
        SpliceLoss.SiteOf(sae, model);
        // A refusal latent is set, not watched; but it has to be there.
        using (new LatentSubset(sae, [.. wanted.Latents, .. wanted.Guardrail is RefusalClampOptions { RefusalLatent: { } refusal } ? (long[])[refusal] : []]))
        {
        }
        var read = Read(model, sae, checkpoint, retain, wanted, "retain", context);
        var calibration = GuardrailCalibrator.Run(wanted.Guardrail, wanted.Latents, read, means is null ? null : Read(model, sae, checkpoint, means, wanted, "means", context));
        calibration = GuardrailCalibrator.WithProbe(calibration with { RetainDigest = Digest(retain, wanted), MeansDigest = means is null ? null : Digest(means, wanted) }, model, sae);
        // Whatever is wrong with the parts shows before anything is written.
        using (Guardrail.Create(sae, wanted.Latents, wanted.Guardrail, calibration, direction))
        {
        }
        GuardrailFolder.Save(output, sae, Name(saePath), LanguageModelDigest.Of(saePath), wanted.Latents, wanted.Guardrail, calibration, Name(checkpoint.Path), direction);
        return new GuardrailCalibrationResult(output, wanted.Guardrail.Kind, sae.Site!.Name, wanted.Latents, calibration);
    }

    private static FiringReading Read(CausalLanguageModel model, SparseAutoencoder sae, LanguageCheckpoint checkpoint, CorpusReader corpus, GuardrailPlan plan, string stage, RunContext context)
    {
        context.Progress.StageStarted(stage);
        var from = context.Time.GetTimestamp();
        var sequences = LanguageTexts.Sequences(corpus.Read().Select(document => document.Text), checkpoint.Tokenizer, checkpoint.Special, plan.Length).Take(plan.Sequences);
        RateMeter? rate = null;
        var read = FiringReading.Read(model, sae, plan.Latents, sequences, plan.Rows, done =>
        {
            context.Progress.Advanced((rate ??= new RateMeter(context.Time, 0)).Progress(stage, null, done, Math.Max(done, plan.Sequences), []));
            context.Cancellation.ThrowIfCancellationRequested();
        });
        context.Progress.StageFinished(stage, Math.Round(context.Time.GetElapsedTime(from).TotalSeconds, 3));
        return read;
    }

    private static Tensor ReadDirection(string path)
    {
        using var file = SafetensorsFile.Open(path);
        var array = file.Entries.Count == 1 ? file.Read(file.Entries[0].Name)
            : throw new BadInputException($"{path}: has {file.Entries.Count} tensors; one is needed, the direction.");
        return array.Type.IsFloatingPoint() && array.Shape.Count == 1 ? TensorScope.Detach(Tensor.From(array).To(DType.Float32))
            : throw new BadInputException($"{path}: the tensor is {array.Type} [{string.Join(", ", array.Shape)}]; one vector of real numbers is needed.");
    }

    private static string Digest(CorpusReader corpus, GuardrailPlan plan) => CanonicalJson.Digest(new { corpus.Digest, plan.Length, plan.Sequences });

    // No folders of somebody's machine.
    private static string Name(string path) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
}
