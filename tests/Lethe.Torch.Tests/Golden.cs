using System.Buffers.Binary;
using System.Text.Json;

namespace Lethe.Torch.Tests;

/// <summary>Reads the tensors of a small safetensors fixture; the real reader lives a floor higher.</summary>
internal static class Golden
{
    public static Dictionary<string, HostArray> Read(params string[] path)
    {
        var bytes = File.ReadAllBytes(Repository.Fixture(path));
        var start = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        using var header = JsonDocument.Parse(bytes.AsMemory(8, start - 8));
        return header.RootElement.EnumerateObject().Where(entry => entry.Name != "__metadata__").ToDictionary(entry => entry.Name, entry =>
        {
            var offsets = entry.Value.GetProperty("data_offsets");
            var (from, to) = (start + offsets[0].GetInt32(), start + offsets[1].GetInt32());
            var type = entry.Value.GetProperty("dtype").GetString() switch { "F32" => DType.Float32, "F64" => DType.Float64, "I64" => DType.Int64, var other => throw new NotSupportedException(other) };
            return new HostArray(type, [.. entry.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64())], bytes.AsMemory(from, to - from));
        });
    }
}
