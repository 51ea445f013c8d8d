using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>
/// The header of an .npy file: magic "\x93NUMPY", version, length, and a Python dictionary in text, for example
/// <c>{'descr': '&lt;f4', 'fortran_order': False, 'shape': (3, 4), }</c>.
/// </summary>
/// <remarks>Source: numpy/lib/format.py, versions 1.0 to 3.0. The dictionary is read by a parser for just this shape of it.</remarks>
internal sealed record NpyHeader(DType Type, bool BigEndian, bool ColumnMajor, IReadOnlyList<long> Shape)
{
    /// <summary>NumPy itself distrusts headers above 10,000 bytes.</summary>
    private const int MaxHeaderBytes = 65_535;

    /// <summary>NumPy 2's limit on dimensions.</summary>
    private const int MaxDimensions = 64;

    /// <summary>NumPy leaves room so that a first dimension of this many digits can be written in place.</summary>
    private const int GrowthDigits = 21;

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    private static readonly Dictionary<string, DType> Types = new(StringComparer.Ordinal)
    {
        ["f2"] = DType.Float16, ["f4"] = DType.Float32, ["f8"] = DType.Float64, ["i1"] = DType.Int8, ["i2"] = DType.Int16,
        ["i4"] = DType.Int32, ["i8"] = DType.Int64, ["u1"] = DType.UInt8, ["b1"] = DType.Bool,
    };

    /// <summary>Reads a header.</summary>
    /// <param name="file">Name for errors.</param>
    /// <param name="bytes">The .npy content.</param>
    /// <param name="dataStart">Where the elements begin.</param>
    public static NpyHeader Parse(string file, ReadOnlySpan<byte> bytes, out int dataStart)
    {
        if (bytes.Length < 8 || !bytes.StartsWith(Magic))
            throw InputFile.Refuse(file, "is no NumPy array: it does not begin with the bytes 93 'NUMPY'.");
        var version = bytes[6];
        if (version is < 1 or > 3)
            throw InputFile.Refuse(file, $"has the format version {version}.{bytes[7]}; versions 1 to 3 are known.");
        var prefix = version == 1 ? 10 : 12;
        if (bytes.Length < prefix)
            throw InputFile.Refuse(file, "ends within its header; it is truncated.");
        var length = version == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]) : BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        if (length > MaxHeaderBytes || length > bytes.Length - prefix)
            throw InputFile.Refuse(file, $"has a header of {length} bytes at byte {prefix}; {bytes.Length - prefix} bytes follow and at most {MaxHeaderBytes} are allowed.");
        dataStart = prefix + (int)length;
        var text = (version == 3 ? Encoding.UTF8 : Encoding.Latin1).GetString(bytes[prefix..dataStart]);
        return new Parser(file, text).Parse();
    }

    /// <summary>A header of version 1.0, as NumPy writes it.</summary>
    public static byte[] Format(string name, DType type, IReadOnlyList<long> shape)
    {
        var code = Types.FirstOrDefault(pair => pair.Value == type).Key
            ?? throw new UsageException($"Array '{name}' is {type}, which NumPy files cannot hold; convert it to Float32 first.");
        if (shape.Count > MaxDimensions)
            throw new UsageException($"Array '{name}' has {shape.Count} dimensions; NumPy files hold at most {MaxDimensions}.");
        var tuple = shape.Count == 1 ? $"({shape[0]},)" : $"({string.Join(", ", shape)})";
        var text = $"{{'descr': '{(type.Size() == 1 ? '|' : '<')}{code}', 'fortran_order': False, 'shape': {tuple}, }}";
        if (shape.Count > 0)
            text += new string(' ', GrowthDigits - shape[0].ToString(CultureInfo.InvariantCulture).Length);
        // The elements begin on a multiple of 64 bytes; the last byte of the header is a line feed.
        var total = (10 + text.Length + 1 + 63) / 64 * 64;
        var bytes = new byte[total];
        Magic.CopyTo(bytes);
        bytes[6] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(8), (ushort)(total - 10));
        bytes.AsSpan(10).Fill((byte)' ');
        Encoding.ASCII.GetBytes(text, bytes.AsSpan(10));
        bytes[^1] = (byte)'\n';
        return bytes;
    }

    private sealed class Parser(string file, string text)
    {
        private int position;

        public NpyHeader Parse()
        {
            (DType Type, bool BigEndian)? type = null;
            bool? columnMajor = null;
            List<long>? shape = null;
            Expect('{');
            while (!Accept('}'))
            {
                var key = Text();
                Expect(':');
                switch (key)
                {
                    case "descr" when type is null:
                        type = Type();
                        break;
                    case "fortran_order" when columnMajor is null:
                        columnMajor = Truth();
                        break;
                    case "shape" when shape is null:
                        shape = Shape();
                        break;
                    default:
                        throw Wrong($"the header has '{key}' {(key is "descr" or "fortran_order" or "shape" ? "twice" : "; it may have descr, fortran_order and shape only")}");
                }
                if (!Accept(','))
                {
                    Expect('}');
                    break;
                }
            }
            SkipSpace();
            if (position < text.Length)
                throw Wrong("something follows the header's dictionary");
            return type is { } t && columnMajor is { } order && shape is not null
                ? new NpyHeader(t.Type, t.BigEndian, order, shape)
                : throw Wrong("the header lacks descr, fortran_order or shape");
        }

        private (DType, bool) Type()
        {
            SkipSpace();
            if (position < text.Length && text[position] == '[')
                throw Wrong("the array has named fields; Lethe reads plain arrays of numbers");
            var code = Text();
            var kind = code.TrimStart('<', '>', '|', '=');
            if (code.Length - kind.Length != 1 || !Types.TryGetValue(kind, out var type))
                throw Wrong(kind.StartsWith('O')
                    ? "the array holds Python objects, which are programs; Lethe reads plain arrays of numbers"
                    : $"the element type '{code}' is not one of {string.Join(", ", Types.Keys)}");
            return (type, code[0] == '>' && type.Size() > 1);
        }

        private bool Truth()
        {
            SkipSpace();
            foreach (var (word, value) in new[] { ("True", true), ("False", false) })
                if (string.CompareOrdinal(text, position, word, 0, word.Length) == 0)
                {
                    position += word.Length;
                    return value;
                }
            throw Wrong("fortran_order must be True or False");
        }

        private List<long> Shape()
        {
            var shape = new List<long>();
            Expect('(');
            while (!Accept(')'))
            {
                SkipSpace();
                var start = position;
                while (position < text.Length && char.IsAsciiDigit(text[position]))
                    position++;
                if (!long.TryParse(text.AsSpan(start, position - start), NumberStyles.None, CultureInfo.InvariantCulture, out var size))
                    throw Wrong("the shape must be a tuple of whole numbers from 0 to 2^63-1");
                // Python 2 wrote long numbers as 3L.
                if (position < text.Length && text[position] == 'L')
                    position++;
                shape.Add(size);
                if (shape.Count > MaxDimensions)
                    throw Wrong($"the shape has more than {MaxDimensions} dimensions");
                if (!Accept(','))
                {
                    Expect(')');
                    break;
                }
            }
            return shape;
        }

        private string Text()
        {
            SkipSpace();
            var quote = position < text.Length ? text[position] : '\0';
            var end = quote is '\'' or '"' ? text.IndexOf(quote, position + 1) : -1;
            if (end < 0)
                throw Wrong("a text in quotes is needed");
            var value = text[(position + 1)..end];
            position = end + 1;
            return value;
        }

        private bool Accept(char letter)
        {
            SkipSpace();
            if (position >= text.Length || text[position] != letter)
                return false;
            position++;
            return true;
        }

        private void Expect(char letter)
        {
            if (!Accept(letter))
                throw Wrong($"'{letter}' is needed");
        }

        private void SkipSpace()
        {
            while (position < text.Length && text[position] is ' ' or '\t' or '\n' or '\r')
                position++;
        }

        private BadInputException Wrong(string what) => InputFile.Refuse(file, $"{what}, at letter {position} of the header.");
    }
}
