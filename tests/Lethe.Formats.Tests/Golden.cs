using System.Text.Json;

namespace Lethe.Formats.Tests;

/// <summary>What the reference libraries made of a fixture: golden.json beside it.</summary>
internal static class Golden
{
    public static JsonElement Read(string folder) => JsonDocument.Parse(File.ReadAllBytes(Repository.Fixture(folder, "golden.json"))).RootElement;

    public static byte[] Bytes(this JsonElement element, string name) => Convert.FromHexString(element.GetProperty(name).GetString()!);

    public static int Int(this JsonElement element, string name) => element.GetProperty(name).GetInt32();
}
