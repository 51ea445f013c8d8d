using System.Text.Json;

namespace Lethe.Runs.Language;

/// <summary>Tells language models from other models, by their files alone.</summary>
public static class LanguageModelPath
{
    /// <summary>
    /// The language model that a path names: a .gguf or llama2.c .bin file, a folder that holds one GGUF file or a config.json with a model_type, or a run whose folder "model" is one; null where it names
    /// something else, or nothing. Nothing is checked beyond that.
    /// </summary>
    public static string? Find(string path)
    {
        if (File.Exists(path))
            return Path.GetExtension(path).ToLowerInvariant() is ".gguf" or ".bin" ? path : null;
        if (!Directory.Exists(path))
            return null;
        var model = Path.Combine(path, "model");
        return Holds(path) ? path : Directory.Exists(model) && Holds(model) ? model : null;
    }

    private static bool Holds(string folder)
    {
        var configuration = Path.Combine(folder, "config.json");
        if (!File.Exists(configuration))
            return Directory.EnumerateFiles(folder, "*.gguf").Any();
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(configuration));
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("model_type", out _);
        }
        catch (JsonException)
        {
            // Whoever opens it says what is wrong with it.
            return true;
        }
    }
}
