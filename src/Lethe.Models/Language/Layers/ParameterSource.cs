using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;

namespace Lethe.Models.Language.Layers;

/// <summary>What a parameter is for, which decides its initial values.</summary>
internal enum ParameterRole
{
    Matrix,
    /// <summary>A matrix whose result is added to the residual stream; GPT-2 starts it smaller, the more layers there are.</summary>
    ResidualMatrix,
    Bias,
    /// <summary>The factor of a norm.</summary>
    Factor,
    /// <summary>What a norm's factor is more than 1 (Gemma).</summary>
    FactorLessOne,
}

/// <summary>Where the parameters of a model come from: a checkpoint, or chance.</summary>
internal abstract class ParameterSource
{
    private readonly List<Module> made = [];

    public abstract DType Type { get; }

    public abstract Device Device { get; }

    /// <summary>Whether products take x rounded to the type of the weights.</summary>
    public virtual bool RoundedProducts => false;

    public abstract bool IsTrainable(string name);

    /// <summary>Writes a parameter's values into a tensor of the right shape.</summary>
    public abstract void Fill(Tensor destination, string name, ParameterRole role);

    /// <summary>Remembers a part, so that none outlives a model that could not be finished.</summary>
    public void Register(Module part) => made.Add(part);

    /// <summary>The model is finished, or its parts are freed.</summary>
    public virtual void Finish(bool succeeded)
    {
        if (!succeeded)
            made.ForEach(part => part.Dispose());
        made.Clear();
    }

    public Tensor Make(string name, long[] shape, ParameterRole role)
    {
        var tensor = Tensor.Empty(shape, Type, Device);
        Fill(tensor, name, role);
        return tensor;
    }
}

/// <summary>Parameters of a checkpoint, read piece by piece to where they will live.</summary>
internal sealed class CheckpointParameters(LanguageModelConfiguration configuration, IWeightSource weights, LoadOptions options) : ParameterSource
{
    // Bytes that are read before they are converted: small beside any model, large beside the cost of a call.
    private const int PieceBytes = 4 << 20;

    private readonly HashSet<string> trainable = new(options.TrainableParameters, StringComparer.Ordinal);
    private byte[] piece = [];

    public override DType Type => options.DType;

    public override Device Device => options.Device;

    public override bool RoundedProducts => options.RoundedProducts;

    public override bool IsTrainable(string name) => options.TrainAll || trainable.Contains(name);

    public override void Finish(bool succeeded)
    {
        piece = [];
        base.Finish(succeeded);
    }

    public override void Fill(Tensor destination, string name, ParameterRole role)
    {
        var (shape, stored) = weights.Describe(name);
        if (!destination.Shape.SequenceEqual(shape))
            throw new BadInputException($"{weights.Where(name)}: tensor '{name}' has the shape [{string.Join(", ", shape)}]; the configuration ({configuration.ModelType}, "
                + $"{configuration.Layers} layers, width {configuration.HiddenSize}, vocabulary {configuration.VocabularySize}) asks for [{string.Join(", ", destination.Shape.ToArray())}].");
        if (!stored.IsFloatingPoint())
            throw new BadInputException($"{weights.Where(name)}: tensor '{name}' holds {stored}; weights are real numbers.");
        var rowBytes = shape.Skip(1).Aggregate((long)stored.Size(), (product, size) => checked(product * size));
        var rows = (int)Math.Clamp(PieceBytes / Math.Max(1, rowBytes), 1, Math.Max(1, shape[0]));
        if (piece.Length < rows * rowBytes)
            piece = new byte[checked((int)(rows * rowBytes))];
        for (var first = 0L; first < shape[0]; first += rows)
        {
            using var scope = new TensorScope();
            var count = Math.Min(rows, shape[0] - first);
            var bytes = piece.AsSpan(0, (int)(count * rowBytes));
            weights.ReadRows(name, first, count, bytes);
            destination.Narrow(0, first, count).CopyInPlace(bytes, stored);
        }
    }
}

/// <summary>
/// Initial values as transformers draws them: matrices normal with deviation 0.02 (initializer_range's default in all of these families), biases 0,
/// norms 1; GPT-2's matrices before the residual stream with 0.02 / √(2 · layers).
/// </summary>
internal sealed class RandomParameters(LanguageModelConfiguration configuration, RandomStream random, DType type) : ParameterSource
{
    private const double Deviation = 0.02;

    public override DType Type => type;

    public override Device Device => random.Device;

    public override bool IsTrainable(string name) => true;

    public override void Fill(Tensor destination, string name, ParameterRole role) => _ = role switch
    {
        ParameterRole.Matrix => destination.NormalInPlace(0, Deviation, random),
        ParameterRole.ResidualMatrix => destination.NormalInPlace(0, configuration.ModelType == "gpt2" ? Deviation / Math.Sqrt(2.0 * configuration.Layers) : Deviation, random),
        ParameterRole.Factor => destination.FillInPlace(1),
        _ => destination.ZeroInPlace(),
    };
}
