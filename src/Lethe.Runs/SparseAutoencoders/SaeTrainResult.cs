using System.Globalization;
using Lethe.Models.SparseAutoencoders.Reading;
using Lethe.Runs.Results;

namespace Lethe.Runs.SparseAutoencoders;

/// <summary>result.json of a training of sparse autoencoders.</summary>
/// <param name="Kind">"sparse_autoencoder".</param>
/// <param name="Title">The plan's title.</param>
/// <param name="Run">Where and when.</param>
/// <param name="ModelDigest">SHA-256 over the autoencoders' weights.</param>
/// <param name="Model">The language model, as the plan names it.</param>
/// <param name="CorpusTokens">Tokens of the training texts, in contexts.</param>
/// <param name="TrainedTokens">Activations seen.</param>
/// <param name="Autoencoders">What was trained.</param>
/// <param name="Cost">Time and memory.</param>
public sealed record SaeTrainResult(string Kind, string Title, RunFacts Run, string ModelDigest, string Model, long CorpusTokens, long TrainedTokens, IReadOnlyList<TrainedSae> Autoencoders, CostResult Cost)
    : TrainResult(Kind, Title, Run, ModelDigest, Cost)
{
    /// <summary>The run that trained the language model, relative to this one's folder, where the plan names a training plan; else null.</summary>
    public string? ModelRun { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Summary()
    {
        var lines = new List<string>();
        foreach (var sae in Autoencoders)
        {
            lines.Add($"{sae.Name}: {sae.Width} latents");
            if (sae.Quality is { } quality)
                lines.Add(string.Create(CultureInfo.InvariantCulture, $"  explained variance {quality.ExplainedVariance:0.000}, {quality.ActiveLatents:0.0} latents active, {quality.DeadShare:P1} never ({quality.Tokens} tokens)"));
            if (sae.Loss is { } loss)
                lines.Add(string.Create(CultureInfo.InvariantCulture, $"  loss {loss.CrossEntropy:0.000} -> {loss.WithReconstruction:0.000} nats a token, {loss.WithZero:0.000} with zeros: {loss.Recovered:0.000} recovered ({loss.Tokens} tokens)"));
        }
        return lines;
    }
}

/// <summary>One trained autoencoder and what the evaluation text says of it.</summary>
/// <param name="Name">Its folder below model/.</param>
/// <param name="Site">Its site.</param>
/// <param name="Width">Latents.</param>
/// <param name="Quality">How well it reconstructs; null where the plan has no evaluation.</param>
/// <param name="Loss">What the model loses with it in place; null where the plan has no evaluation.</param>
public sealed record TrainedSae(string Name, string Site, long Width, SaeQuality? Quality, SpliceReading? Loss);

/// <summary>A <see cref="ReconstructionReading"/> without its list of all latents.</summary>
/// <param name="Tokens">Activations measured.</param>
/// <param name="ExplainedVariance">1 − Σ‖x − x̂‖² / Σ‖x − mean‖².</param>
/// <param name="ActiveLatents">L0, mean over tokens.</param>
/// <param name="Cosine">Mean cosine of x and x̂.</param>
/// <param name="NormRatio">Mean of ‖x̂‖ / ‖x‖.</param>
/// <param name="DeadShare">Share of latents that were never active.</param>
/// <param name="MeanNorm">Mean norm of the activations.</param>
/// <param name="Density">Latents by log10 of the share of tokens on which they are active.</param>
public sealed record SaeQuality(long Tokens, double? ExplainedVariance, double ActiveLatents, double Cosine, double NormRatio, double DeadShare, double MeanNorm, DensityHistogram Density)
{
    /// <summary>Takes over a reading.</summary>
    public static SaeQuality Of(ReconstructionReading reading) =>
        new(reading.Activations, reading.ExplainedVariance, reading.ActiveLatents, reading.Cosine, reading.NormRatio, reading.DeadShare, reading.MeanNorm, reading.Density);
}
