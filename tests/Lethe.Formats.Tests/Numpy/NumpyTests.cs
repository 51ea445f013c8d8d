using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;

namespace Lethe.Formats.Tests.Numpy;

public sealed class NumpyTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>-3 to 8 in shape (3, 4), as make_npz.py writes it; unsigned ones begin at 0.</summary>
    private static readonly int[] Base = [.. Enumerable.Range(-3, 12)];

    private static double[] Values(HostArray array)
    {
        var bytes = array.Bytes.Span;
        return array.Type switch
        {
            DType.Float16 => [.. MemoryMarshal.Cast<byte, Half>(bytes).ToArray().Select(value => (double)value)],
            DType.Float32 => [.. MemoryMarshal.Cast<byte, float>(bytes).ToArray().Select(value => (double)value)],
            DType.Float64 => MemoryMarshal.Cast<byte, double>(bytes).ToArray(),
            DType.Int8 => [.. MemoryMarshal.Cast<byte, sbyte>(bytes).ToArray().Select(value => (double)value)],
            DType.Int16 => [.. MemoryMarshal.Cast<byte, short>(bytes).ToArray().Select(value => (double)value)],
            DType.Int32 => [.. MemoryMarshal.Cast<byte, int>(bytes).ToArray().Select(value => (double)value)],
            DType.Int64 => [.. MemoryMarshal.Cast<byte, long>(bytes).ToArray().Select(value => (double)value)],
            _ => [.. bytes.ToArray().Select(value => (double)value)],
        };
    }

    [Theory]
    [InlineData("stored.npz"), InlineData("deflated.npz")]
    public void Every_spelling_of_NumPy_is_read(string file)
    {
        using var npz = NpzFile.Open(Repository.Fixture("npz", file));
        var types = new Dictionary<string, DType>
        {
            ["le_f2"] = DType.Float16, ["le_f4"] = DType.Float32, ["le_f8"] = DType.Float64, ["i1"] = DType.Int8, ["le_i2"] = DType.Int16, ["le_i4"] = DType.Int32,
            ["le_i8"] = DType.Int64, ["be_f4"] = DType.Float32, ["be_i8"] = DType.Int64, ["be_f2"] = DType.Float16, ["fortran"] = DType.Float32,
        };
        foreach (var (name, type) in types)
        {
            var array = npz.Read(name);
            Assert.Equal(type, array.Type);
            Assert.Equal([3L, 4L], array.Shape);
            Assert.Equal(Base.Select(value => (double)value), Values(array));
        }
        Assert.Equal(Base.Select(value => value + 3.0), Values(npz.Read("u1")));
        Assert.Equal(Base.Select(value => value % 2 == 0 ? 1.0 : 0), Values(npz.Read("b1")));
        Assert.Equal(DType.Bool, npz.Read("b1").Type);
        Assert.Equal([2L, 3L, 4L], npz.Read("fortran3").Shape);
        Assert.Equal(Enumerable.Range(0, 24).Select(value => (double)value), Values(npz.Read("fortran3")));
        Assert.Empty(npz.Read("scalar").Shape);
        Assert.Equal([2.5], Values(npz.Read("scalar")));
        Assert.Equal([0L, 5L], npz.Read("empty").Shape);
        Assert.Equal([5L], npz.Read("vector").Shape);
        Assert.Equal(17, npz.ReadAll().Count);
        Check.Refused(() => npz.Read("none"), file, "'none'", "le_f2");
    }

    [Theory]
    [InlineData("matrix.npy"), InlineData("version2.npy"), InlineData("version3.npy")]
    public void All_three_versions_are_read(string file) => Assert.Equal(Base.Select(value => (double)value), Values(NpyFile.Read(Repository.Fixture("npz", file))));

    [Theory]
    [InlineData("objects.npy", "programs"), InlineData("unsigned.npy", "'<u4'"), InlineData("fields.npy", "named fields")]
    public void What_is_no_plain_array_of_our_numbers_is_refused(string file, string words) => Check.Refused(() => NpyFile.Read(Repository.Fixture("npz", file)), file, words);

    [Fact]
    public void An_array_is_written_byte_for_byte_as_NumPy_does()
    {
        var golden = Repository.Fixture("npz", "matrix.npy");
        NpyFile.Write(folder.File("a.npy"), NpyFile.Read(golden));
        Assert.Equal(File.ReadAllBytes(golden), File.ReadAllBytes(folder.File("a.npy")));
    }

    [Fact]
    public void Entries_are_written_byte_for_byte_as_NumPy_does()
    {
        using var golden = ZipFile.OpenRead(Repository.Fixture("npz", "stored.npz"));
        using var npz = NpzFile.Open(Repository.Fixture("npz", "stored.npz"));
        string[] ours = ["le_f2", "le_f4", "le_f8", "i1", "le_i2", "le_i4", "le_i8", "u1", "b1", "scalar", "empty", "vector"];
        NpzFile.Write(folder.File("a.npz"), ours.Select(name => KeyValuePair.Create(name, npz.Read(name))));
        using var written = ZipFile.OpenRead(folder.File("a.npz"));
        foreach (var name in ours)
            Assert.Equal(Content(golden, name), Content(written, name));

        static byte[] Content(ZipArchive zip, string name)
        {
            using var stream = zip.GetEntry(name + ".npy")!.Open();
            var copy = new MemoryStream();
            stream.CopyTo(copy);
            return copy.ToArray();
        }
    }

    [Theory]
    [InlineData(false), InlineData(true)]
    public void Arrays_survive_a_round_trip_and_give_equal_files(bool compress)
    {
        var arrays = Enum.GetValues<DType>().Where(type => type != DType.BFloat16).Select(type => KeyValuePair.Create(type.ToString(), Make.Counting(type, 5, 7))).ToList();
        NpzFile.Write(folder.File("a.npz"), arrays, compress);
        NpzFile.Write(folder.File("b.npz"), arrays, compress);
        Assert.Equal(File.ReadAllBytes(folder.File("a.npz")), File.ReadAllBytes(folder.File("b.npz")));
        using var npz = NpzFile.Open(folder.File("a.npz"));
        Assert.Equal(arrays.Select(pair => pair.Key), npz.Names);
        foreach (var (name, array) in arrays)
            Check.Same(array, npz.Read(name));
    }

    [Fact]
    public void BFloat16_cannot_be_written() =>
        Assert.Contains("BFloat16", Assert.Throws<UsageException>(() => NpyFile.Write(folder.File("a.npy"), Make.Counting(DType.BFloat16, 1))).Message, StringComparison.Ordinal);

    /// <summary>An .npy file of version 1 with this text as its header.</summary>
    private static byte[] Npy(string header, int dataBytes, byte major = 1, int? length = null)
    {
        var text = Encoding.Latin1.GetBytes(header);
        var prefix = new byte[10];
        byte[] magic = [0x93, .. "NUMPY"u8];
        magic.CopyTo(prefix, 0);
        prefix[6] = major;
        BinaryPrimitives.WriteUInt16LittleEndian(prefix.AsSpan(8), (ushort)(length ?? text.Length));
        return [.. prefix, .. text, .. new byte[dataBytes]];
    }

    private static void Refused(byte[] bytes, params string[] words) => Check.Refused(() => NpyFile.Parse("a.npy", "", bytes), ["a.npy", .. words]);

    [Theory]
    [InlineData("", "'{'"), InlineData("{", "quotes"), InlineData("{}", "lacks"), InlineData("{'descr': '<f4', 'fortran_order': False, }", "lacks")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", "'x'"), InlineData("{'descr': '<f4', 'descr': '<f4'}", "'descr' twice")]
    [InlineData("{'descr': '<f4', 'fortran_order': 1, 'shape': (1,)}", "True or False"), InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': [1]}", "'('")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", "whole numbers"), InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1.0,)}", "')'")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "whole numbers"), InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", "follows")]
    [InlineData("{'descr': '<f4' 'fortran_order': False, 'shape': (1,)}", "'}'"), InlineData("{'descr': 'f4', 'fortran_order': False, 'shape': (1,)}", "'f4'")]
    [InlineData("{'descr': '<<f4', 'fortran_order': False, 'shape': (1,)}", "'<<f4'"), InlineData("{'descr': '|V2', 'fortran_order': False, 'shape': (1,)}", "'|V2'")]
    [InlineData("{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", "'<c8'"), InlineData("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", "programs")]
    [InlineData("{'descr': '<f4, 'fortran_order': False, 'shape': (1,)}", "is not one of")]
    public void A_header_that_is_not_what_NumPy_writes_is_refused(string header, string words) => Refused(Npy(header, 4), words);

    [Theory]
    [InlineData("(5,)", 16), InlineData("(3,)", 16), InlineData("(4294967296, 4294967296)", 16), InlineData("(9223372036854775807,)", 16), InlineData("()", 8), InlineData("(0,)", 4)]
    public void Elements_that_are_not_as_many_as_the_shape_says_are_refused(string shape, int bytes) =>
        Refused(Npy($"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}", bytes), "shape", $"{bytes} follow");

    [Fact]
    public void More_than_64_dimensions_are_refused() =>
        Refused(Npy($"{{'descr': '<f4', 'fortran_order': False, 'shape': ({string.Concat(Enumerable.Repeat("1, ", 65))}), }}", 4), "64 dimensions");

    [Fact]
    public void A_broken_beginning_is_refused()
    {
        Refused([], "NUMPY");
        Refused([.. "PK"u8, 3, 4, 0, 0, 0, 0, 0, 0], "NUMPY");
        Refused(Npy("{}", 0, major: 4), "version 4");
        Refused(Npy("{}", 0, major: 0), "version 0");
        Refused(Npy("{}", 0)[..9], "truncated");
        Refused(Npy("{}", 0, length: 3), "header of 3 bytes", "2 bytes follow");
        byte[] huge = [.. Npy("", 0, major: 2)[..8], 0xff, 0xff, 0xff, 0xff, .. new byte[100]];
        Refused(huge, "header of 4294967295 bytes");
    }

    [Fact]
    public void A_bool_other_than_0_and_1_is_refused()
    {
        var bytes = Npy("{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }", 2);
        bytes[^1] = 255;
        Refused(bytes, "element 1", "255");
    }

    [Fact]
    public void Python_2_spelled_long_numbers_with_an_L() =>
        Assert.Equal([2L, 1L], NpyFile.Parse("a", "", Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 1L)}", 8)).Shape);

    private static byte[] Zip(Action<ZipArchive> fill)
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
            fill(zip);
        return stream.ToArray();
    }

    private static byte[] Zip(string name, byte[] content, CompressionLevel level = CompressionLevel.Optimal) => Zip(zip => Add(zip, name, content, level));

    private static void Add(ZipArchive zip, string name, byte[] content, CompressionLevel level = CompressionLevel.Optimal)
    {
        using var stream = zip.CreateEntry(name, level).Open();
        stream.Write(content);
    }

    private static void ReadAll(byte[] npz)
    {
        using var file = NpzFile.Open(new MemoryStream(npz), "a.npz");
        file.ReadAll();
    }

    private static void RefusedZip(byte[] npz, params string[] words) => Check.Refused(() => ReadAll(npz), ["a.npz", .. words]);

    private const string TwoFloats = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";

    [Fact]
    public void An_archive_that_is_none_is_refused()
    {
        RefusedZip([], "ZIP");
        RefusedZip([1, 2, 3], "ZIP");
        RefusedZip(Npy(TwoFloats, 8), "ZIP");
        RefusedZip(Zip("a.npy", Npy(TwoFloats, 8))[..^10], "ZIP");
    }

    [Fact]
    public void An_archive_with_something_else_than_arrays_is_refused()
    {
        RefusedZip(Zip("readme.txt", [1]), "readme.txt");
        RefusedZip(Zip("a.npy", [1, 2, 3]), "array 'a'", "NUMPY");
        RefusedZip(Zip(zip => { Add(zip, "a.npy", Npy(TwoFloats, 8)); Add(zip, "a.npy", Npy(TwoFloats, 8)); }), "'a.npy' twice");
    }

    [Fact]
    public void A_flipped_bit_in_the_elements_is_found_by_the_checksum()
    {
        var zip = Zip("a.npy", [.. Npy(TwoFloats, 0), .. "ABCDEFGH"u8], CompressionLevel.NoCompression);
        zip[zip.AsSpan().IndexOf("ABCDEFGH"u8) + 3] ^= 1;
        RefusedZip(zip, "'a.npy'", "checksum");
    }

    [Fact]
    public void A_claimed_size_that_the_compressed_bytes_cannot_give_is_refused_before_memory_is_taken()
    {
        var zip = Zip("a.npy", Npy(TwoFloats, 8));
        // The central directory's record: signature, then 20 bytes to the compressed and 24 to the full size.
        var record = zip.AsSpan().IndexOf("PK\u0001\u0002"u8);
        BinaryPrimitives.WriteInt32LittleEndian(zip.AsSpan(record + 24), 0x7fffffff);
        var before = GC.GetAllocatedBytesForCurrentThread();
        RefusedZip(zip, "claims 2147483647 bytes");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void A_claimed_size_that_is_wrong_is_refused()
    {
        foreach (var wrong in new[] { -1, 1 })
        {
            var npy = Npy(TwoFloats, 8);
            var zip = Zip("a.npy", npy);
            var record = zip.AsSpan().IndexOf("PK\u0001\u0002"u8);
            BinaryPrimitives.WriteInt32LittleEndian(zip.AsSpan(record + 24), npy.Length + wrong);
            RefusedZip(zip, "'a.npy'");
        }
    }

    [Fact]
    public void A_bomb_costs_no_more_than_its_file_can_honestly_hold()
    {
        // 100 MB of zeros in 100 KB: honest sizes, but its header says two floats.
        var zip = Zip("a.npy", [.. Npy(TwoFloats, 8), .. new byte[100_000_000]]);
        Assert.InRange(zip.Length, 1, 200_000);
        RefusedZip(zip, "array 'a'", "100000008 follow");
    }

    [Fact]
    public void Entries_that_share_their_bytes_are_refused()
    {
        // Two records of the central directory that point to the same 100 kB, which unpack to 100 MB; a larger file would have thousands.
        var zip = Zip("a.npy", [.. Npy(TwoFloats, 8), .. new byte[100_000_000]]);
        var (record, end) = (zip.AsSpan().IndexOf("PK\u0001\u0002"u8), zip.AsSpan().LastIndexOf("PK\u0005\u0006"u8));
        var second = zip[record..end];
        second[46] = (byte)'b';
        byte[] twice = [.. zip[..end], .. second, .. zip[end..]];
        var trailer = twice.AsSpan(end + second.Length);
        (trailer[8], trailer[10]) = (2, 2);
        BinaryPrimitives.WriteInt32LittleEndian(trailer[12..], 2 * second.Length);
        RefusedZip(twice, "'b.npy'", "overlaps");
    }

    [Fact]
    public void An_encrypted_entry_is_refused()
    {
        var zip = Zip("a.npy", Npy(TwoFloats, 8));
        var record = zip.AsSpan().IndexOf("PK\u0001\u0002"u8);
        zip[record + 8] |= 1;
        RefusedZip(zip, "encrypted");
    }

    [Fact]
    public void A_compression_that_nobody_uses_is_refused()
    {
        var zip = Zip("a.npy", Npy(TwoFloats, 8));
        var record = zip.AsSpan().IndexOf("PK\u0001\u0002"u8);
        zip[record + 10] = 12;
        RefusedZip(zip, "'a.npy'");
    }

    [SharedFact]
    public void A_Gemma_Scope_file_is_read_as_its_loader_reads_it()
    {
        var path = SharedData.Path("fixtures", "sae", "gemma_scope", "layer_3", "width_48", "average_l0_9");
        using var npz = NpzFile.Open(Path.Combine(path, "params.npz"));
        using var golden = SafetensorsFile.Open(Path.Combine(path, "golden.safetensors"));
        float[] x = Check.Floats(golden.Read("x")), w = Check.Floats(npz.Read("W_enc")), bias = Check.Floats(npz.Read("b_enc")), threshold = Check.Floats(npz.Read("threshold"));
        var z = Check.Floats(golden.Read("z"));
        Assert.Equal([16L, 48L], npz.Read("W_enc").Shape);
        for (var row = 0; row < 7; row++)
            for (var feature = 0; feature < 48; feature++)
            {
                var pre = bias[feature] + Enumerable.Range(0, 16).Sum(i => x[row * 16 + i] * w[i * 48 + feature]);
                Assert.Equal(pre > threshold[feature] ? Math.Max(0, pre) : 0, z[row * 48 + feature], 1e-5);
            }
    }

    [Fact]
    public void Damaged_arrays_are_refused_and_nothing_worse()
    {
        string[] files = ["matrix.npy", "version2.npy", "version3.npy"];
        Fuzz.Run([.. files.Select(file => File.ReadAllBytes(Repository.Fixture("npz", file))), Npy("{'descr': '>i2', 'fortran_order': True, 'shape': (3, 2, 2), }", 24)], 6000,
            bytes => NpyFile.Parse("fuzz", "", bytes), maxAllocated: 1 << 20);
    }

    [Fact]
    public void Damaged_archives_are_refused_and_nothing_worse()
    {
        var seeds = new[] { CompressionLevel.Optimal, CompressionLevel.NoCompression }.Select(level => Zip(zip =>
        {
            Add(zip, "a.npy", Npy(TwoFloats, 8), level);
            Add(zip, "b.npy", Npy("{'descr': '|b1', 'fortran_order': False, 'shape': (40,), }", 40), level);
        })).ToList();
        Fuzz.Run(seeds, 4000, ReadAll, maxAllocated: 4 << 20);
    }
}
