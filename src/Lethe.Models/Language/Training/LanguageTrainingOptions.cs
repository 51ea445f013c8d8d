using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Lethe.Models.Language.Training;

/// <summary>How a language model is trained.</summary>
public sealed record LanguageTrainingOptions
{
    /// <summary>Steps.</summary>
    [Description("Training steps")]
    [Range(1, 100_000_000)]
    public long Steps { get; init; } = 1000;

    /// <summary>Tokens of a row.</summary>
    [Description("Tokens of a row: what the model sees at once; documents stand one behind the other in it")]
    [Range(2, 1_048_576)]
    public int Length { get; init; } = 256;

    /// <summary>Rows of a step.</summary>
    [Description("Rows of a step")]
    [Range(1, 65_536)]
    public int Batch { get; init; } = 16;

    /// <summary>Rows that go through the model at once.</summary>
    [Description("Rows that go through the model at once, their gradients added up over the step; null takes all rows of a step at once")]
    [Range(1, 65_536)]
    public int? RowsAtOnce { get; init; }

    /// <summary>Whether documents of a row are kept apart.</summary>
    [Description("Whether a document in a row sees only itself, with positions from 0; otherwise it sees what stands before it, as is usual")]
    public bool SeparateDocuments { get; init; }

    /// <summary>The largest learning rate.</summary>
    [Description("AdamW's largest learning rate, reached after the warm-up; a cosine takes it down from there")]
    [Range(1e-9, 1)]
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Steps of linear warm-up.</summary>
    [Description("Steps over which the learning rate rises from 0")]
    [Range(0, 10_000_000)]
    public long WarmUp { get; init; } = 100;

    /// <summary>Where the cosine ends.</summary>
    [Description("Share of the learning rate that is left at the last step")]
    [Range(0.0, 1.0)]
    public double FinalShare { get; init; } = 0.1;

    /// <summary>Weight decay of matrices.</summary>
    [Description("Weight decay of matrices, times the learning rate; norms and biases have none")]
    [Range(0.0, 10.0)]
    public double WeightDecay { get; init; } = 0.1;

    /// <summary>Decay of the first moment.</summary>
    [Description("Share of AdamW's first moment that stays")]
    [Range(0, 0.999999)]
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the second moment.</summary>
    [Description("Share of AdamW's second moment that stays; 0.95 is usual for language models")]
    [Range(0, 0.999999)]
    public double Beta2 { get; init; } = 0.95;

    /// <summary>Largest norm of the gradient.</summary>
    [Description("Largest norm of the gradient of a step; 0 does not limit it")]
    [Range(0.0, 1e9)]
    public double Clip { get; init; } = 1;

    /// <summary>Decay of the running average.</summary>
    [Description("Decay of the running average of the weights that becomes the result; 0 takes the weights themselves")]
    [Range(0, 0.999999)]
    public double Average { get; init; }

    /// <summary>Steps between two measurements of the validation text.</summary>
    [Description("Steps between two measurements of the loss on validation text; 0 measures none while it trains")]
    [Range(0, 10_000_000)]
    public long ValidateEvery { get; init; } = 100;

    /// <summary>Rows of validation text that are measured while training.</summary>
    [Description("Rows of the validation text that are measured while it trains, from its start; the whole text is measured at the end")]
    [Range(1, 1_000_000)]
    public int ValidationRows { get; init; } = 64;

    /// <summary>When to stop early.</summary>
    [Description("Stops after so many measurements in a row without a lower validation loss, and takes the weights of the lowest; 0 never stops early")]
    [Range(0, 1_000_000)]
    public int Patience { get; init; }
}
