namespace Lethe.Torch.Tests;

public class RandomStreamTests
{
    [TorchFact]
    public void The_same_seed_gives_the_same_numbers()
    {
        using var a = new RandomStream(1234);
        using var b = new RandomStream(1234);
        using var c = new RandomStream(1235);
        var first = Tensor.Randn([100], a).ToArray<float>();
        Assert.Equal(first, Tensor.Randn([100], b).ToArray<float>());
        Assert.NotEqual(first, Tensor.Randn([100], c).ToArray<float>());
    }

    [TorchFact]
    public void Children_do_not_depend_on_what_the_parent_has_drawn()
    {
        using var fresh = new RandomStream(1);
        using var used = new RandomStream(1);
        Tensor.Randn([1000], used);
        using var one = fresh.Child("noise");
        using var two = used.Child("noise");
        using var other = fresh.Child("order");
        var expected = Tensor.Rand([50], one).ToArray<float>();
        Assert.Equal(expected, Tensor.Rand([50], two).ToArray<float>());
        Assert.NotEqual(expected, Tensor.Rand([50], other).ToArray<float>());
    }

    [TorchFact]
    public void Drawing_from_a_child_leaves_the_parent_where_it_is()
    {
        using var a = new RandomStream(1);
        using var b = new RandomStream(1);
        using var child = a.Child("noise");
        Tensor.Rand([50], child);
        Assert.Equal(Tensor.Rand([50], b).ToArray<float>(), Tensor.Rand([50], a).ToArray<float>());
    }

    [Fact]
    public void The_seed_of_a_child_is_fixed_for_all_time()
    {
        // First eight bytes, little-endian, of SHA-256 over the seed's eight bytes and the name: records of runs depend on it.
        Assert.Equal(BitConverter.ToUInt64(System.Security.Cryptography.SHA256.HashData([7, 0, 0, 0, 0, 0, 0, 0, (byte)'x'])), RandomStream.ChildSeed(7, "x"));
        Assert.NotEqual(RandomStream.ChildSeed(7, "x"), RandomStream.ChildSeed(7, "y"));
        Assert.NotEqual(RandomStream.ChildSeed(7, "x"), RandomStream.ChildSeed(8, "x"));
    }

    [TorchFact]
    public void A_restored_stream_goes_on_exactly()
    {
        using var stream = new RandomStream(9);
        // An odd number of single draws leaves half of a normal pair behind, which is part of the state.
        Tensor.Randn([3], stream);
        Tensor.Rand([7], stream);
        var state = stream.State();
        var expected = Everything(stream);
        Everything(stream);
        stream.Restore(state);
        Assert.Equal(expected, Everything(stream));
        using var other = new RandomStream(10);
        other.Restore(state);
        Assert.Equal(expected, Everything(other));
    }

    [TorchFact]
    public void A_state_that_is_none_is_refused()
    {
        using var stream = new RandomStream(9);
        Assert.Throws<TorchException>(() => stream.Restore(new HostArray(DType.UInt8, [3], new byte[3])));
        Assert.Throws<TorchException>(() => stream.Restore(new HostArray(DType.Float32, [1], new byte[4])));
    }

    [TorchFact]
    public void Draws_have_the_distributions_that_they_name()
    {
        using var random = new RandomStream(4);
        var normal = Tensor.Randn([100_000], random, DType.Float64);
        Assert.InRange(normal.Mean().Item(), -0.02, 0.02);
        Assert.InRange(normal.Std().Item(), 0.98, 1.02);
        var whole = Tensor.RandInt(-2, 3, [10_000], random);
        Assert.Equal((-2.0, 2.0), (whole.Min().Item(), whole.Max().Item()));
        Assert.Equal(Enumerable.Range(0, 50).Select(k => (long)k), Tensor.RandPerm(50, random).ToArray<long>().Order());
        Assert.InRange(Tensor.Full([10_000], 0.3).Bernoulli(random).Mean().Item(), 0.27, 0.33);
        Assert.InRange(Tensor.Empty([10_000]).BernoulliInPlace(0.3, random).Mean().Item(), 0.27, 0.33);
        var chosen = Tensor.FromArray([0f, 1, 3]).Multinomial(10_000, true, random).To(DType.Float32);
        Assert.InRange(chosen.Mean().Item(), 1.72, 1.78);
        Assert.InRange(Tensor.Empty([10_000]).UniformInPlace(2, 4, random).Mean().Item(), 2.97, 3.03);
        Assert.InRange(Tensor.Empty([10_000]).NormalInPlace(5, 0.1, random).Mean().Item(), 4.98, 5.02);
    }

    [TorchFact]
    public void A_freed_stream_is_refused()
    {
        var stream = new RandomStream(1);
        stream.Dispose();
        stream.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Tensor.Rand([1], stream));
    }

    [TorchFact]
    public void A_stream_on_a_device_that_is_not_there_is_refused() =>
        Assert.Throws<TorchException>(() => new RandomStream(1, new Device("cuda", 99)));

    private static double[] Everything(RandomStream stream) =>
    [
        .. Tensor.Randn([5], stream, DType.Float64).ToArray<double>(),
        .. Tensor.Randn([64], stream).To(DType.Float64).ToArray<double>(),
        .. Tensor.Rand([5], stream, DType.Float64).ToArray<double>(),
        .. Tensor.RandPerm(10, stream).To(DType.Float64).ToArray<double>(),
        .. Tensor.Empty([9]).BernoulliInPlace(0.5, stream).To(DType.Float64).ToArray<double>(),
    ];
}
