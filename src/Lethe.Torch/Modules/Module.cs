namespace Lethe.Torch;

/// <summary>
/// Part of a model: named parameters, named buffers (state that is saved but not trained) and named parts. The names, joined by dots, are
/// those of the checkpoint that the model comes from.
/// </summary>
public abstract class Module : IDisposable
{
    private readonly List<(string Name, Tensor Tensor)> parameters = [];
    private readonly List<(string Name, Tensor Tensor)> buffers = [];
    private readonly List<Tensor> constants = [];
    private readonly List<(string Name, Module Module)> parts = [];

    /// <summary>Whether layers that behave differently in training (dropout, batch norm) do so. Modules start in training mode, as in PyTorch.</summary>
    public bool Training { get; private set; } = true;

    /// <summary>All parameters with their full names, in the order in which they were registered.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> NamedParameters() => Walk("", module => module.parameters);

    /// <summary>All buffers with their full names.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> NamedBuffers() => Walk("", module => module.buffers);

    /// <summary>All parameters.</summary>
    public Tensor[] Parameters() => [.. NamedParameters().Select(entry => entry.Tensor)];

    /// <summary>Number of trained elements.</summary>
    public long ParameterCount() => NamedParameters().Sum(entry => entry.Tensor.Elements);

    /// <summary>A copy of all parameters and buffers.</summary>
    public IReadOnlyDictionary<string, HostArray> StateDict() =>
        NamedParameters().Concat(NamedBuffers()).ToDictionary(entry => entry.Name, entry => entry.Tensor.ToHost());

    /// <summary>Fills all parameters and buffers. Element types are converted; shapes and names must fit exactly.</summary>
    /// <exception cref="BadInputException">A tensor is missing, left over, or of another shape; the message names it.</exception>
    public void LoadStateDict(IReadOnlyDictionary<string, HostArray> state)
    {
        var entries = NamedParameters().Concat(NamedBuffers()).ToList();
        foreach (var (name, tensor) in entries)
        {
            if (!state.TryGetValue(name, out var array))
                throw new BadInputException($"The checkpoint has no tensor '{name}', which the model needs with shape [{string.Join(", ", tensor.Shape.ToArray())}].");
            if (!tensor.Shape.SequenceEqual(array.Shape.ToArray()))
                throw new BadInputException($"The checkpoint's tensor '{name}' has shape [{string.Join(", ", array.Shape)}]; the model needs [{string.Join(", ", tensor.Shape.ToArray())}].");
        }
        var known = entries.Select(entry => entry.Name).ToHashSet();
        if (state.Keys.FirstOrDefault(name => !known.Contains(name)) is { } foreign)
            throw new BadInputException($"The checkpoint holds a tensor '{foreign}', which the model does not have; it belongs to another model.");
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        foreach (var (name, tensor) in entries)
            tensor.CopyInPlace(Tensor.From(state[name]));
    }

    /// <summary>
    /// Moves all parameters and buffers to a device; their <see cref="Tensor"/> objects stay. Initial values drawn on the CPU are then the same
    /// on every device. Comes before optimizers and averages, whose state stays where the parameters were.
    /// </summary>
    public void To(Device device)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        foreach (var (_, tensor) in NamedParameters().Concat(NamedBuffers()))
        {
            var required = tensor.RequiresGrad;
            tensor.Become(tensor.Detach().To(device));
            if (required)
                tensor.RequiresGrad = true;
        }
    }

    /// <summary>Switches training mode of this module and all of its parts.</summary>
    public void Train(bool training = true)
    {
        Training = training;
        foreach (var (_, module) in parts)
            module.Train(training);
    }

    /// <summary>Switches to evaluation: dropout off, batch norm with running statistics.</summary>
    public void Eval() => Train(false);

    /// <summary>Whether parameters collect gradients.</summary>
    public void RequiresGrad(bool value)
    {
        foreach (var (_, tensor) in NamedParameters())
            tensor.RequiresGrad = value;
    }

    /// <summary>Frees all parameters and buffers.</summary>
    public void Dispose()
    {
        foreach (var tensor in parameters.Concat(buffers).Select(entry => entry.Tensor).Concat(constants))
            tensor.Dispose();
        foreach (var (_, module) in parts)
            module.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Registers a parameter; the module owns it from now on.</summary>
    protected Tensor Parameter(string name, Tensor tensor)
    {
        TensorScope.Detach(tensor).RequiresGrad = true;
        parameters.Add((name, tensor));
        return tensor;
    }

    /// <summary>Registers a buffer; the module owns it from now on.</summary>
    protected Tensor Buffer(string name, Tensor tensor)
    {
        buffers.Add((name, TensorScope.Detach(tensor)));
        return tensor;
    }

    /// <summary>Registers a tensor that is neither trained nor saved; the module owns it from now on.</summary>
    protected Tensor Constant(Tensor tensor)
    {
        constants.Add(TensorScope.Detach(tensor));
        return tensor;
    }

    /// <summary>Registers a part; the module owns it from now on.</summary>
    protected T Part<T>(string name, T module) where T : Module
    {
        parts.Add((name, module));
        return module;
    }

    private IEnumerable<(string Name, Tensor Tensor)> Walk(string prefix, Func<Module, List<(string Name, Tensor Tensor)>> what)
    {
        foreach (var (name, tensor) in what(this))
            yield return (prefix + name, tensor);
        foreach (var (name, module) in parts)
            foreach (var entry in module.Walk(prefix + name + ".", what))
                yield return entry;
    }
}
