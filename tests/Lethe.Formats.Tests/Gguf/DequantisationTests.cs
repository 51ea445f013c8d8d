using System.Runtime.InteropServices;
using Lethe.Formats.Gguf;

namespace Lethe.Formats.Tests.Gguf;

public sealed class DequantisationTests
{
    public static TheoryData<string> ReadableBlocks => ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"];

    [Theory, MemberData(nameof(ReadableBlocks))]
    public void Blocks_are_dequantised_bit_for_bit_as_gguf_py_does(string name)
    {
        using var golden = SafetensorsFile.Open(Repository.Fixture("gguf", "blocks.safetensors"));
        var (stored, expected) = (golden.Read($"{name}.bytes"), golden.Read($"{name}.values"));
        var values = new float[expected.Count];
        Dequantisation.ToFloats(Enum.Parse<GgufType>(name), stored.Bytes.Span, values);
        Assert.Equal(expected.Bytes.ToArray(), MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
    }

    [Theory]
    [InlineData("f32"), InlineData("f16"), InlineData("bf16"), InlineData("q8_0"), InlineData("q4_0"), InlineData("q4_1")]
    public void A_matrix_of_each_file_equals_the_golden_one_whole_and_by_rows(string type)
    {
        using var golden = SafetensorsFile.Open(Repository.Fixture("gguf", "golden.safetensors"));
        using var file = GgufFile.Open(Repository.Fixture("gguf", $"llama_{type}.gguf"));
        const string name = "blk.1.ffn_down.weight";
        var expected = Check.Floats(golden.Read(type.ToUpperInvariant()));
        var read = file.Read(name);
        Assert.Equal([32, 64], read.Shape);
        Assert.Equal(expected, Floats(read));
        Assert.Equal([.. expected[(5 * 64)..(6 * 64)], .. expected[..64], .. expected[(5 * 64)..(6 * 64)]], Floats(file.ReadRows(name, [5L, 0, 5])));
        var some = new byte[3 * 64 * read.Type.Size()];
        file.ReadRows(name, 7, 3, some);
        Assert.Equal(expected[(7 * 64)..(10 * 64)], Floats(read with { Shape = [3, 64], Bytes = some }));
    }

    [Fact]
    public void Many_blocks_give_what_few_give()
    {
        using var golden = SafetensorsFile.Open(Repository.Fixture("gguf", "blocks.safetensors"));
        var blocks = golden.Read("Q5_K.bytes").Bytes.Span;
        const int Rows = 1 << 13;
        using var folder = new TempFolder();
        var bytes = new byte[(int)(blocks.Length / 6 * Rows)];
        for (var i = 0; i < Rows; i++)
            blocks.Slice(i % 6 * 176, 176).CopyTo(bytes.AsSpan(i * 176));
        using var file = GgufFile.Open(folder.Write("large.gguf", new RawGguf().Tensor("a", [256, Rows], GgufType.Q5_K, bytes).Build()));
        var read = Check.Floats(file.Read("a"));
        var expected = Check.Floats(golden.Read("Q5_K.values"));
        for (var i = 0; i < Rows; i++)
            Assert.True(read.AsSpan(i * 256, 256).SequenceEqual(expected.AsSpan(i % 6 * 256, 256)), $"row {i}");
    }

    [Fact]
    public void Every_half_and_every_bfloat16_is_turned_into_the_float_that_it_is()
    {
        var source = new byte[1 << 17];
        for (var i = 0; i < 1 << 16; i++)
            BitConverter.TryWriteBytes(source.AsSpan(2 * i), (ushort)i);
        var values = new float[1 << 16];
        HalfFloats.FromHalf(source, values);
        for (var i = 0; i < values.Length; i++)
            if (BitConverter.UInt16BitsToHalf((ushort)i) is var half && Half.IsNaN(half))
                Assert.True(float.IsNaN(values[i]), $"half {i:x4}");
            else
                Assert.Equal(BitConverter.SingleToInt32Bits((float)half), BitConverter.SingleToInt32Bits(values[i]));
        HalfFloats.FromBFloat16(source, values);
        for (var i = 0; i < values.Length; i++)
            Assert.Equal(i << 16, BitConverter.SingleToInt32Bits(values[i]));
        var back = new byte[source.Length];
        HalfFloats.ToBFloat16(values, back);
        for (var i = 0; i < values.Length; i++)
            if (!float.IsNaN(values[i]))
                Assert.Equal((ushort)i, BitConverter.ToUInt16(back, 2 * i));
    }

    [Theory]
    // Halfway between two neighbours: the even one; just above: the upper one.
    [InlineData(0x3f808000u, 0x3f80), InlineData(0x3f818000u, 0x3f82), InlineData(0x3f808001u, 0x3f81), InlineData(0xff7fffffu, 0xff80), InlineData(0x7f800001u, 0x7fc0)]
    public void Floats_round_to_bfloat16_as_torch_rounds_them(uint bits, int expected)
    {
        var stored = new byte[2];
        HalfFloats.ToBFloat16([BitConverter.UInt32BitsToSingle(bits)], stored);
        Assert.Equal(expected, BitConverter.ToUInt16(stored));
    }

    private static float[] Floats(HostArray array)
    {
        var values = new float[array.Count];
        if (array.Type == DType.Float16)
            HalfFloats.FromHalf(array.Bytes.Span, values);
        else if (array.Type == DType.BFloat16)
            HalfFloats.FromBFloat16(array.Bytes.Span, values);
        else
            return Check.Floats(array);
        return values;
    }
}
