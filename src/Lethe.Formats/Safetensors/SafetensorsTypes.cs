using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>The element types that the safetensors format names, in the order of the reference writer (later types are written first).</summary>
/// <remarks>Source: huggingface/safetensors, safetensors/src/tensor.rs at 24b0b28, enum Dtype.</remarks>
internal static class SafetensorsTypes
{
    /// <param name="Name">As in the header.</param>
    /// <param name="Bits">Bits that one element takes; below 8 for the packed types.</param>
    /// <param name="Rank">Place in the reference writer's order.</param>
    /// <param name="Type">The type here; null where Lethe can carry such tensors from file to file but not read them.</param>
    public sealed record Entry(string Name, int Bits, int Rank, DType? Type);

    private static readonly Entry[] Known = new (string Name, int Bits, DType? Type)[]
    {
        ("BOOL", 8, DType.Bool), ("F4", 4, null), ("F6_E2M3", 6, null), ("F6_E3M2", 6, null), ("U8", 8, DType.UInt8), ("I8", 8, DType.Int8),
        ("F8_E5M2", 8, null), ("F8_E4M3", 8, null), ("F8_E8M0", 8, null), ("F8_E4M3FNUZ", 8, null), ("F8_E5M2FNUZ", 8, null),
        ("I16", 16, DType.Int16), ("U16", 16, null), ("F16", 16, DType.Float16), ("BF16", 16, DType.BFloat16),
        ("I32", 32, DType.Int32), ("U32", 32, null), ("F32", 32, DType.Float32), ("C64", 64, null), ("F64", 64, DType.Float64),
        ("I64", 64, DType.Int64), ("U64", 64, null),
    }.Select((type, rank) => new Entry(type.Name, type.Bits, rank, type.Type)).ToArray();

    private static readonly Dictionary<string, Entry> ByName = Known.ToDictionary(type => type.Name, StringComparer.Ordinal);
    private static readonly Dictionary<DType, Entry> ByType = Known.Where(type => type.Type is not null).ToDictionary(type => type.Type!.Value);

    /// <summary>The names of all types that Lethe reads.</summary>
    public static string Readable { get; } = string.Join(", ", Known.Where(type => type.Type is not null).Select(type => type.Name));

    public static Entry? Find(string name) => ByName.GetValueOrDefault(name);

    public static Entry Of(DType type) => ByType[type];
}
