using Lethe.Torch;

namespace Lethe.Models.Language.Checkpoints;

/// <summary>What of a checkpoint is loaded, and how.</summary>
public sealed record LoadOptions
{
    /// <summary>The type that the model computes in; weights are cast to it as they are read. Default float32.</summary>
    public DType DType { get; init; } = DType.Float32;

    /// <summary>
    /// On the processor: whether the products of bfloat16 weights take their inputs rounded to bfloat16 too, with sums in float32 and results rounded once (relative errors of 2⁻⁹ at each
    /// matrix), where otherwise weights are widened and products are float32. Twice as fast where the processor has instructions for it (<see cref="Engine.HasBfloat16Products"/>). Default false.
    /// </summary>
    public bool RoundedProducts { get; init; }

    /// <summary>Where the weights go. Default the processor.</summary>
    public Device Device { get; init; } = Device.Cpu;

    /// <summary>The first layer to load, from 0. Default 0.</summary>
    public int FromLayer { get; init; }

    /// <summary>One past the last layer to load; null loads up to the last. Default null.</summary>
    public int? ToLayer { get; init; }

    /// <summary>Whether the final norm and the head are loaded; without them the model gives hidden states only. Default true.</summary>
    public bool Head { get; init; } = true;

    /// <summary>Names of the parameters, as the checkpoint has them, that gradients are wanted for; the others are frozen. Default none.</summary>
    public IReadOnlyCollection<string> TrainableParameters { get; init; } = [];

    /// <summary>Whether gradients are wanted for every parameter that is loaded, whatever <see cref="TrainableParameters"/> names. Default false.</summary>
    public bool TrainAll { get; init; }
}
