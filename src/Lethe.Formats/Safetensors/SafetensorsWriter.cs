using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>
/// Writes safetensors files byte for byte as the reference writer does: types of larger alignment first, then by name; the header padded
/// with spaces so that the data begin on an 8-byte boundary.
/// </summary>
/// <remarks>Source: huggingface/safetensors, tensor.rs at 24b0b28, prepare. Its metadata come in no particular order; here in the order given.</remarks>
public static class SafetensorsWriter
{
    /// <summary>What is written where no metadata are given; older transformers refuse files without it.</summary>
    public static IReadOnlyDictionary<string, string> DefaultMetadata { get; } = new Dictionary<string, string> { ["format"] = "pt" };

    /// <summary>Writes a file; tensors are streamed, one at a time.</summary>
    /// <param name="path">Where the file goes; see <see cref="AtomicFile.Write"/>.</param>
    /// <param name="tensors">What it holds; names are unique.</param>
    /// <param name="metadata">Texts by key, exactly these; by default <see cref="DefaultMetadata"/>, which others should include.</param>
    /// <exception cref="ArgumentException">Two tensors or two metadata have the same name, a name is no valid text, or the header would exceed 100 MB.</exception>
    /// <exception cref="UsageException">The place cannot be written, or this process has the file mapped.</exception>
    public static void Write(string path, IEnumerable<SafetensorsItem> tensors, IEnumerable<KeyValuePair<string, string>>? metadata = null)
    {
        var ordered = tensors.Order(ReferenceOrder).ToList();
        if (ordered.CountBy(item => item.Name).FirstOrDefault(pair => pair.Value > 1).Key is { } name)
            throw new ArgumentException($"Two tensors are named '{name}'; names in a safetensors file are unique.", nameof(tensors));
        var header = Header(ordered, metadata ?? DefaultMetadata);
        var length = header.Length + ordered.Sum(item => item.Length);
        AtomicFile.Write(path, stream =>
        {
            stream.Write(header);
            foreach (var item in ordered)
                item.WriteTo(stream);
        }, length);
    }

    /// <summary>Writes arrays from memory; see the other overload.</summary>
    /// <exception cref="ArgumentException">An array's bytes are not as many as its shape says.</exception>
    /// <exception cref="UsageException">The place cannot be written, or this process has the file mapped.</exception>
    public static void Write(string path, IEnumerable<KeyValuePair<string, HostArray>> tensors, IEnumerable<KeyValuePair<string, string>>? metadata = null) =>
        Write(path, tensors.Select(tensor => SafetensorsItem.From(tensor.Key, tensor.Value)), metadata);

    private static readonly Comparer<SafetensorsItem> ReferenceOrder = Comparer<SafetensorsItem>.Create((left, right) =>
        left.Type.Rank != right.Type.Rank ? right.Type.Rank.CompareTo(left.Type.Rank) : CompareUtf8(left.Name, right.Name));

    /// <summary>By code points, as the reference writer compares; UTF-16 order differs beyond the basic plane.</summary>
    private static int CompareUtf8(string left, string right)
    {
        var i = 0;
        while (i < left.Length && i < right.Length && left[i] == right[i])
            i++;
        if (i == left.Length || i == right.Length)
            return left.Length.CompareTo(right.Length);
        var (a, b) = (left[i], right[i]);
        return char.IsSurrogate(a) == char.IsSurrogate(b) ? a.CompareTo(b) : char.IsSurrogate(a) ? 1 : -1;
    }

    private static byte[] Header(List<SafetensorsItem> ordered, IEnumerable<KeyValuePair<string, string>> metadata)
    {
        var json = new StringBuilder("{");
        var texts = metadata.ToList();
        if (texts.CountBy(text => text.Key).FirstOrDefault(pair => pair.Value > 1).Key is { } key)
            throw new ArgumentException($"The metadata have the key '{key}' twice.", nameof(metadata));
        if (texts.Count > 0)
        {
            json.Append("\"__metadata__\":{");
            for (var i = 0; i < texts.Count; i++)
            {
                if (i > 0)
                    json.Append(',');
                AppendText(json, texts[i].Key);
                json.Append(':');
                AppendText(json, texts[i].Value);
            }
            json.Append('}');
        }
        var begin = 0L;
        foreach (var item in ordered)
        {
            if (json.Length > 1)
                json.Append(',');
            AppendText(json, item.Name);
            json.Append(CultureInfo.InvariantCulture, $":{{\"dtype\":\"{item.TypeName}\",\"shape\":[").AppendJoin(',', item.Shape)
                .Append(CultureInfo.InvariantCulture, $"],\"data_offsets\":[{begin},{begin + item.Length}]}}");
            begin = checked(begin + item.Length);
        }
        json.Append('}');
        var strict = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
        var text = strict.GetBytes(json.ToString());
        var padded = (text.Length + 7) / 8 * 8;
        if (padded > SafetensorsHeader.MaxHeaderBytes)
            throw new ArgumentException($"The header would take {padded} bytes; readers accept at most {SafetensorsHeader.MaxHeaderBytes}.");
        var bytes = new byte[8 + padded];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, padded);
        text.CopyTo(bytes, 8);
        bytes.AsSpan(8 + text.Length).Fill((byte)' ');
        return bytes;
    }

    /// <summary>Escapes what serde_json escapes and nothing else, so that files are the same byte for byte.</summary>
    private static void AppendText(StringBuilder json, string text)
    {
        json.Append('"');
        foreach (var letter in text)
            _ = letter switch
            {
                '"' => json.Append("\\\""),
                '\\' => json.Append("\\\\"),
                '\b' => json.Append("\\b"),
                '\f' => json.Append("\\f"),
                '\n' => json.Append("\\n"),
                '\r' => json.Append("\\r"),
                '\t' => json.Append("\\t"),
                < ' ' => json.Append(CultureInfo.InvariantCulture, $"\\u{(int)letter:x4}"),
                _ => json.Append(letter),
            };
        json.Append('"');
    }
}
