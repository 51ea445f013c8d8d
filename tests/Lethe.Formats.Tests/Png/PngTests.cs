namespace Lethe.Formats.Tests.Png;

using Png = Lethe.Formats.Png;

public sealed class PngTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static void Refused(byte[] bytes, params string[] words) => Check.Refused(() => Png.Decode(bytes, "a.png"), ["a.png", .. words]);

    public static TheoryData<string> Kinds => new(Directory.GetFiles(Repository.Fixture("png"), "*.png").Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_kind_of_image_has_the_samples_that_Pillow_gives(string file)
    {
        var image = Png.Read(Repository.Fixture("png", file));
        var golden = Golden.Read("png").GetProperty(file);
        Assert.Equal((golden.Int("width"), golden.Int("height"), golden.Int("channels")), (image.Width, image.Height, image.Channels));
        Assert.Equal(golden.Bytes("hex"), image.Pixels);
    }

    [Fact]
    public void There_is_a_fixture_for_every_kind() => Assert.Equal(14, Kinds.Count);

    [Theory]
    [InlineData(1, 1, 1), InlineData(1, 7, 5), InlineData(2, 5, 7), InlineData(3, 16, 9), InlineData(4, 33, 2)]
    public void An_image_survives_a_round_trip(int channels, int width, int height)
    {
        var random = new Random(channels);
        var noise = new byte[width * height * channels];
        random.NextBytes(noise);
        byte[] smooth = [.. Enumerable.Range(0, noise.Length).Select(i => (byte)(i * 3 / channels))];
        foreach (var pixels in new[] { noise, smooth, new byte[noise.Length] })
        {
            Png.Write(folder.File("a.png"), new PngImage(width, height, channels, pixels));
            var image = Png.Read(folder.File("a.png"));
            Assert.Equal((width, height, channels), (image.Width, image.Height, image.Channels));
            Assert.Equal(pixels, image.Pixels);
        }
    }

    [Fact]
    public void Filters_make_smooth_images_small()
    {
        byte[] pixels = [.. Enumerable.Range(0, 100 * 100).Select(i => (byte)(i % 100 + i / 100 + i * 7 % 3))];
        var file = Png.Encode(new PngImage(100, 100, 1, pixels));
        Assert.InRange(file.Length, 60, PngFile.Compress(pixels).Length / 2);
        Assert.Equal(pixels, Png.Decode(file, "a").Pixels);
    }

    [Fact]
    public void An_image_that_does_not_fit_its_sizes_is_an_error()
    {
        Assert.Throws<ArgumentException>(() => new PngImage(2, 2, 1, new byte[3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new PngImage(0, 2, 1, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => new PngImage(1, 1, 5, new byte[5]));
    }

    [Fact]
    public void An_image_becomes_planes()
    {
        var rgb = Png.Read(Repository.Fixture("png", "filters.png"));
        var planes = rgb.ToArray(3, "a");
        Assert.Equal([3L, 9L, 13L], planes.Shape);
        Assert.Equal(rgb.Pixels[3 * 15 + 2], planes.Bytes.Span[2 * 9 * 13 + 15]);
        Assert.Equal(Golden.Read("png").GetProperty("luma").Bytes("hex"), rgb.ToArray(1, "a").Bytes.ToArray());
        var grey = new PngImage(2, 1, 2, [7, 255, 8, 255]);
        Assert.Equal([7, 8], grey.ToArray(1, "a").Bytes.ToArray());
        Assert.Equal([7, 8, 7, 8, 7, 8], grey.ToArray(3, "a").Bytes.ToArray());
        Check.Refused(() => new PngImage(2, 2, 4, [0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 254]).ToArray(1, "glass.png"), "glass.png", "column 1, row 1");
    }

    [Fact]
    public void A_broken_beginning_is_refused()
    {
        Refused([], "signature");
        Refused([0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 0, 0, 0], "signature");
        Refused(PngFile.Signature, "truncated");
        Refused(PngFile.File(PngFile.Data(0, 1), PngFile.End), "'IDAT' instead of IHDR");
        Refused(PngFile.File(PngFile.Header(1, 1), PngFile.Header(1, 1), PngFile.Data(0, 1), PngFile.End), "IHDR twice");
        Refused(PngFile.File(PngFile.Chunk("IHDR", 1, 2, 3), PngFile.End), "3 bytes instead of 13");
    }

    [Theory]
    [InlineData(0, 1), InlineData(1, 0), InlineData(0xffffffff, 0xffffffff), InlineData(10_001, 10_000), InlineData(0x80000000, 1)]
    public void Sizes_beyond_the_limit_are_refused(uint width, uint height) => Refused(PngFile.File(PngFile.Header(width, height), PngFile.Data(0, 1), PngFile.End), $"{width} by {height}");

    [Theory]
    [InlineData(3, 0), InlineData(16, 3), InlineData(4, 2), InlineData(8, 1), InlineData(8, 5), InlineData(8, 7), InlineData(0, 0), InlineData(2, 4)]
    public void Depths_and_colours_that_the_format_lacks_are_refused(byte depth, byte colour) =>
        Refused(PngFile.File(PngFile.Header(1, 1, depth, colour), PngFile.Data(0, 1), PngFile.End), $"colour type {colour}", $"{depth} bits");

    [Fact]
    public void Interlaced_images_are_refused_by_that_word()
    {
        Refused(PngFile.File(PngFile.Header(1, 1, interlace: 1), PngFile.Data(0, 1), PngFile.End), "interlaced");
        Refused(PngFile.File(PngFile.Header(1, 1, interlace: 2), PngFile.Data(0, 1), PngFile.End), "interlace method 2");
        Refused(PngFile.File(PngFile.Header(1, 1, compression: 1), PngFile.Data(0, 1), PngFile.End), "compression method 1");
        Refused(PngFile.File(PngFile.Header(1, 1, filter: 1), PngFile.Data(0, 1), PngFile.End), "filter method 1");
    }

    [Fact]
    public void A_flipped_bit_is_found_by_the_checksum()
    {
        var file = PngFile.File(PngFile.Header(1, 1), PngFile.Data(0, 1), PngFile.End);
        for (var i = 8; i < file.Length; i++)
        {
            var bytes = file.ToArray();
            bytes[i] ^= 4;
            Refused(bytes);
        }
        file[20] ^= 4;
        Refused(file, "'IHDR' at byte 8", "checksum");
    }

    [Fact]
    public void Chunks_that_lie_about_their_length_are_refused()
    {
        var file = PngFile.File(PngFile.Header(1, 1), PngFile.Data(0, 1), PngFile.End);
        file[33] = 0x7f;
        Refused(file, "byte 33 claims", "are left");
        Refused(PngFile.File(PngFile.Header(1, 1), PngFile.Data(0, 1)), "truncated");
        Refused(PngFile.File(PngFile.Header(1, 1), PngFile.Chunk("I4AT", 1), PngFile.End), "four letters");
        Refused([.. PngFile.File(PngFile.Header(1, 1), PngFile.Data(0, 1), PngFile.End), 0], "1 bytes behind its end");
        Refused(PngFile.File(PngFile.Header(1, 1), PngFile.Data(0, 1), PngFile.Chunk("IEND", 0)), "IEND");
    }

    [Fact]
    public void Unknown_chunks_are_skipped_unless_the_image_needs_them()
    {
        Assert.Equal([9], Png.Decode(PngFile.File(PngFile.Header(1, 1), PngFile.Chunk("zzZz", 1, 2), PngFile.Data(0, 9), PngFile.End), "a").Pixels);
        Refused(PngFile.File(PngFile.Header(1, 1), PngFile.Chunk("ZzZz", 1, 2), PngFile.Data(0, 9), PngFile.End), "'ZzZz'");
    }

    [Fact]
    public void Image_data_must_be_there_and_in_one_piece()
    {
        Refused(PngFile.File(PngFile.Header(1, 1), PngFile.End), "no image data");
        var data = PngFile.Compress(0, 9);
        Assert.Equal([9], Png.Decode(PngFile.File(PngFile.Header(1, 1), PngFile.Chunk("IDAT", data[..3]), PngFile.Chunk("IDAT"), PngFile.Chunk("IDAT", data[3..]), PngFile.End), "a").Pixels);
        Refused(PngFile.File(PngFile.Header(1, 1), PngFile.Chunk("IDAT", data[..3]), PngFile.Chunk("tEXt"), PngFile.Chunk("IDAT", data[3..]), PngFile.End), "both sides", "tEXt");
    }

    [Fact]
    public void Image_data_must_be_as_many_as_the_sizes_say()
    {
        Refused(PngFile.Rows([0, 1, 0], 1, 2, 8, 0), "take 4 bytes", "hold 3");
        Refused(PngFile.Rows([0, 1, 0, 1, 0], 1, 2, 8, 0), "take 4 bytes", "more");
        Refused(PngFile.File(PngFile.Header(1, 1), PngFile.Chunk("IDAT", 1, 2, 3, 4), PngFile.End), "damaged");
        var data = PngFile.Compress(0, 9);
        data[^1] ^= 1;
        Refused(PngFile.File(PngFile.Header(1, 1), PngFile.Chunk("IDAT", data), PngFile.End), "damaged");
        Refused(PngFile.File(PngFile.Header(1, 1), PngFile.Chunk("IDAT", PngFile.Compress(0, 9)[..^7]), PngFile.End), "take 2 bytes");
    }

    /// <summary>The library answers with a type of its own, derived from IOException; found by the fuzz test.</summary>
    [Fact]
    public void Image_data_compressed_with_a_dictionary_are_refused() =>
        Refused(PngFile.File(PngFile.Header(1, 1), PngFile.Chunk("IDAT", 0x78, 0x20, 0, 0, 0, 1, 3, 0), PngFile.End), "damaged");

    [Fact]
    public void A_filter_that_does_not_exist_is_refused() => Refused(PngFile.Rows([0, 1, 5, 1], 1, 2, 8, 0), "row 1 has the filter 5");

    [Fact]
    public void A_large_image_from_few_bytes_is_refused_before_memory_is_taken()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        Refused(PngFile.File(PngFile.Header(10_000, 10_000, 16, 6), PngFile.Data(0, 9), PngFile.End), "cannot hold");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void A_bomb_in_the_data_is_cut_off()
    {
        var bomb = PngFile.Rows(new byte[50_000_000], 1, 1, 8, 0);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Refused(bomb, "more");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Palettes_must_fit()
    {
        byte[] header = PngFile.Header(1, 1, 8, 3), data = PngFile.Data(0, 2);
        byte[] two = PngFile.Chunk("PLTE", 1, 2, 3, 4, 5, 6);
        Refused(PngFile.File(header, data, PngFile.End), "without a palette");
        Refused(PngFile.File(header, two, data, PngFile.End), "colour 2 of a palette of 2");
        Refused(PngFile.File(header, PngFile.Chunk("PLTE", 1, 2), data, PngFile.End), "palette of 2 bytes");
        Refused(PngFile.File(header, PngFile.Chunk("PLTE"), data, PngFile.End), "palette of 0 bytes");
        Refused(PngFile.File(header, PngFile.Chunk("PLTE", new byte[771]), data, PngFile.End), "palette of 771 bytes");
        Refused(PngFile.File(header, two, two, data, PngFile.End), "where none may be");
        Refused(PngFile.File(PngFile.Header(1, 1), two, PngFile.Data(0, 0), PngFile.End), "where none may be");
        Refused(PngFile.File(header, two, PngFile.Data(0, 0), two, PngFile.End), "where none may be");
    }

    [Fact]
    public void Transparency_must_fit()
    {
        byte[] grey = PngFile.Header(1, 1), data = PngFile.Data(0, 2), key = PngFile.Chunk("tRNS", 0, 2);
        Assert.Equal([2, 0], Png.Decode(PngFile.File(grey, key, data, PngFile.End), "a").Pixels);
        Refused(PngFile.File(grey, PngFile.Chunk("tRNS", 0, 2, 3), data, PngFile.End), "3 bytes of transparency");
        Refused(PngFile.File(grey, key, key, data, PngFile.End), "transparency");
        Refused(PngFile.File(grey, data, key, PngFile.End), "transparency");
        Refused(PngFile.File(PngFile.Header(1, 1, 8, 4), key, PngFile.Data(0, 1, 1), PngFile.End), "transparency");
        Refused(PngFile.File(PngFile.Header(1, 1, 8, 3), PngFile.Chunk("PLTE", 1, 2, 3), key, PngFile.Data(0, 0), PngFile.End), "transparency");
        Refused(PngFile.File(PngFile.Header(1, 1, 8, 3), PngFile.Chunk("tRNS", 0), PngFile.Chunk("PLTE", 1, 2, 3), PngFile.Data(0, 0), PngFile.End), "transparency");
    }

    [Fact]
    public void Damaged_files_are_refused_and_nothing_worse()
    {
        var files = Directory.GetFiles(Repository.Fixture("png"), "*.png").Order(StringComparer.Ordinal).Select(File.ReadAllBytes).ToList();
        void Decode(byte[] bytes) => Png.Decode(bytes, "fuzz");
        Fuzz.Run(files, 2000, Decode, maxAllocated: 16 << 20);
        Fuzz.Run(files, 4000, Decode, maxAllocated: 16 << 20, repair: PngFile.Repair);
        // Damage behind an intact compression: filters, samples and lengths.
        Fuzz.Run([new byte[9 * (1 + 13 * 3)]], 2000, Decode, maxAllocated: 16 << 20, repair: rows => PngFile.Rows(rows, 13, 9, 8, 2));
    }
}
