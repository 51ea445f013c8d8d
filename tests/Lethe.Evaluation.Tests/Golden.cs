using System.Runtime.InteropServices;
using System.Text.Json;
using Lethe.Evaluation.Features;
using Lethe.Formats;
using Lethe.Torch;

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

    /// <summary>One float64 matrix of features.safetensors.</summary>
    public static JudgeFeatures Features(string name)
    {
        using var file = SafetensorsFile.Open(Repository.Fixture("metrics", "features.safetensors"));
        var array = file.Read(name);
        Assert.Equal(DType.Float64, array.Type);
        return JudgeFeatures.FromRows(MemoryMarshal.Cast<byte, double>(array.Bytes.Span).ToArray(), (int)array.Shape[1]);
    }
}

/// <summary>Seeded random numbers for tests.</summary>
internal static class Draw
{
    public static double Normal(this Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    public static double[] Normals(this Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.Normal())];
}
