using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using Lethe.Evaluation.Features;

namespace Lethe.Evaluation.Tests;

/// <summary>Golden values of tests/Fixtures/metrics, from scipy, statsmodels and the published definitions.</summary>
internal static class Golden
{
    private static readonly JsonElement Root = Read("golden.json");

    public static JsonElement Read(string file) => JsonDocument.Parse(File.ReadAllText(Repository.Fixture("metrics", file))).RootElement;

    public static JsonElement Of(string name) => Root.GetProperty(name);

    public static double Number(this JsonElement element, string name) => element.GetProperty(name).GetDouble();

    public static double[] Numbers(this JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(value => value.GetDouble())];

    public static bool[] Flags(this JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(value => value.GetInt32() == 1)];

    /// <summary>Agreement within 1e-6 of the expected value, the bound of the fixtures.</summary>
    public static void Close(double expected, double actual, double tolerance = 1e-6) =>
        Assert.True(Math.Abs(expected - actual) <= tolerance * Math.Max(Math.Abs(expected), 1e-9), FormattableString.Invariant($"expected {expected:R}, got {actual:R}"));

    /// <summary>One float64 matrix of features.safetensors, read here in the plainest way.</summary>
    public static JudgeFeatures Features(string name)
    {
        var bytes = File.ReadAllBytes(Repository.Fixture("metrics", "features.safetensors"));
        var header = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        var entry = JsonDocument.Parse(bytes.AsMemory(8, header)).RootElement.GetProperty(name);
        Assert.Equal("F64", entry.GetProperty("dtype").GetString());
        var offsets = entry.GetProperty("data_offsets").EnumerateArray().Select(offset => offset.GetInt32()).ToArray();
        var values = MemoryMarshal.Cast<byte, double>(bytes.AsSpan(8 + header + offsets[0], offsets[1] - offsets[0])).ToArray();
        return JudgeFeatures.FromRows(values, entry.GetProperty("shape")[1].GetInt32());
    }
}

/// <summary>Seeded random numbers for tests.</summary>
internal static class Draw
{
    public static double Normal(this Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    public static double[] Normals(this Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.Normal())];
}
