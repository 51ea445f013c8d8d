namespace Lethe.Runs.Language;

/// <summary>What a language model or an autoencoder is known by to stages: wherever its files lie, the same files have the same digest.</summary>
internal static class LanguageModelDigest
{
    /// <summary>SHA-256 over all files of a folder, or of the file.</summary>
    public static string Of(string path) => Directory.Exists(path)
        ? CanonicalJson.Digest(FolderTree.Files(path).Select(file => new[] { file, FolderTree.Sha256(Path.Combine(path, file)) }))
        : FolderTree.Sha256(path);

    /// <summary>SHA-256 over the weights of a folder.</summary>
    public static string OfWeights(string folder) =>
        CanonicalJson.Digest(FolderTree.Files(folder).Where(file => file.EndsWith(".safetensors", StringComparison.Ordinal)).Select(file => new[] { file, FolderTree.Sha256(Path.Combine(folder, file)) }));
}
