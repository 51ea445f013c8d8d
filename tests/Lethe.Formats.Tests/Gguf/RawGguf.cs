using System.Text;
using Lethe.Formats.Gguf;

namespace Lethe.Formats.Tests.Gguf;

/// <summary>Writes GGUF files, also wrong ones, byte by byte.</summary>
internal sealed class RawGguf
{
    private readonly MemoryStream values = new(), tensors = new(), data = new();

    public uint Version { get; set; } = 3;
    public int Alignment { get; set; } = 32;
    public ulong Keys { get; set; }
    public ulong Tensors { get; set; }

    /// <summary>A key whose value is given as bytes.</summary>
    public RawGguf Key(string key, uint type, params byte[] value)
    {
        Keys++;
        Text(values, key);
        values.Write(BitConverter.GetBytes(type));
        values.Write(value);
        return this;
    }

    public RawGguf Key(string key, string value) => Key(key, 8, Bytes(value));

    public RawGguf Key(string key, uint value) => Key(key, 4, BitConverter.GetBytes(value));

    public RawGguf Key(string key, float value) => Key(key, 6, BitConverter.GetBytes(value));

    public RawGguf Key(string key, bool value) => Key(key, 7, value ? (byte)1 : (byte)0);

    public RawGguf Key(string key, IReadOnlyCollection<string> texts) =>
        Key(key, 9, [.. BitConverter.GetBytes(8u), .. BitConverter.GetBytes((ulong)texts.Count), .. texts.SelectMany(Bytes)]);

    public RawGguf Key(string key, IReadOnlyCollection<int> numbers) =>
        Key(key, 9, [.. BitConverter.GetBytes(5u), .. BitConverter.GetBytes((ulong)numbers.Count), .. numbers.SelectMany(BitConverter.GetBytes)]);

    /// <summary>A tensor; dimensions in the file's order, the last one of torch first.</summary>
    public RawGguf Tensor(string name, IReadOnlyList<ulong> dimensions, GgufType type, ReadOnlySpan<byte> bytes, ulong? offset = null)
    {
        Tensors++;
        data.SetLength((data.Length + Alignment - 1) / Alignment * Alignment);
        data.Position = data.Length;
        Text(tensors, name);
        tensors.Write(BitConverter.GetBytes(dimensions.Count));
        foreach (var size in dimensions)
            tensors.Write(BitConverter.GetBytes(size));
        tensors.Write(BitConverter.GetBytes((int)type));
        tensors.Write(BitConverter.GetBytes(offset ?? (ulong)data.Length));
        data.Write(bytes);
        return this;
    }

    public byte[] Build()
    {
        byte[] head = [.. "GGUF"u8, .. BitConverter.GetBytes(Version), .. BitConverter.GetBytes(Tensors), .. BitConverter.GetBytes(Keys), .. values.ToArray(), .. tensors.ToArray()];
        return [.. head, .. new byte[(head.Length + Alignment - 1) / Alignment * Alignment - head.Length], .. data.ToArray()];
    }

    private static byte[] Bytes(string text) => [.. BitConverter.GetBytes((ulong)Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];

    private static void Text(Stream stream, string text) => stream.Write(Bytes(text));
}
