using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Lethe.Torch;
using Microsoft.Win32.SafeHandles;

namespace Lethe.Models.Language.Training;

/// <summary>
/// Documents as token ids, one behind the other, with the boundaries between them known; in memory, or in a file of which only what is asked for is read. What is
/// done with rows of it is <see cref="PackedRows"/>'s matter.
/// </summary>
/// <remarks>
/// The file, little-endian: "LETHETOK", version 1, bytes an id (2 or 4), vocabulary, BOS or −1 (int32 each), documents, tokens, bytes of text (int64 each), then the ids, then the length of each
/// document in tokens (int32). <see cref="TokenCorpusWriter"/> writes it. Safe for several threads until it is disposed.
/// </remarks>
public sealed class TokenCorpus : IDisposable
{
    internal const int HeaderBytes = 48;

    internal static ReadOnlySpan<byte> Magic => "LETHETOK"u8;

    private readonly SafeFileHandle? file;
    private readonly int[]? memory;
    private readonly string name;
    private readonly int width;
    private readonly long[] starts; // documents + 1 entries

    private TokenCorpus(string name, SafeFileHandle? file, int[]? memory, int width, long[] starts, int vocabularySize, int? bos, long textBytes)
    {
        (this.name, this.file, this.memory, this.width, this.starts) = (name, file, memory, width, starts);
        (VocabularySize, Bos, TextBytes) = (vocabularySize, bos, textBytes);
    }

    /// <summary>Number of documents.</summary>
    public int Documents => starts.Length - 1;

    /// <summary>Number of tokens, those that begin and end documents included.</summary>
    public long Tokens => starts[^1];

    /// <summary>Ids are below this.</summary>
    public int VocabularySize { get; }

    /// <summary>The token that every document begins with; null where none is put there.</summary>
    public int? Bos { get; }

    /// <summary>UTF-8 bytes of the documents' text, for figures that do not depend on a tokenizer.</summary>
    public long TextBytes { get; }

    /// <summary>A corpus in memory.</summary>
    /// <param name="documents">Token ids of each document, at least one each, with what begins and ends it.</param>
    /// <param name="vocabularySize">All ids are below this.</param>
    /// <param name="bos">The token that every document begins with; null for none.</param>
    /// <param name="textBytes">UTF-8 bytes of the text; 0 where nobody asks.</param>
    public static TokenCorpus From(IEnumerable<int[]> documents, int vocabularySize, int? bos = null, long textBytes = 0)
    {
        var ids = new List<int>();
        var starts = new List<long> { 0 };
        foreach (var document in documents)
        {
            CheckDocument(document, vocabularySize, bos);
            ids.AddRange(document);
            starts.Add(ids.Count);
        }
        return new TokenCorpus("the corpus", null, [.. ids], 4, [.. starts], vocabularySize, bos, textBytes);
    }

    /// <summary>Opens a file.</summary>
    /// <param name="path">What <see cref="TokenCorpusWriter"/> wrote.</param>
    /// <exception cref="BadInputException">There is no such file, or it is damaged.</exception>
    public static TokenCorpus Open(string path)
    {
        SafeFileHandle file;
        try
        {
            file = File.OpenHandle(path, options: FileOptions.RandomAccess);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{path}: the corpus of tokens cannot be opened: {e.Message}", e);
        }
        try
        {
            return Read(path, file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Where a document's tokens lie.</summary>
    /// <param name="document">Its number, 0 to <see cref="Documents"/> − 1.</param>
    public (long Start, int Length) Range(int document) => (starts[document], (int)(starts[document + 1] - starts[document]));

    /// <summary>A document's token ids.</summary>
    /// <param name="document">Its number, 0 to <see cref="Documents"/> − 1.</param>
    public int[] Document(int document)
    {
        var (start, length) = Range(document);
        var ids = new int[length];
        Read(start, ids);
        return ids;
    }

    /// <summary>Tokens one behind the other, across documents.</summary>
    /// <param name="start">The first.</param>
    /// <param name="ids">As many as it holds.</param>
    /// <exception cref="ArgumentOutOfRangeException">They lie outside the corpus.</exception>
    /// <exception cref="BadInputException">The file is damaged or cannot be read.</exception>
    public void Read(long start, Span<int> ids)
    {
        if (start < 0 || start + ids.Length > Tokens)
            throw new ArgumentOutOfRangeException(nameof(start), $"{start} + {ids.Length}", $"the corpus has {Tokens} tokens");
        if (memory is not null)
        {
            memory.AsSpan((int)start, ids.Length).CopyTo(ids);
            return;
        }
        if (width == 4)
        {
            Fill(MemoryMarshal.AsBytes(ids), HeaderBytes + 4 * start);
        }
        else
        {
            Span<ushort> narrow = ids.Length <= 4096 ? stackalloc ushort[ids.Length] : new ushort[ids.Length];
            Fill(MemoryMarshal.AsBytes(narrow), HeaderBytes + 2 * start);
            for (var k = 0; k < ids.Length; k++)
                ids[k] = narrow[k];
        }
        foreach (var id in ids)
            if (id < 0 || id >= VocabularySize)
                throw new BadInputException($"{name}: holds the token {id}; its vocabulary has {VocabularySize}. The file is damaged.");
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => file?.Dispose();

    /// <summary>A document has tokens, all within the vocabulary, and begins as the corpus says.</summary>
    internal static void CheckDocument(ReadOnlySpan<int> ids, int vocabularySize, int? bos)
    {
        if (ids.Length == 0)
            throw new ArgumentException("A document has at least one token.", nameof(ids));
        if (bos is { } begin && ids[0] != begin)
            throw new ArgumentException($"Every document of this corpus begins with the token {begin}, not {ids[0]}.", nameof(ids));
        foreach (var id in ids)
            if (id < 0 || id >= vocabularySize)
                throw new ArgumentException($"The vocabulary has {vocabularySize} tokens; there is no {id}.", nameof(ids));
    }

    private static TokenCorpus Read(string path, SafeFileHandle file)
    {
        BadInputException Damaged(string why) => new($"{path}: is no whole corpus of tokens: {why}.");
        Span<byte> header = stackalloc byte[HeaderBytes];
        var length = RandomAccess.GetLength(file);
        if (length < HeaderBytes || RandomAccess.Read(file, header, 0) < HeaderBytes || !header.StartsWith(Magic))
            throw Damaged("it does not begin with LETHETOK");
        int Int(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]);
        long Long(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);
        var (version, width, vocabulary, bos) = (Int(header, 8), Int(header, 12), Int(header, 16), Int(header, 20));
        var (documents, tokens, textBytes) = (Long(header, 24), Long(header, 32), Long(header, 40));
        if (version != 1)
            throw Damaged($"its version is {version}, and 1 is known");
        if (width is not (2 or 4) || vocabulary < 1 || bos < -1 || bos >= vocabulary || textBytes < 0)
            throw Damaged("its header holds values that cannot be");
        // Each is bounded by the file's length before anything is allocated or multiplied.
        if (documents < 0 || tokens < 0 || documents > length || tokens > length || HeaderBytes + tokens * width + documents * 4 != length)
            throw Damaged($"{tokens} tokens of {documents} documents do not make its {length} bytes");
        var lengths = new int[documents];
        if (ReadAll(file, MemoryMarshal.AsBytes(lengths.AsSpan()), HeaderBytes + tokens * width) is false)
            throw Damaged("it ends early");
        var starts = new long[documents + 1];
        for (var k = 0; k < lengths.Length; k++)
            starts[k + 1] = lengths[k] > 0 ? starts[k] + lengths[k] : throw Damaged($"document {k} has {lengths[k]} tokens");
        if (starts[^1] != tokens)
            throw Damaged($"its documents have {starts[^1]} tokens together, not {tokens}");
        return new TokenCorpus(path, file, null, width, starts, vocabulary, bos < 0 ? null : bos, textBytes);
    }

    private void Fill(Span<byte> bytes, long offset)
    {
        try
        {
            if (!ReadAll(file!, bytes, offset))
                throw new BadInputException($"{name}: ends early; it was changed while it was read.");
        }
        catch (IOException e)
        {
            throw new BadInputException($"{name}: cannot be read: {e.Message}", e);
        }
    }

    private static bool ReadAll(SafeFileHandle file, Span<byte> bytes, long offset)
    {
        while (bytes.Length > 0)
        {
            var read = RandomAccess.Read(file, bytes, offset);
            if (read == 0)
                return false;
            bytes = bytes[read..];
            offset += read;
        }
        return true;
    }
}

/// <summary>Writes a <see cref="TokenCorpus"/> document by document; nothing but the documents' lengths is kept in memory.</summary>
public sealed class TokenCorpusWriter : IDisposable
{
    private readonly FileStream file;
    private readonly int vocabularySize, width;
    private readonly int? bos;
    private readonly List<int> lengths = [];
    private byte[] buffer = [];
    private long tokens, textBytes;

    /// <summary>Begins a file.</summary>
    /// <param name="path">Its name; the folder exists. What is there is replaced.</param>
    /// <param name="vocabularySize">All ids are below this; up to 65,536 take two bytes each, more take four.</param>
    /// <param name="bos">The token that every document begins with; null for none.</param>
    public TokenCorpusWriter(string path, int vocabularySize, int? bos)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, 1);
        (this.vocabularySize, this.bos, width) = (vocabularySize, bos, vocabularySize <= 1 << 16 ? 2 : 4);
        file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16);
        file.Write(new byte[TokenCorpus.HeaderBytes]);
    }

    /// <summary>Documents written so far.</summary>
    public int Documents => lengths.Count;

    /// <summary>Tokens written so far.</summary>
    public long Tokens => tokens;

    /// <summary>UTF-8 bytes of the text written so far.</summary>
    public long TextBytes => textBytes;

    /// <summary>Adds a document.</summary>
    /// <param name="ids">Its tokens, at least one, with what begins and ends it.</param>
    /// <param name="bytes">UTF-8 bytes of its text.</param>
    public void Add(ReadOnlySpan<int> ids, long bytes)
    {
        TokenCorpus.CheckDocument(ids, vocabularySize, bos);
        if (buffer.Length < ids.Length * width)
            buffer = new byte[ids.Length * width];
        for (var k = 0; k < ids.Length; k++)
            if (width == 2)
                BinaryPrimitives.WriteUInt16LittleEndian(buffer.AsSpan(2 * k), (ushort)ids[k]);
            else
                BinaryPrimitives.WriteInt32LittleEndian(buffer.AsSpan(4 * k), ids[k]);
        file.Write(buffer, 0, ids.Length * width);
        lengths.Add(ids.Length);
        (tokens, textBytes) = (tokens + ids.Length, textBytes + bytes);
    }

    /// <summary>Writes what makes the file whole.</summary>
    public void Finish()
    {
        file.Write(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(lengths)));
        Span<byte> header = stackalloc byte[TokenCorpus.HeaderBytes];
        TokenCorpus.Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], 1);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], width);
        BinaryPrimitives.WriteInt32LittleEndian(header[16..], vocabularySize);
        BinaryPrimitives.WriteInt32LittleEndian(header[20..], bos ?? -1);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], lengths.Count);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], tokens);
        BinaryPrimitives.WriteInt64LittleEndian(header[40..], textBytes);
        file.Position = 0;
        file.Write(header);
        file.Flush();
    }

    /// <summary>Closes the file; without <see cref="Finish"/> it is none that could be opened.</summary>
    public void Dispose() => file.Dispose();
}
