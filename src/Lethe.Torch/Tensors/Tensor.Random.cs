namespace Lethe.Torch;

internal static partial class Ops
{
    public static readonly Operator RandnGenerator = new("aten::randn", "generator");
    public static readonly Operator RandGenerator = new("aten::rand", "generator");
    public static readonly Operator RandintLowGenerator = new("aten::randint", "low_generator");
    public static readonly Operator RandpermGenerator = new("aten::randperm", "generator");
    public static readonly Operator Bernoulli = new("aten::bernoulli");
    public static readonly Operator BernoulliInPlaceFloat = new("aten::bernoulli_", "float");
    public static readonly Operator NormalInPlace = new("aten::normal_");
    public static readonly Operator UniformInPlace = new("aten::uniform_");
    public static readonly Operator Multinomial = new("aten::multinomial");
}

// Random numbers from an explicit stream, on its device.
public sealed partial class Tensor
{
    /// <summary>Standard normal.</summary>
    public static Tensor Randn(long[] shape, RandomStream stream, DType type = DType.Float32) => Ops.RandnGenerator.Call(shape, stream, type, Value.None, stream.Device);

    /// <summary>Uniform in [0, 1).</summary>
    public static Tensor Rand(long[] shape, RandomStream stream, DType type = DType.Float32) => Ops.RandGenerator.Call(shape, stream, type, Value.None, stream.Device);

    /// <summary>Whole numbers in [low, high).</summary>
    public static Tensor RandInt(long low, long high, long[] shape, RandomStream stream, DType type = DType.Int64) => Ops.RandintLowGenerator.Call(low, high, shape, stream, type, Value.None, stream.Device);

    /// <summary>0 … n−1 in random order.</summary>
    public static Tensor RandPerm(long n, RandomStream stream) => Ops.RandpermGenerator.Call(n, stream, DType.Int64, Value.None, stream.Device);

    /// <summary>1 with the probability that this holds, else 0.</summary>
    public Tensor Bernoulli(RandomStream stream) => Ops.Bernoulli.Call(this, stream);

    /// <summary>this ← 1 with the probability, else 0.</summary>
    public Tensor BernoulliInPlace(double probability, RandomStream stream) => Ops.BernoulliInPlaceFloat.CallInPlace(this, probability, stream);

    /// <summary>this ← normal.</summary>
    public Tensor NormalInPlace(double mean, double deviation, RandomStream stream) => Ops.NormalInPlace.CallInPlace(this, mean, deviation, stream);

    /// <summary>this ← uniform in [low, high).</summary>
    public Tensor UniformInPlace(double low, double high, RandomStream stream) => Ops.UniformInPlace.CallInPlace(this, low, high, stream);

    /// <summary>Indexes drawn with the weights that this holds, by row.</summary>
    public Tensor Multinomial(long samples, bool replacement, RandomStream stream) => Ops.Multinomial.Call(this, samples, replacement, stream);
}
