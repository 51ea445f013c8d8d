using System.Buffers.Binary;
using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>One NumPy array in a file of its own (.npy). Arrays in column-major or big-endian order come out row-major and little-endian.</summary>
public static class NpyFile
{
    /// <summary>Reads a file.</summary>
    /// <exception cref="BadInputException">The file is missing, is no array of numbers, or is shorter or longer than its header says.</exception>
    public static HostArray Read(string path) => Parse(path, "", InputFile.ReadAll(path, ElementChecks.MaxArrayBytes));

    /// <summary>Writes a file, byte for byte as NumPy does.</summary>
    /// <exception cref="UsageException">The type is BFloat16, which NumPy does not know, or the place cannot be written.</exception>
    public static void Write(string path, HostArray array) => AtomicFile.Write(path, stream => Write(stream, path, array));

    internal static void Write(Stream stream, string name, HostArray array)
    {
        if (ElementChecks.ByteLength(array.Shape, array.Type.Size()) != array.Bytes.Length)
            throw new ArgumentException($"Array '{name}' is {array.Type} {ElementChecks.Show(array.Shape)} but holds {array.Bytes.Length} bytes.", nameof(array));
        stream.Write(NpyHeader.Format(name, array.Type, array.Shape));
        stream.Write(array.Bytes.Span);
    }

    /// <param name="file">Name for errors.</param>
    /// <param name="name">The array's name within the file; empty where it has none.</param>
    /// <param name="bytes">The .npy content; becomes the array's own.</param>
    internal static HostArray Parse(string file, string name, byte[] bytes)
    {
        var where = name.Length == 0 ? file : $"{file}: array '{name}'";
        var header = NpyHeader.Parse(where, bytes, out var start);
        var size = header.Type.Size();
        var length = ElementChecks.ByteLength(header.Shape, size);
        if (length != bytes.Length - start)
            throw InputFile.Refuse(where, $"has the shape {ElementChecks.Show(header.Shape)} of {header.Type}, which takes {(length is null ? "more than 2^63" : length)} bytes, but {bytes.Length - start} follow the header.");
        var elements = bytes.AsMemory(start);
        if (header.BigEndian)
            SwapBytes(elements.Span, size);
        ElementChecks.Check(file, name, header.Type, elements.Span);
        return new HostArray(header.Type, header.Shape, header.ColumnMajor && header.Shape.Count > 1
            ? Strided.ToRowMajor(elements.Span, size, header.Shape, Strided.ColumnMajor(header.Shape), 0)
            : elements);
    }

    /// <summary>Turns big-endian elements into little-endian ones, in place.</summary>
    internal static void SwapBytes(Span<byte> bytes, int elementSize)
    {
        for (var i = 0; i < bytes.Length; i += elementSize)
            bytes.Slice(i, elementSize).Reverse();
    }
}
