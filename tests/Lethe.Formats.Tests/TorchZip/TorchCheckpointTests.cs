using System.Numerics;
using System.Text;
using System.Text.Json;

namespace Lethe.Formats.Tests.TorchZip;

public sealed class TorchCheckpointTests
{
    private static IReadOnlyDictionary<string, HostArray> ReadAll(byte[] bytes)
    {
        using var checkpoint = TorchCheckpoint.Open(new MemoryStream(bytes), "a.pt");
        return checkpoint.ReadAll();
    }

    private static void Refused(byte[] bytes, params string[] words) => Check.Refused(() => ReadAll(bytes), ["a.pt", .. words]);

    private static void Refused(Pickle pickle, params string[] words) => Refused(pickle.Checkpoint(), ["pickle at byte", .. words]);

    [Theory]
    [InlineData("state_dict.pt", 9), InlineData("state_dict_protocol4.pt", 9), InlineData("types.pt", 12), InlineData("views.pt", 6), InlineData("nested.pt", 31)]
    public void A_checkpoint_by_torch_gives_the_tensors_that_torch_saved(string file, int count)
    {
        using var checkpoint = TorchCheckpoint.Open(Repository.Fixture("torch_zip", file));
        var golden = Golden.Read("torch_zip").GetProperty(file);
        Assert.Equal(golden.EnumerateObject().Select(tensor => tensor.Name).Order(StringComparer.Ordinal), checkpoint.Entries.Select(entry => entry.Name).Order(StringComparer.Ordinal));
        Assert.Equal(count, checkpoint.Entries.Count);
        foreach (var entry in checkpoint.Entries)
        {
            var expected = golden.GetProperty(entry.Name);
            var array = checkpoint.Read(entry.Name);
            Assert.Equal(expected.GetProperty("dtype").GetString(), "torch." + (entry.Type == DType.UInt8 ? "uint8" : entry.Type.ToString().ToLowerInvariant()));
            Assert.Equal(expected.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64()), array.Shape);
            Assert.Equal(expected.Bytes("hex"), array.Bytes.ToArray());
        }
    }

    [Fact]
    public void Values_that_are_no_tensors_have_names_too()
    {
        using var checkpoint = TorchCheckpoint.Open(Repository.Fixture("torch_zip", "nested.pt"));
        var values = checkpoint.Values;
        Assert.Equal(3L, values["epoch"]);
        Assert.Equal(0.125, values["best"]);
        Assert.Equal("größer als 漢字", values["note"]);
        Assert.Equal(true, values["done"]);
        Assert.Null(values["nothing"]);
        Assert.Equal(BigInteger.Pow(2, 63) + 5, values["seed"]);
        Assert.Equal(-70000L, values["negative"]);
        Assert.Equal((2L, 3L), (values["size.0"], values["size.1"]));
        Assert.Equal(5L, values["list.2.1"]);
        Assert.Equal(0.01, values["optimizer.param_groups.0.lr"]);
        Assert.True(checkpoint.Contains("optimizer.state.0.exp_avg"));
        Check.Refused(() => checkpoint.Read("none"), "nested.pt", "'none'", "parameter");
    }

    [Theory]
    [InlineData("whole_module.pt", "torch.nn.modules.linear.Linear"), InlineData("legacy.pt", "before 1.6"), InlineData("script.pt", "TorchScript")]
    public void What_torch_saves_otherwise_is_refused(string file, string words) =>
        Check.Refused(() => TorchCheckpoint.Open(Repository.Fixture("torch_zip", file)).Dispose(), file, words);

    [SharedFact]
    public void A_sparse_autoencoder_by_dictionary_learning_gives_its_features()
    {
        var path = SharedData.Path("fixtures", "sae", "dictionary_learning", "relu");
        using var checkpoint = TorchCheckpoint.Open(Path.Combine(path, "ae.pt"));
        using var golden = SafetensorsFile.Open(Path.Combine(path, "golden.safetensors"));
        float[] weight = Check.Floats(checkpoint.Read("encoder.weight")), encoderBias = Check.Floats(checkpoint.Read("encoder.bias")), bias = Check.Floats(checkpoint.Read("bias"));
        float[] x = Check.Floats(golden.Read("x")), z = Check.Floats(golden.Read("z"));
        for (var row = 0; row < 7; row++)
            for (var feature = 0; feature < 48; feature++)
                Assert.Equal(Math.Max(0, encoderBias[feature] + Enumerable.Range(0, 16).Sum(i => (x[row * 16 + i] - bias[i]) * weight[feature * 16 + i])), z[row * 48 + feature], 1e-5);
    }

    [Fact]
    public void A_pickle_put_together_here_is_read()
    {
        var tensor = ReadAll(Pickle.Dict("w", pickle => pickle.Tensor(6, 1, [2, 2], [1, 2])).Checkpoint())["w"];
        Assert.Equal([2L, 2L], tensor.Shape);
        Assert.Equal([1f, 3f, 2f, 4f], Check.Floats(tensor));
    }

    [Theory]
    [InlineData("os", "system"), InlineData("posix", "system"), InlineData("builtins", "eval"), InlineData("__builtin__", "exec"), InlineData("subprocess", "Popen"), InlineData("torch.hub", "load")]
    [InlineData("torch", "load"), InlineData("collections", "Counter"), InlineData("torch.storage", "_load_from_bytes"), InlineData("numpy.core.multiarray", "_reconstruct"), InlineData("torch._utils", "_rebuild_tensor_v3")]
    [InlineData("torch", "ComplexFloatStorage"), InlineData("torch", "float32"), InlineData("", ""), InlineData("collections.OrderedDict", "__init__"), InlineData("functools", "partial")]
    public void Any_other_name_is_refused_by_name(string module, string name)
    {
        Refused(new Pickle().Global(module, name).Text("echo").Op(0x85).Op('R'), $"'{module}.{name}'", "refused");
        // The same through the instruction of protocol 4.
        Refused(new Pickle().Text(module).Text(name).Op(0x93), $"'{module}.{name}'", "refused");
    }

    [Fact]
    public void Known_names_with_other_arguments_are_refused()
    {
        Refused(new Pickle().Global("collections", "OrderedDict").Int(1).Op(0x85).Op('R'), "'collections.OrderedDict'", "arguments");
        Refused(new Pickle().Global("torch", "FloatStorage").Op(')').Op('R'), "'torch.FloatStorage'", "arguments");
        Refused(new Pickle().Global("torch", "Size").Int(1).Op(0x85).Op('R'), "'torch.Size'", "arguments");
        Refused(new Pickle().Global("torch", "Size").Ints([.. new long[65]]).Op(0x85).Op('R'), "65 numbers");
        Refused(new Pickle().Global("torch._utils", "_rebuild_parameter").Ints(1, 2, 3).Op('R'), "'torch._utils._rebuild_parameter'", "arguments");
        Refused(new Pickle().Global("torch._utils", "_rebuild_tensor_v2").Ints(1, 2, 3, 4, 5, 6).Op('R'), "'torch._utils._rebuild_tensor_v2'", "arguments");
        Refused(new Pickle().Int(1).Op(')').Op('R'), "something that can be built");
        Refused(new Pickle().Global("collections", "OrderedDict").Int(1).Op('R'), "tuple of arguments");
    }

    [Theory]
    [InlineData('i'), InlineData('o'), InlineData('P'), InlineData('0'), InlineData('2'), InlineData('S'), InlineData('V'), InlineData('I'), InlineData('F'), InlineData('L'), InlineData('C'), InlineData('B'), InlineData('\u0082')]
    [InlineData('\u008f'), InlineData('\u0092'), InlineData('\u0096'), InlineData('\u0097'), InlineData('\0'), InlineData('\u00ff')]
    public void Other_instructions_are_refused(char instruction) => Refused(new Pickle().Op((byte)instruction), $"instruction 0x{(int)instruction:x2}");

    [Fact]
    public void Broken_pickles_are_refused()
    {
        Refused(Pickle.Zip([]), "truncated");
        Refused(Pickle.Zip([0x80]), "truncated");
        Refused(Pickle.Zip([0x80, 6, (byte)'.']), "protocol 6");
        Refused(Pickle.Zip([0x80, 2, (byte)'.']), "STOP leaves 0 values");
        Refused(Pickle.Zip([0x80, 2, (byte)'N', (byte)'N', (byte)'.']), "STOP leaves 2 values");
        Refused(Pickle.Zip([0x80, 2, (byte)'N', (byte)'.', 0]), "1 bytes");
        Refused(Pickle.Zip([0x80, 2, (byte)'N', (byte)'(', (byte)'.']), "1 marks");
        Refused(new Pickle().Op('t'), "mark");
        Refused(new Pickle().Op('('), "marks");
        Refused(new Pickle().Op(0x86), "more values than there are");
        Refused(new Pickle().Op('N').Op('(').Op(0x85), "more values than there are");
        Refused(new Pickle().Op('N').Op('a'), "APPEND");
        Refused(new Pickle().Op('N').Op('N').Op('a'), "APPEND");
        Refused(new Pickle().Op('N').Op('(').Op('e'), "APPENDS");
        Refused(new Pickle().Op(']').Op('N').Op('N').Op('s'), "SETITEM");
        Refused(new Pickle().Op('N').Op('(').Op('N').Op('N').Op('u'), "SETITEMS");
        Refused(new Pickle().Op('}').Op('(').Text("a").Op('u'), "key without a value");
        Refused(new Pickle().Op('}').Op('N').Op('N').Op('s'), "key is None");
        Refused(new Pickle().Op('}').Op(')').Op('N').Op('s'), "key is a tuple");
        Refused(new Pickle().Op('}').Text("a").Op('N').Op('s').Text("a").Op('N').Op('s'), "'a' twice");
        Refused(new Pickle().Op('N').Op('N').Op('b'), "BUILD");
        Refused(new Pickle().Op('h', 0), "memory 0");
        Refused(new Pickle().Op('q', 0), "nothing to remember");
        Refused(new Pickle().Op('N').Op('r', 0xff, 0xff, 0xff, 0x7f), "memory 2147483647");
        Refused(new Pickle().Op('j', 0xff, 0xff, 0xff, 0xff), "memory 4294967295");
        Refused(new Pickle().Op('X', 0xff, 0xff, 0xff, 0xff), "text of 4294967295 bytes");
        Refused(new Pickle().Op(0x8d, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), "text of 18446744073709551615 bytes");
        Refused(new Pickle().Op(0x8c, 1, 0xff), "UTF-8");
        Refused(new Pickle().Op('c', (byte)'o', (byte)'s'), "line is not ended");
        Refused(new Pickle().Op(0x8a, 200), "truncated");
        Refused(new Pickle().Op(0x95), "truncated");
        Refused(new Pickle().Int(1).Op('Q'), "persistent id");
        Refused(new Pickle().Ints(1, 2, 3, 4, 5).Op('Q'), "persistent id");
    }

    private static void RefusedTensor(long count, long offset, long[] shape, long[] strides, params string[] words) =>
        Refused(Pickle.Dict("w", pickle => pickle.Tensor(count, offset, shape, strides)), words);

    [Fact]
    public void A_tensor_must_lie_within_its_storage()
    {
        RefusedTensor(6, 0, [7], [1], "beyond the 6 elements");
        RefusedTensor(6, 1, [6], [1], "beyond");
        RefusedTensor(6, 0, [2, 3], [4, 1], "beyond");
        RefusedTensor(6, 6, [], [], "beyond");
        RefusedTensor(6, -1, [2], [1], "negative");
        RefusedTensor(6, 0, [-2], [1], "negative");
        RefusedTensor(6, 0, [2], [-1], "negative");
        RefusedTensor(6, 0, [2], [1, 1], "1 sizes and 2 strides");
        RefusedTensor(6, long.MaxValue, [2], [1], "beyond");
        RefusedTensor(6, 0, [2], [long.MaxValue], "beyond");
        RefusedTensor(6, 0, [3], [long.MaxValue / 2 + 1], "beyond");
        RefusedTensor(6, 0, [long.MaxValue, long.MaxValue], [0, 0], "overflows");
        RefusedTensor(-1, 0, [1], [1], "-1 elements");
        RefusedTensor(long.MaxValue, 0, [1], [1], "elements");
    }

    [Fact]
    public void A_tensor_that_repeats_its_storage_is_refused_because_a_few_bytes_could_claim_any_memory() =>
        RefusedTensor(6, 0, [1_000_000_000], [0], "repeats");

    [Fact]
    public void Empty_tensors_and_sizes_of_1_may_have_any_strides()
    {
        Assert.Equal([3L, 0L], ReadAll(Pickle.Dict("w", pickle => pickle.Tensor(6, 99, [3, 0], [long.MaxValue, 5])).Checkpoint())["w"].Shape);
        Assert.Equal([0f, 1f], Check.Floats(ReadAll(Pickle.Dict("w", pickle => pickle.Tensor(6, 0, [2, 1], [1, 77])).Checkpoint())["w"]));
    }

    [Fact]
    public void A_storage_must_be_there_and_as_long_as_it_says()
    {
        Refused(Pickle.Dict("w", pickle => pickle.Tensor(5, 0, [5], [1])).Checkpoint(6), "'archive/data/0' has 24 bytes", "take 20");
        Refused(Pickle.Dict("w", pickle => pickle.Tensor(6, 0, [5], [1], storage: "DoubleStorage")).Checkpoint(6), "take 48");
        Refused(Pickle.Dict("w", pickle => pickle.Tensor(6, 0, [6], [1], key: "1")).Checkpoint(6), "lacks the entry 'archive/data/1'");
        Refused(Pickle.Dict("w", pickle => pickle.Tensor(6, 0, [6], [1], key: "../data/0")).Checkpoint(6), "lacks the entry");
    }

    [Fact]
    public void A_bool_other_than_0_and_1_is_refused() =>
        Refused(Pickle.Zip(Pickle.Dict("w", pickle => pickle.Tensor(3, 0, [3], [1], storage: "BoolStorage")).Bytes, ("data/0", [0, 1, 7])), "'w'", "element 2");

    [Fact]
    public void A_flipped_bit_in_the_weights_is_found_by_the_checksum()
    {
        var bytes = Pickle.Zip(Pickle.Dict("w", pickle => pickle.Tensor(2, 0, [2], [1])).Bytes, ("data/0", "ABCDEFGH"u8.ToArray()));
        bytes[bytes.AsSpan().IndexOf("ABCDEFGH"u8)] ^= 1;
        Refused(bytes, "'archive/data/0'", "checksum");
    }

    [Fact]
    public void Other_files_are_refused()
    {
        Refused([], "no torch checkpoint");
        Refused([1, 2, 3, 4, 5], "no torch checkpoint");
        Refused([.. "PK"u8, 3, 4, 0, 0], "ZIP");
        Refused([0x80, 2, (byte)'}', (byte)'.'], "plain pickle");
        var stream = new MemoryStream();
        using (var zip = new System.IO.Compression.ZipArchive(stream, System.IO.Compression.ZipArchiveMode.Create, leaveOpen: true))
            zip.CreateEntry("a/b.txt");
        Refused(stream.ToArray(), "0 entries data.pkl");
        Refused(Pickle.Zip(new Pickle().Op('N').Bytes, ("x/data.pkl", [1])), "2 entries data.pkl");
        Refused(Pickle.Zip(new Pickle().Op('N').Bytes, ("byteorder", Encoding.ASCII.GetBytes("big"))), "'big'");
        Assert.Empty(ReadAll(Pickle.Zip(new Pickle().Op('N').Bytes, ("byteorder", Encoding.ASCII.GetBytes("little")))));
    }

    [Fact]
    public void A_storage_or_a_type_alone_is_refused() =>
        Refused(Pickle.Dict("w", pickle => pickle.Global("torch", "FloatStorage")).Checkpoint(), "'w'", "type");

    [Fact]
    public void Two_things_of_the_same_name_are_refused() =>
        Refused(new Pickle().Op('}').Text("a.b").Int(1).Op('s').Text("a").Op('}').Text("b").Int(2).Op('s').Op('s').Checkpoint(), "two things named 'a.b'");

    [Fact]
    public void A_list_that_holds_itself_is_refused() => Refused(new Pickle().Op(']').Op('q', 0).Op('h', 0).Op('a').Checkpoint(), "64 deep");

    [Fact]
    public void Deep_nesting_is_refused()
    {
        var pickle = new Pickle();
        for (var i = 0; i < 100_000; i++)
            pickle.Op(']');
        for (var i = 0; i < 99_999; i++)
            pickle.Op('a');
        Refused(pickle.Checkpoint(), "64 deep");
    }

    [Fact]
    public void Parts_that_are_repeated_without_bound_are_refused()
    {
        // Twenty lists, each ten times the one before: ten to the twentieth leaves in a few hundred bytes.
        var pickle = new Pickle().Op(']').Op('N').Op('a').Op('q', 0);
        for (byte level = 1; level <= 20; level++)
        {
            pickle.Op(']');
            for (var i = 0; i < 10; i++)
                pickle.Op('h', (byte)(level - 1)).Op('a');
            pickle.Op('q', level);
        }
        // The lists below stay on the stack; a tuple takes them.
        var bytes = new Pickle().Op('(').Op(pickle.Bytes[2..^1]).Op('t').Checkpoint();
        Refused(bytes, "repeats its parts");
    }

    [Fact]
    public void A_name_that_is_too_long_is_refused() => Refused(Pickle.Dict(new string('x', 2000), pickle => pickle.Int(1)).Checkpoint(), "1024 letters");

    [Fact]
    public void Names_that_multiply_are_refused()
    {
        // A name of a thousand letters over a list of ten thousand: 10 MB of names for 20 kB of pickle would still do, a hundred such lists would not.
        var pickle = new Pickle().Op('}').Text(new string('x', 1000)).Op(']').Op('(');
        for (var i = 0; i < 50_000; i++)
            pickle.Op('N');
        Refused(pickle.Op('e').Op('s').Checkpoint(), "names have no bound");
    }

    [Fact]
    public void Keys_that_would_collide_do_not_slow_the_reader()
    {
        // long.GetHashCode folds the halves together, so k·2^32 + k all hash to 0.
        var pickle = new Pickle().Op('}').Op('(');
        for (var k = 0L; k < 100_000; k++)
            pickle.Int((k << 32) | k).Op('N');
        var clock = System.Diagnostics.Stopwatch.StartNew();
        using var checkpoint = TorchCheckpoint.Open(new MemoryStream(pickle.Op('u').Checkpoint()), "a");
        Assert.Equal(100_000, checkpoint.Values.Count);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), $"{clock.Elapsed}");
    }

    [Fact]
    public void More_things_than_any_checkpoint_has_are_refused() =>
        Refused(Pickle.Zip([0x80, 2, (byte)'(', .. Enumerable.Repeat((byte)'N', 4_000_001), (byte)'t', (byte)'.']), "more than 4000000");

    [Fact]
    public void Damaged_pickles_are_refused_and_nothing_worse()
    {
        var storages = Enumerable.Range(0, 16).Select(i => ($"data/{i}", new byte[24])).ToArray();
        var pickles = new[] { "state_dict.pt", "state_dict_protocol4.pt", "views.pt", "nested.pt" }.Select(file =>
        {
            using var zip = System.IO.Compression.ZipFile.OpenRead(Repository.Fixture("torch_zip", file));
            using var stream = zip.Entries.Single(entry => entry.Name == "data.pkl").Open();
            var copy = new MemoryStream();
            stream.CopyTo(copy);
            return copy.ToArray();
        }).ToList();
        Fuzz.Run(pickles, 6000, bytes => RestrictedUnpickler.Load("fuzz", bytes), maxAllocated: 2 << 20);
        Fuzz.Run([Pickle.Dict("w", pickle => pickle.Tensor(6, 1, [2, 2], [1, 2])).Bytes], 3000, bytes => ReadAll(Pickle.Zip(bytes, storages)), maxAllocated: 2 << 20);
    }

    [Fact]
    public void Damaged_archives_are_refused_and_nothing_worse() =>
        Fuzz.Run([.. new[] { "state_dict.pt", "views.pt" }.Select(file => File.ReadAllBytes(Repository.Fixture("torch_zip", file)))], 3000, bytes => ReadAll(bytes), maxAllocated: 4 << 20);
}
