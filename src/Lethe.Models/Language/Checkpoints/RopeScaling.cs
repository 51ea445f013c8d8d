namespace Lethe.Models.Language.Checkpoints;

/// <summary>How rotary frequencies are stretched for longer contexts.</summary>
public enum RopeScalingKind
{
    /// <summary>Positions are divided by the factor.</summary>
    Linear,
    /// <summary>Llama 3.1's: long wavelengths are divided by the factor, short ones kept, between them a smooth transition.</summary>
    Llama3,
}

/// <summary>Scaling of rotary frequencies, as rope_parameters or rope_scaling give it.</summary>
/// <remarks>Source: transformers, modeling_rope_utils.py, _compute_linear_scaling_rope_parameters and _compute_llama3_parameters.</remarks>
/// <param name="Kind">Which rule.</param>
/// <param name="Factor">At least 1.</param>
/// <param name="LowFrequencyFactor">Llama3 only: wavelengths above OriginalPositions / this are divided by the factor.</param>
/// <param name="HighFrequencyFactor">Llama3 only: wavelengths below OriginalPositions / this are kept; more than the low factor.</param>
/// <param name="OriginalPositions">Llama3 only: the context length that the model was trained with first.</param>
public sealed record RopeScaling(RopeScalingKind Kind, double Factor, double LowFrequencyFactor = 1, double HighFrequencyFactor = 4, int OriginalPositions = 8192);
