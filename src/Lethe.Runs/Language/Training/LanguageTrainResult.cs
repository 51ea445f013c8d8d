using System.Globalization;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.Language.Training;
using Lethe.Runs.Results;

namespace Lethe.Runs.Language.Training;

/// <summary>The shape of a trained language model.</summary>
/// <param name="Family">model_type.</param>
/// <param name="Parameters">Number of weights.</param>
/// <param name="Layers">Decoder layers.</param>
/// <param name="HiddenSize">Width of the residual stream.</param>
/// <param name="IntermediateSize">Width inside the MLP.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyValueHeads">Key-value heads.</param>
/// <param name="Vocabulary">Tokens.</param>
/// <param name="MaximumPositions">The longest context.</param>
/// <param name="TieEmbeddings">Whether the head uses the embedding's matrix.</param>
public sealed record LanguageModelShape(string Family, long Parameters, int Layers, int HiddenSize, int IntermediateSize, int Heads, int KeyValueHeads, int Vocabulary, int MaximumPositions, bool TieEmbeddings)
{
    /// <summary>Of a configuration.</summary>
    internal static LanguageModelShape Of(LanguageModelConfiguration c, long parameters) =>
        new(c.ModelType, parameters, c.Layers, c.HiddenSize, c.IntermediateSize, c.Heads, c.KeyValueHeads, c.VocabularySize, c.MaximumPositions, c.TieEmbeddings);
}

/// <summary>The text of a training run.</summary>
/// <param name="Documents">Documents to learn from, repeated ones counted as often as they stand.</param>
/// <param name="Tokens">Their tokens.</param>
/// <param name="ValidationDocuments">Documents held out.</param>
/// <param name="ValidationTokens">Their tokens.</param>
public sealed record CorpusFacts(int Documents, long Tokens, int ValidationDocuments, long ValidationTokens);

/// <summary>How training went.</summary>
/// <param name="Steps">Steps done.</param>
/// <param name="StopReason">Why it stopped before the plan's last step; null if it did not.</param>
/// <param name="BestStep">The step whose weights are the result where early stopping is on; null otherwise.</param>
/// <param name="TokensSeen">Tokens read, each as often as it was.</param>
/// <param name="Epochs">How often the corpus was read.</param>
/// <param name="Seconds">Wall-clock seconds over all attempts, measurements while training included.</param>
/// <param name="TokensPerSecond">Tokens read a second.</param>
public sealed record TrainingFacts(long Steps, string? StopReason, long? BestStep, long TokensSeen, double Epochs, double Seconds, double TokensPerSecond);

/// <summary>The loss of the exported model on text.</summary>
/// <param name="Loss">Mean over tokens, nats.</param>
/// <param name="Perplexity">e to the loss.</param>
/// <param name="Tokens">Tokens asked for.</param>
/// <param name="BitsPerByte">Bits for each byte of the text, which does not depend on the tokenizer; only where whole documents are measured.</param>
public sealed record TextLoss(double Loss, double Perplexity, long Tokens, double? BitsPerByte);

/// <summary>A point of a curve of losses.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Loss">Nats a token.</param>
public sealed record LossPoint(long Step, double Loss);

/// <summary>result.json of the training of a language model.</summary>
/// <param name="Title">The plan's title.</param>
/// <param name="Run">Where and when.</param>
/// <param name="ModelDigest">SHA-256 over the exported weights.</param>
/// <param name="Base">The model that was trained on, as the plan names it; null if it began with random weights.</param>
/// <param name="Model">Its shape.</param>
/// <param name="Corpus">The text.</param>
/// <param name="Training">How it went.</param>
/// <param name="Train">The loss on the beginning of the training text, as much of it as is held out.</param>
/// <param name="Validation">The loss on the text held out; null where none is.</param>
/// <param name="TrainCurve">Losses of the steps, means over at most 100 equal stretches.</param>
/// <param name="ValidationCurve">Losses on the beginning of the text held out while training; the first is before the first step.</param>
/// <param name="Cost">Time and memory.</param>
public sealed record LanguageTrainResult(
    string Title, RunFacts Run, string ModelDigest, string? Base, LanguageModelShape Model, CorpusFacts Corpus, TrainingFacts Training, TextLoss Train, TextLoss? Validation,
    IReadOnlyList<LossPoint> TrainCurve, IReadOnlyList<LossPoint> ValidationCurve, CostResult Cost)
    : TrainResult("causal_language_model", Title, Run, ModelDigest, Cost)
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> Summary()
    {
        string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
        var lines = new List<string>
        {
            Line($"{Model.Family}, {Model.Parameters:N0} parameters, {Model.Layers} layers of width {Model.HiddenSize}, {Model.Vocabulary:N0} tokens"),
            Line($"{Training.Steps:N0} steps, {Training.TokensSeen:N0} tokens read ({Training.Epochs:0.0} times the corpus), {Training.TokensPerSecond:N0} tokens a second"),
        };
        if (Training.StopReason is { } reason)
            lines.Add($"stopped early: {reason}");
        lines.Add(Line($"training text    loss {Train.Loss:0.000}, perplexity {Train.Perplexity:0.00}"));
        if (Validation is { } held)
            lines.Add(Line($"validation text  loss {held.Loss:0.000}, perplexity {held.Perplexity:0.00}, {held.BitsPerByte:0.000} bits a byte ({held.Tokens:N0} tokens)"));
        return lines;
    }

    /// <inheritdoc/>
    public override IReadOnlyList<TrainCurve> Curves()
    {
        Lethe.Runs.TrainCurve Curve(string name, IReadOnlyList<LossPoint> points) => new(name, [.. points.Select(point => ((double)point.Step, point.Loss))]);
        return [.. new[] { Curve("training", TrainCurve), Curve("validation", ValidationCurve) }.Where(curve => curve.Points.Count > 1)];
    }
}

/// <summary>What the training stage keeps beside the weights.</summary>
/// <param name="Steps">Steps done.</param>
/// <param name="StopReason">Why it stopped early.</param>
/// <param name="BestStep">The step whose weights were kept.</param>
/// <param name="TokensSeen">Tokens read.</param>
/// <param name="Readings">The text held out, while training.</param>
internal sealed record TrainingRecord(long Steps, string? StopReason, long? BestStep, long TokensSeen, IReadOnlyList<ValidationReading> Readings);

/// <summary>What the measuring stage keeps.</summary>
/// <param name="Parameters">Weights of the model.</param>
/// <param name="Train">The training text.</param>
/// <param name="Validation">The text held out.</param>
internal sealed record LossRecord(long Parameters, TextLoss Train, TextLoss? Validation);
