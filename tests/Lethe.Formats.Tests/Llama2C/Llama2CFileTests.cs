using System.Buffers.Binary;
using Lethe.Formats.Llama2C;

namespace Lethe.Formats.Tests.Llama2C;

public sealed class Llama2CFileTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>dim 8, hidden 6, 2 layers, 2 heads, 1 KV head, 5 tokens, 3 positions; the weights count up by one thousandth.</summary>
    private static byte[] Small(bool shared = true, bool zeroTables = false)
    {
        int[] header = [8, 6, 2, 2, 1, shared ? 5 : -5, 3];
        var weights = 5 * 8 + 2 * (8 + 64 + 32 + 32 + 64 + 8 + 48 + 48 + 48) + 8;
        var values = Enumerable.Range(0, weights).Select(i => i / 1000f).ToList();
        foreach (var table in (Func<double, double>[])[Math.Cos, Math.Sin])
            for (var position = 0; position < 3; position++)
                for (var i = 0; i < 2; i++)
                    values.Add(zeroTables ? 0 : (float)table(position * Math.Pow(10000, -i / 2.0)));
        if (!shared)
            values.AddRange(Enumerable.Range(0, 40).Select(i => -i / 1000f));
        return [.. header.SelectMany(BitConverter.GetBytes), .. values.SelectMany(BitConverter.GetBytes)];
    }

    private static byte[] With(int at, int value)
    {
        var bytes = Small();
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), value);
        return bytes;
    }

    private void Refused(byte[] bytes, params string[] words)
    {
        var path = folder.Write("x.bin", bytes);
        Check.Refused(() => Llama2CFile.Open(path), [path, .. words]);
    }

    [Fact]
    public void Stacked_arrays_are_told_apart_by_layer()
    {
        using var file = Llama2CFile.Open(folder.Write("x.bin", Small()));
        Assert.Equal(new Llama2CHeader(8, 6, 2, 2, 1, 5, 3, SharedClassifier: true), file.Header);
        Assert.Equal(4, file.Header.HeadSize);
        Assert.Equal(1 + 9 * 2 + 1, file.Tensors.Count);
        Assert.Equal([6, 8], file.Tensor("layers.1.w1").Shape);
        Assert.Equal([8, 6], file.Tensor("layers.1.w2").Shape);
        Assert.Equal([4, 8], file.Tensor("layers.0.wk").Shape);
        // The embedding takes 40 elements and two norms 16, two wq 128: the second wk begins behind the first.
        Assert.Equal((40 + 16 + 128 + 32) / 1000f, Check.Floats(file.Read("layers.1.wk"))[0]);
        Assert.Equal((40 + 8) / 1000f, Check.Floats(file.Read("layers.1.rms_att_weight"))[0]);
        var rows = new byte[2 * 32];
        file.ReadRows("token_embedding_table", 3, 2, rows);
        Assert.Equal(24 / 1000f, BitConverter.ToSingle(rows));
        Check.Refused(() => file.Tensor("wcls"), "'wcls'");
        Assert.Throws<ArgumentOutOfRangeException>(() => file.ReadRows("token_embedding_table", 4, 2, rows));
    }

    [Fact]
    public void A_negative_vocabulary_means_a_classifier_of_its_own_and_tables_may_be_zero()
    {
        using var file = Llama2CFile.Open(folder.Write("x.bin", Small(shared: false, zeroTables: true)));
        Assert.False(file.Header.SharedClassifier);
        Assert.Equal(-0.039f, Check.Floats(file.Read("wcls"))[^1]);
    }

    [Fact]
    public void A_wrong_header_is_refused_by_its_field()
    {
        Refused([], "empty");
        Refused(new byte[27], "27 bytes");
        Refused(With(0, 0), "dim at byte 0 is 0");
        Refused(With(4, -6), "hidden_dim at byte 4 is -6");
        Refused(With(8, 5000), "n_layers at byte 8 is 5000", "4096");
        Refused(With(12, 3), "dim 8 and n_heads 3");
        Refused(With(12, 8), "n_heads 8", "even");
        Refused(With(16, 3), "n_kv_heads 3");
        Refused(With(20, int.MinValue), "vocab_size at byte 20");
        Refused(With(20, 6), "describes a file of", "bytes");
        Refused(With(0, 0x616b3432), "ak42");
        Refused([.. Small(), 0], "describes a file of");
        Refused(Small()[..^4], "truncated");
        Refused(With(24, 1 << 24), "describes a file of");
    }

    [Fact]
    public void A_rotary_table_of_another_base_is_refused_and_so_are_weights_that_are_not_finite()
    {
        var tables = Small().Length - 4 * 12;
        Refused(With(tables + 12, BitConverter.SingleToInt32Bits(0.5f)), "freq_cis_real", $"byte {tables + 12}", "0.5");
        Refused(With(tables + 24, BitConverter.SingleToInt32Bits(float.NaN)), "freq_cis_imag", "NaN");
        using var file = Llama2CFile.Open(folder.Write("x.bin", With(28 + 16, BitConverter.SingleToInt32Bits(float.PositiveInfinity))));
        Check.Refused(() => file.Read("token_embedding_table"), "token_embedding_table", "byte 44", "Infinity");
    }

    [Fact]
    public void Damaged_files_are_refused_or_read_but_never_break_anything() => Fuzz.Run([Small(), Small(shared: false)], 3000, bytes =>
    {
        using var file = Llama2CFile.Open(folder.Write("fuzz.bin", bytes));
        foreach (var tensor in file.Tensors)
            file.Read(tensor.Name);
    }, maxAllocated: 4 << 20);
}
