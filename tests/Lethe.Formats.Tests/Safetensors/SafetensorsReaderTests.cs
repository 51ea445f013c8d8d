using System.Buffers.Binary;
using System.Text;

namespace Lethe.Formats.Tests.Safetensors;

public sealed unsafe class SafetensorsReaderTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    private SafetensorsFile Open(byte[] bytes) => SafetensorsFile.Open(folder.Write("m.safetensors", bytes));

    private void Refused(byte[] bytes, params string[] words) => Check.Refused(() => Open(bytes).Dispose(), ["m.safetensors", .. words]);

    private void Refused(string json, int dataBytes, params string[] words) => Refused(Raw.File(json, dataBytes), words);

    [Fact]
    public void A_file_gives_its_tensors_metadata_and_places()
    {
        var json = $"{{\"__metadata__\":{{\"format\":\"pt\",\"note\":\"ü\"}},{Raw.Tensor("b", "F32", "[2,3]", 4, 28)},{Raw.Tensor("a", "U8", "[4]", 0, 4)}}}  ";
        using var file = Open(Raw.File(json, 28));
        Assert.Equal(["format", "note"], file.Metadata.Keys);
        Assert.Equal("ü", file.Metadata["note"]);
        Assert.Equal(["a", "b"], file.Entries.Select(entry => entry.Name));
        var start = 8 + Encoding.UTF8.GetByteCount(json);
        var entry = file.Entry("b");
        Assert.Equal((DType.Float32, "F32", start + 4L, 24L), (entry.Type!.Value, entry.TypeName, entry.Offset, entry.Length));
        Assert.Equal([2L, 3L], entry.Shape);
        Check.Same(Make.Bytes([4], 0, 1, 0, 1), file.Read("a"));
        Assert.True(file.Span("a").SequenceEqual(new ReadOnlySpan<byte>(file.Pointer("a"), 4)));
        Check.Refused(() => file.Read("c"), "'c'", "a, b");
    }

    [Fact]
    public void Scalars_and_empty_tensors_are_legal()
    {
        using var file = Open(Raw.File($"{{{Raw.Tensor("scalar", "F32", "[]", 0, 4)},{Raw.Tensor("none", "F32", "[3,0,5]", 4, 4)},{Raw.Tensor("zero", "I64", "[0]", 0, 0)}}}", 4));
        Assert.Empty(file.Read("scalar").Shape);
        Assert.Equal(4, file.Read("scalar").Bytes.Length);
        Assert.Equal(0, file.Read("none").Bytes.Length);
        Assert.Equal(0, file.Read("zero").Bytes.Length);
    }

    [Fact]
    public void A_file_without_tensors_is_legal()
    {
        using var file = Open(Raw.File("{}", 0));
        Assert.Empty(file.Entries);
        Assert.Empty(file.Metadata);
    }

    [Fact]
    public void Metadata_may_be_null()
    {
        using var file = Open(Raw.File("{\"__metadata__\":null}", 0));
        Assert.Empty(file.Metadata);
    }

    [Fact]
    public void A_field_that_nobody_knows_is_skipped_as_in_the_reference()
    {
        using var file = Open(Raw.File("{\"a\":{\"dtype\":\"U8\",\"extra\":{\"x\":[1,2]},\"shape\":[1],\"data_offsets\":[0,1]}}", 1));
        Assert.True(file.Contains("a"));
    }

    [Theory]
    [InlineData("BOOL", DType.Bool), InlineData("U8", DType.UInt8), InlineData("I8", DType.Int8), InlineData("I16", DType.Int16), InlineData("F16", DType.Float16)]
    [InlineData("BF16", DType.BFloat16), InlineData("I32", DType.Int32), InlineData("F32", DType.Float32), InlineData("F64", DType.Float64), InlineData("I64", DType.Int64)]
    public void Every_type_of_ours_is_read(string name, DType type)
    {
        using var file = Open(Raw.File($"{{{Raw.Tensor("a", name, "[3]", 0, 3 * type.Size())}}}", 3 * type.Size()));
        Assert.Equal(type, file.Read("a").Type);
        Assert.Equal(type, file.TypeOf("a"));
    }

    [Theory]
    [InlineData("F8_E4M3", 3), InlineData("F8_E5M2", 3), InlineData("U16", 6), InlineData("U32", 12), InlineData("U64", 24), InlineData("C64", 24), InlineData("F8_E8M0", 3)]
    public void A_type_of_the_format_that_Lethe_lacks_is_refused_when_the_tensor_is_read(string type, int length)
    {
        using var file = Open(Raw.File($"{{{Raw.Tensor("odd", type, "[3]", 0, length)}}}", length));
        Assert.Null(file.Entry("odd").Type);
        Assert.Equal(length, file.Span("odd").Length);
        Check.Refused(() => file.Read("odd"), "'odd'", type);
        Check.Refused(() => file.TypeOf("odd"), "'odd'", type);
    }

    [Fact]
    public void Types_below_a_byte_must_fill_whole_bytes()
    {
        using (var file = Open(Raw.File($"{{{Raw.Tensor("a", "F4", "[4]", 0, 2)}}}", 2)))
            Assert.Equal(2, file.Entry("a").Length);
        Refused($"{{{Raw.Tensor("a", "F4", "[3]", 0, 2)}}}", 2, "'a'", "F4", "whole bytes");
    }

    [Fact]
    public void A_bool_other_than_0_and_1_is_refused_when_it_is_read()
    {
        var bytes = Raw.File($"{{{Raw.Tensor("a", "BOOL", "[3]", 0, 3)}}}", 3);
        bytes[^1] = 2;
        using var file = Open(bytes);
        Check.Refused(() => file.Read("a"), "'a'", "element 2");
    }

    [Fact]
    public void A_file_too_short_for_the_header_length_is_refused()
    {
        Refused([], "empty");
        Refused([1, 0, 0, 0, 0, 0, 0], "7 bytes");
    }

    [Theory]
    [InlineData(100_000_001UL), InlineData(ulong.MaxValue), InlineData(1UL << 63)]
    public void A_header_above_the_limit_is_refused(ulong length)
    {
        var bytes = new byte[64];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        Refused(bytes, length.ToString(System.Globalization.CultureInfo.InvariantCulture), "100000000");
    }

    [Fact]
    public void A_header_longer_than_the_file_is_refused()
    {
        var bytes = Raw.File("{}", 0);
        bytes[0] = 3;
        Refused(bytes, "3 bytes", "only 2", "truncated");
    }

    [Fact]
    public void A_header_that_claims_the_data_as_well_is_refused()
    {
        // attacks/safetensors_abuse_attempt_1.py of the reference: N grows, the file stays.
        var bytes = Raw.File($"{{{Raw.Tensor("weight", "F32", "[2,2]", 0, 16)}}}", 16);
        BinaryPrimitives.WriteInt64LittleEndian(bytes, 1000);
        Refused(bytes, "1000");
        BinaryPrimitives.WriteInt64LittleEndian(bytes, bytes.Length - 8);
        Refused(bytes, "JSON");
    }

    [Theory]
    [InlineData(" {}"), InlineData("[]"), InlineData("\n{}"), InlineData("\ufeff{}"), InlineData("null")]
    public void A_header_must_begin_with_a_brace(string json) => Refused(json, 0, "begin with '{'");

    [Fact]
    public void An_empty_header_is_refused() => Refused("", 0, "begin with '{'", "empty");

    [Theory]
    [InlineData("{"), InlineData("{\"a\""), InlineData("{}{}"), InlineData("{} x"), InlineData("{}\0"), InlineData("{\"__metadata__\":{},}"), InlineData("{/**/}"), InlineData("{'a':1}")]
    public void A_header_that_is_no_JSON_is_refused(string json) => Refused(json, 0, "JSON", "byte");

    [Fact]
    public void A_header_that_is_no_UTF8_is_refused() =>
        Refused(Raw.File([(byte)'{', (byte)'"', 0xff, 0xfe, (byte)'"', (byte)':', (byte)'1', (byte)'}'], 0), "UTF-8");

    [Fact]
    public void Half_a_surrogate_pair_in_a_name_is_refused() => Refused("{\"\\ud800\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0, "JSON");

    [Fact]
    public void A_tensor_named_twice_is_refused() =>
        Refused($"{{{Raw.Tensor("a", "U8", "[1]", 0, 1)},{Raw.Tensor("a", "U8", "[1]", 1, 2)}}}", 2, "'a' twice");

    [Fact]
    public void A_name_spelled_twice_in_different_ways_is_the_same_name() =>
        Refused($"{{{Raw.Tensor("a", "U8", "[1]", 0, 1)},{Raw.Tensor("\\u0061", "U8", "[1]", 1, 2)}}}", 2, "'a' twice");

    [Theory]
    [InlineData("\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]", "dtype twice")]
    [InlineData("\"dtype\":\"U8\",\"shape\":[1],\"shape\":[1],\"data_offsets\":[0,1]", "shape twice")]
    [InlineData("\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"data_offsets\":[0,1]", "data_offsets twice")]
    [InlineData("\"shape\":[1],\"data_offsets\":[0,1]", "lacks dtype")]
    [InlineData("\"dtype\":\"U8\",\"data_offsets\":[0,1]", "lacks shape")]
    [InlineData("\"dtype\":\"U8\",\"shape\":[1]", "lacks data_offsets")]
    [InlineData("\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,1]", "dtype must be a text")]
    [InlineData("\"dtype\":null,\"shape\":[1],\"data_offsets\":[0,1]", "dtype must be a text")]
    [InlineData("\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,1]", "unknown dtype 'F31'")]
    [InlineData("\"dtype\":\"u8\",\"shape\":[1],\"data_offsets\":[0,1]", "unknown dtype 'u8'")]
    [InlineData("\"dtype\":\"U8\",\"shape\":1,\"data_offsets\":[0,1]", "shape must be a list")]
    [InlineData("\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,1]", "shape[0]")]
    [InlineData("\"dtype\":\"U8\",\"shape\":[1,1.0],\"data_offsets\":[0,1]", "shape[1]")]
    [InlineData("\"dtype\":\"U8\",\"shape\":[1e0],\"data_offsets\":[0,1]", "shape[0]")]
    [InlineData("\"dtype\":\"U8\",\"shape\":[\"1\"],\"data_offsets\":[0,1]", "shape[0]")]
    [InlineData("\"dtype\":\"U8\",\"shape\":[[1]],\"data_offsets\":[0,1]", "shape[0]")]
    [InlineData("\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]", "1 data_offsets")]
    [InlineData("\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1,2]", "3 data_offsets")]
    [InlineData("\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,-1]", "data_offsets[1]")]
    [InlineData("\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,18446744073709551616]", "data_offsets[1]")]
    public void A_field_that_is_missing_doubled_or_of_another_kind_is_refused(string fields, string words) =>
        Refused($"{{\"a\":{{{fields}}}}}", 1, "'a'", words);

    [Theory]
    [InlineData("{\"a\":1}"), InlineData("{\"a\":[1]}"), InlineData("{\"a\":null}")]
    public void A_tensor_that_is_no_object_is_refused(string json) => Refused(json, 0, "'a'", "object");

    [Theory]
    [InlineData("{\"__metadata__\":{\"a\":1}}", "'a'"), InlineData("{\"__metadata__\":{\"a\":{\"b\":\"c\"}}}", "'a'"), InlineData("{\"__metadata__\":[]}", "object of texts")]
    [InlineData("{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", "'a' twice"), InlineData("{\"__metadata__\":{},\"__metadata__\":{}}", "__metadata__ twice"), InlineData("{\"__metadata__\":{\"a\":null}}", "'a'")]
    public void Metadata_are_texts_by_unique_keys(string json, string words) => Refused(json, 0, words);

    [Fact]
    public void A_hole_between_tensors_is_refused() =>
        Refused($"{{{Raw.Tensor("a", "U8", "[2]", 0, 2)},{Raw.Tensor("b", "U8", "[2]", 3, 5)}}}", 5, "'b'", "begins at data byte 3", "ends at 2");

    [Fact]
    public void Overlapping_tensors_are_refused() =>
        Refused($"{{{Raw.Tensor("a", "U8", "[2]", 0, 2)},{Raw.Tensor("b", "U8", "[2]", 1, 3)}}}", 3, "'b'", "overlaps");

    [Fact]
    public void Many_tensors_on_the_same_bytes_are_refused()
    {
        // attacks/safetensors_abuse_attempt_2.py and 3 of the reference.
        var json = $"{{{string.Join(',', Enumerable.Range(0, 10_000).Select(i => Raw.Tensor($"weight_{i}", "F32", "[2,2]", 0, 16)))}}}";
        Refused(json, 16, "overlaps");
    }

    [Fact]
    public void Data_that_begin_after_0_are_refused() => Refused($"{{{Raw.Tensor("a", "U8", "[2]", 1, 3)}}}", 3, "'a'", "start of the data");

    [Fact]
    public void An_end_before_the_begin_is_refused() =>
        Refused($"{{{Raw.Tensor("a", "U8", "[2]", 0, 2)},{Raw.Tensor("b", "U8", "[0]", 2, 1)}}}", 2, "'b'", "before its begin");

    [Fact]
    public void Offsets_that_do_not_fit_the_shape_are_refused()
    {
        Refused($"{{{Raw.Tensor("a", "F32", "[2,2]", 0, 12)}}}", 12, "'a'", "takes 16 bytes", "12");
        Refused($"{{{Raw.Tensor("a", "F32", "[]", 0, 8)}}}", 8, "'a'", "takes 4 bytes");
    }

    [Theory]
    [InlineData("[4611686018427387904,4]"), InlineData("[9223372036854775808]"), InlineData("[18446744073709551615,2]"), InlineData("[4294967296,4294967296,4294967296]"), InlineData("[2305843009213693952]")]
    public void A_shape_whose_size_overflows_is_refused(string shape) => Refused($"{{{Raw.Tensor("a", "F32", shape, 0, 4)}}}", 4, "'a'", "overflows");

    [Fact]
    public void Bytes_behind_the_last_tensor_are_refused() => Refused($"{{{Raw.Tensor("a", "U8", "[2]", 0, 2)}}}", 3, "take 2 bytes", "has 3");

    [Fact]
    public void A_truncated_file_is_refused() => Refused($"{{{Raw.Tensor("a", "U8", "[2]", 0, 2)}}}", 1, "take 2 bytes", "has 1", "truncated");

    [Fact]
    public void Deep_nesting_is_refused()
    {
        var deep = new string('[', 100_000) + new string(']', 100_000);
        Refused($"{{\"a\":{{\"x\":{deep},\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}}}", 0, "JSON", "depth");
        Refused(string.Concat(Enumerable.Repeat("{\"a\":", 100_000)), 0, "JSON", "depth");
    }

    [Fact]
    public void A_pickle_and_a_ZIP_are_refused()
    {
        Refused([0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20], "no safetensors file");
        Refused([.. "PK"u8, 3, 4, .. new byte[60]], "header of 67324752 bytes");
    }

    [Fact]
    public void The_mapping_lives_as_long_as_a_lease()
    {
        var file = Open(Raw.File($"{{{Raw.Tensor("a", "U8", "[4]", 0, 4)}}}", 4));
        using var lease = file.Acquire();
        var pointer = file.Pointer("a");
        file.Dispose();
        Assert.Equal(1, pointer[1]);
        Assert.Throws<ObjectDisposedException>(() => file.Pointer("a")[0]);
        Assert.Throws<ObjectDisposedException>(() => file.Read("a"));
    }

    [Fact]
    public void Damaged_files_are_refused_and_nothing_worse()
    {
        var good = new[]
        {
            Raw.File($"{{\"__metadata__\":{{\"format\":\"pt\"}},{Raw.Tensor("a", "F32", "[2,3]", 0, 24)},{Raw.Tensor("b", "BOOL", "[4]", 24, 28)},{Raw.Tensor("c", "I64", "[]", 28, 36)}}}  ", 36),
            Raw.File($"{{{Raw.Tensor("x.weight", "BF16", "[4,0]", 0, 0)},{Raw.Tensor("y", "F8_E4M3", "[5]", 0, 5)}}}", 5),
            Raw.File("{}", 0),
        };
        Fuzz.Run(good, 6000, bytes =>
        {
            // In memory, where this is fast; what is accepted lies within the file.
            foreach (var entry in SafetensorsHeader.Parse("fuzz", bytes, bytes.Length).Entries)
                Assert.True(entry.Offset >= 8 && entry.Length >= 0 && entry.Offset + entry.Length <= bytes.Length);
        }, maxAllocated: 1 << 20);
        var number = 0;
        Fuzz.Run(good, 200, bytes =>
        {
            using var file = SafetensorsFile.Open(folder.Write($"fuzz{number++}", bytes));
            foreach (var entry in file.Entries)
                if (entry.Type is not null)
                    _ = file.Read(entry.Name);
        }, maxAllocated: 1 << 20);
    }
}
