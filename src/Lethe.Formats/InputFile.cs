using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>Opens files that others wrote; whatever goes wrong becomes a <see cref="BadInputException"/> that names the file.</summary>
internal static class InputFile
{
    /// <summary>Longer messages hold something that a hostile file made long.</summary>
    private const int MaxMessage = 1000;

    /// <summary>An error about a file: its name, then one sentence. What the file put into it cannot flood or steer a terminal.</summary>
    public static BadInputException Refuse(string file, string why, Exception? inner = null)
    {
        var message = why.Length > MaxMessage ? why[..MaxMessage] + " …" : why;
        return new BadInputException($"{file}: {string.Concat(message.Select(letter => char.IsControl(letter) ? '\uFFFD' : letter))}", inner);
    }

    public static FileStream Open(string path)
    {
        try
        {
            var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (stream.CanSeek)
                return stream;
            stream.Dispose();
            throw Refuse(path, "is a pipe or a device; save it as a file first.");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Refuse(path, "there is no such file.", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw Refuse(path, Directory.Exists(path) ? "is a folder, where a file is needed." : "may not be read; give yourself permission to read it.", e);
        }
        catch (Exception e) when (e is IOException or ArgumentException or NotSupportedException)
        {
            throw Refuse(path, $"cannot be opened: {e.Message}", e);
        }
    }

    /// <summary>Runs a reader over an opened file and turns errors of the disk into a refusal.</summary>
    public static T Read<T>(string path, Func<FileStream, T> read)
    {
        using var stream = Open(path);
        try
        {
            return read(stream);
        }
        catch (IOException e)
        {
            throw Refuse(path, $"cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The whole file, which may hold at most <paramref name="limit"/> bytes.</summary>
    public static byte[] ReadAll(string path, long limit) => Read(path, stream =>
    {
        if (stream.Length > limit)
            throw Refuse(path, $"has {stream.Length} bytes; at most {limit} are allowed for a file of this kind.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    });
}
