using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Lethe.Runs;

/// <summary>
/// metrics.jsonl: the lines of the run's stages in the order in which they run. After a kill the file may hold more than the run has
/// reached, or half a line. So writing walks along what is there: a line that is there already is passed over, and at the first that
/// differs the rest is cut off. Whatever happened before, the file ends as if nothing had.
/// </summary>
public sealed class MetricsLog : IDisposable
{
    private static readonly JsonWriterOptions Compact = new() { Indented = false, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly FileStream file;
    private readonly TimeProvider time;
    private long length;
    private long cursor;
    private long sectionStart;
    private string stage = "";
    private long flushed;

    /// <summary>Opens the file, creating it where it is missing.</summary>
    /// <param name="path">The file.</param>
    /// <param name="time">Clock; lines reach the file at least every second, for whoever watches it.</param>
    public MetricsLog(string path, TimeProvider time)
    {
        file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete, 1 << 14);
        length = file.Length;
        this.time = time;
        flushed = time.GetTimestamp();
    }

    /// <summary>Begins the lines of a stage.</summary>
    public void Begin(string name)
    {
        stage = name;
        sectionStart = cursor;
    }

    /// <summary>Writes a line: {"stage":…,"loop":…,"step":…, then the values in their order}; a value that is not finite is written as null.</summary>
    /// <param name="loop">Which of the stage's loops; null (and left out) if it has one only.</param>
    /// <param name="step">The step.</param>
    /// <param name="values">What was measured.</param>
    public void Write(string? loop, long step, IReadOnlyList<(string Name, double Value)> values)
    {
        var line = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(line, Compact))
        {
            json.WriteStartObject();
            json.WriteString("stage", stage);
            if (loop is not null)
                json.WriteString("loop", loop);
            json.WriteNumber("step", step);
            foreach (var (name, value) in values)
            {
                if (name is "stage" or "loop" or "step")
                    throw new ArgumentException($"a measured value cannot be called '{name}': every line of metrics.jsonl has that key.");
                if (double.IsFinite(value))
                    json.WriteNumber(name, value);
                else
                    json.WriteNull(name);
            }
            json.WriteEndObject();
        }
        line.Write("\n"u8);
        Put(line.WrittenSpan);
        if (time.GetElapsedTime(flushed) >= TimeSpan.FromSeconds(1))
            Flush(toDisk: false);
    }

    /// <summary>Writes lines that a stage wrote in an earlier run.</summary>
    public void Copy(byte[] lines) => Put(lines);

    /// <summary>Passes over the lines of a loop up to a step, which a checkpoint has brought back.</summary>
    public void Keep(string? loop, long step)
    {
        while (NextLine() is { } line && Belongs(line, loop, step))
            cursor += line.Length;
    }

    /// <summary>Ends the lines of a stage: cuts off what an earlier attempt wrote beyond them, if it is of the same stage.</summary>
    /// <returns>The stage's lines.</returns>
    public byte[] End()
    {
        if (NextLine() is { } line && Belongs(line, null, long.MaxValue, anyLoop: true))
            Cut();
        var lines = new byte[cursor - sectionStart];
        file.Position = sectionStart;
        file.ReadExactly(lines);
        return lines;
    }

    /// <summary>Ends the file here: what follows belongs to nothing that this run does.</summary>
    public void Cut()
    {
        file.SetLength(cursor);
        length = cursor;
    }

    /// <summary>Brings everything written into the file.</summary>
    /// <param name="toDisk">And onto the disk, so that it outlives a power cut.</param>
    public void Flush(bool toDisk)
    {
        file.Flush(toDisk);
        flushed = time.GetTimestamp();
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private void Put(ReadOnlySpan<byte> bytes)
    {
        if (cursor < length)
        {
            var there = new byte[Math.Min(bytes.Length, length - cursor)];
            file.Position = cursor;
            file.ReadExactly(there);
            if (bytes.SequenceEqual(there))
            {
                cursor += bytes.Length;
                return;
            }
            Cut();
        }
        // Moving a stream empties its buffer, so it is moved only where it must be.
        if (file.Position != cursor)
            file.Position = cursor;
        file.Write(bytes);
        length = cursor += bytes.Length;
    }

    /// <summary>The line at the cursor with its end; null if there is none or only a part of one.</summary>
    private byte[]? NextLine()
    {
        if (cursor >= length)
            return null;
        file.Position = cursor;
        var line = new ArrayBufferWriter<byte>(256);
        for (var next = file.ReadByte(); next >= 0; next = file.ReadByte())
        {
            line.Write([(byte)next]);
            if (next == '\n')
                return line.WrittenSpan.ToArray();
        }
        return null;
    }

    private bool Belongs(byte[] line, string? loop, long step, bool anyLoop = false)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            return root.GetProperty("stage").GetString() == stage
                && (anyLoop || (root.TryGetProperty("loop", out var written) ? written.GetString() : null) == loop)
                && root.GetProperty("step").GetInt64() <= step;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return false;
        }
    }
}
