using System.Buffers.Binary;
using System.Text;

namespace Lethe.Formats.Tests.Safetensors;

/// <summary>Puts safetensors files together byte by byte, good or bad.</summary>
internal static class Raw
{
    public static byte[] File(string json, int dataBytes) => File(Encoding.UTF8.GetBytes(json), dataBytes);

    public static byte[] File(byte[] json, int dataBytes)
    {
        var bytes = new byte[8 + json.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, json.Length);
        json.CopyTo(bytes, 8);
        for (var i = 0; i < dataBytes; i++)
            bytes[8 + json.Length + i] = (byte)(i & 1);
        return bytes;
    }

    public static string Tensor(string name, string type, string shape, long begin, long end) =>
        $"\"{name}\":{{\"dtype\":\"{type}\",\"shape\":{shape},\"data_offsets\":[{begin},{end}]}}";
}
