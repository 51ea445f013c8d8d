using System.Runtime.InteropServices;

namespace Lethe.Formats.Tests;

internal static class Make
{
    public static HostArray Floats(IReadOnlyList<long> shape, params float[] values) => new(DType.Float32, shape, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());

    public static KeyValuePair<string, HostArray> Named(string name, HostArray array) => new(name, array);

    public static HostArray Bytes(IReadOnlyList<long> shape, params byte[] values) => new(DType.UInt8, shape, values);

    /// <summary>An array of the type with bytes 0, 1, 2, …; bools alternate.</summary>
    public static HostArray Counting(DType type, params long[] shape)
    {
        var bytes = new byte[shape.Aggregate((long)type.Size(), (product, size) => product * size)];
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = (byte)(type == DType.Bool ? i % 2 : i);
        return new HostArray(type, shape, bytes);
    }
}

internal static class Check
{
    public static void Same(HostArray expected, HostArray actual)
    {
        Assert.Equal(expected.Type, actual.Type);
        Assert.Equal(expected.Shape, actual.Shape);
        Assert.Equal(expected.Bytes.ToArray(), actual.Bytes.ToArray());
    }

    public static float[] Floats(HostArray array)
    {
        Assert.Equal(DType.Float32, array.Type);
        return MemoryMarshal.Cast<byte, float>(array.Bytes.Span).ToArray();
    }

    /// <summary>The action is refused as bad input, with all of these words in the message.</summary>
    public static void Refused(Action action, params string[] words)
    {
        var message = Assert.Throws<BadInputException>(action).Message;
        Assert.All(words, word => Assert.Contains(word, message, StringComparison.Ordinal));
    }
}
