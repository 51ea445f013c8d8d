using System.Globalization;

namespace Lethe.Torch;

/// <summary>Where tensors live and are computed: "cpu" or "cuda:0".</summary>
/// <param name="Kind">"cpu" or "cuda".</param>
/// <param name="Index">Number of the CUDA device; 0 for the CPU.</param>
public readonly record struct Device(string Kind, int Index)
{
    /// <summary>The processor.</summary>
    public static Device Cpu { get; } = new("cpu", 0);

    /// <summary>Reads "cpu", "cuda" or "cuda:1".</summary>
    /// <exception cref="UsageException">It is none of these.</exception>
    public static Device Parse(string text) => text.Split(':') switch
    {
        ["cpu"] => Cpu,
        ["cuda"] => new("cuda", 0),
        ["cuda", var index] when int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => new("cuda", number),
        _ => throw new UsageException($"--device is '{text}'; 'cpu', 'cuda' and 'cuda:N' are allowed."),
    };

    /// <inheritdoc/>
    public override string ToString() => Kind == "cpu" ? "cpu" : $"{Kind}:{Index}";
}
