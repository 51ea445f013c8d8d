namespace Lethe.Models.Tests.SparseAutoencoders;

/// <summary>A folder that is gone after the test.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("lethe-sae-").FullName;

    public string File(params string[] name)
    {
        var path = System.IO.Path.Combine([Path, .. name]);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        return path;
    }

    /// <summary>A copy of a fixture's folder whose files may be changed.</summary>
    public string Copy(string from, params string[] name)
    {
        var to = System.IO.Path.Combine([Path, .. name]);
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from))
            System.IO.File.Copy(file, System.IO.Path.Combine(to, System.IO.Path.GetFileName(file)));
        return to;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
