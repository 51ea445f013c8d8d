namespace Lethe.Formats.Gguf;

/// <summary>What a GGUF file says of one tensor; every number has been checked against the file.</summary>
/// <param name="Name">The tensor's name, for example blk.0.attn_q.weight.</param>
/// <param name="Type">How its elements are stored.</param>
/// <param name="Shape">Sizes in torch's order, rows first; the file lists them in reverse.</param>
/// <param name="Offset">First byte, counted from the start of the file.</param>
/// <param name="Length">Bytes.</param>
public sealed record GgufTensor(string Name, GgufType Type, IReadOnlyList<long> Shape, long Offset, long Length)
{
    /// <summary>Elements in one row: the last dimension, 1 for a scalar.</summary>
    public long RowElements => Shape.Count == 0 ? 1 : Shape[^1];

    /// <summary>Bytes of one row; rows hold whole blocks.</summary>
    public long RowBytes => RowElements / Type.Block().Elements * Type.Block().Bytes;
}
