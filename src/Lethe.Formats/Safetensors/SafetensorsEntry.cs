using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>What the header of a safetensors file says of one tensor; every number has been checked against the file.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="TypeName">Element type as the file names it, for example BF16.</param>
/// <param name="Type">Element type; null for a type that Lethe can carry from file to file but not read (F8_E4M3, U16, …).</param>
/// <param name="Shape">Sizes of the dimensions; empty for a scalar.</param>
/// <param name="Offset">First byte, counted from the start of the file.</param>
/// <param name="Length">Bytes.</param>
public sealed record SafetensorsEntry(string Name, string TypeName, DType? Type, IReadOnlyList<long> Shape, long Offset, long Length);
