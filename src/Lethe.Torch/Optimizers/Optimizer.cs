namespace Lethe.Torch;

/// <summary>
/// Changes parameters along their gradients. The state (moments, step count) is kept by parameter name, is saved with
/// <see cref="Save"/> and continues exactly after <see cref="Load"/>.
/// </summary>
/// <example><code>
/// optimizer.ZeroGrad();
/// loss.Backward();
/// optimizer.LearningRate = schedule.At(step);
/// optimizer.Step();
/// </code></example>
public abstract class Optimizer : IDisposable
{
    private readonly string[] names;
    private readonly List<(string Kind, Tensor[] Tensors)> states = [];

    private protected Optimizer(IEnumerable<(string Name, Tensor Tensor)> parameters, double learningRate)
    {
        var entries = parameters.ToArray();
        names = [.. entries.Select(entry => entry.Name)];
        Parameters = [.. entries.Select(entry => entry.Tensor)];
        if (names.Length == 0)
            throw new ArgumentException("There is no parameter to optimize.", nameof(parameters));
        if (names.Distinct().Count() != names.Length)
            throw new ArgumentException("Two parameters have the same name.", nameof(parameters));
        LearningRate = learningRate;
    }

    /// <summary>Names of the parameters, in the order of <see cref="Parameters"/> and of the gradients that <see cref="Step(Tensor[])"/> takes.</summary>
    public IReadOnlyList<string> Names => names;

    /// <summary>What is changed.</summary>
    public Tensor[] Parameters { get; }

    /// <summary>How far a step goes; 0 or more. Set before a step wherever a schedule asks for it.</summary>
    public double LearningRate { get; set => field = Require(nameof(LearningRate), value, value >= 0, "0 or more"); }

    /// <summary>Steps done so far.</summary>
    public long Steps { get; private set; }

    /// <summary>The gradients that backward has collected, in the order of <see cref="Parameters"/>.</summary>
    /// <exception cref="InvalidOperationException">A parameter has none; the message names it.</exception>
    public Tensor[] Gradients()
    {
        var gradients = new Tensor[names.Length];
        for (var k = 0; k < gradients.Length; k++)
            gradients[k] = Parameters[k].Grad ?? throw new InvalidOperationException($"The parameter '{names[k]}' has no gradient: it has no part in the loss, or Backward was not called.");
        return gradients;
    }

    /// <summary>Does a step with the gradients that backward has collected.</summary>
    /// <exception cref="InvalidOperationException">A parameter has no gradient; the message names it.</exception>
    public void Step()
    {
        using var scope = new TensorScope();
        Step(Gradients());
    }

    /// <summary>
    /// Does a step with the given gradients, for example after direct gradients were added or after clipping. Their values are not
    /// needed afterwards and may have changed.
    /// </summary>
    /// <param name="gradients">One for each of <see cref="Parameters"/>, of its shape, element type and device.</param>
    public void Step(Tensor[] gradients)
    {
        if (gradients.Length != Parameters.Length)
            throw new ArgumentException($"{gradients.Length} gradients were given for {Parameters.Length} parameters.", nameof(gradients));
        using var noGrad = Autograd.NoGrad();
        using var scope = new TensorScope();
        Steps++;
        Update(gradients);
    }

    /// <summary>Forgets the collected gradients, so that the next backward starts from nothing.</summary>
    public void ZeroGrad()
    {
        foreach (var parameter in Parameters)
            parameter.Grad = null;
    }

    /// <summary>Writes everything that the next step depends on, besides the parameters themselves.</summary>
    /// <param name="state">Where to.</param>
    /// <param name="prefix">Put before each name, for example "optimizer.".</param>
    public void Save(StateWriter state, string prefix)
    {
        state.Add(prefix + "steps", Steps);
        state.Add(prefix + "learning_rate", LearningRate);
        foreach (var (kind, tensors) in states)
            for (var k = 0; k < names.Length; k++)
                state.Add($"{prefix}{kind}.{names[k]}", tensors[k].ToHost());
    }

    /// <summary>Goes on from what <see cref="Save"/> wrote: the next steps equal those of an optimizer that was never interrupted.</summary>
    /// <exception cref="BadInputException">An entry is missing or of another shape or element type.</exception>
    public void Load(StateReader state, string prefix)
    {
        using var noGrad = Autograd.NoGrad();
        using var scope = new TensorScope();
        foreach (var (kind, tensors) in states)
            for (var k = 0; k < names.Length; k++)
                tensors[k].CopyInPlace(Tensor.From(state.Array($"{prefix}{kind}.{names[k]}", tensors[k])));
        Steps = state.Integer(prefix + "steps");
        LearningRate = state.Real(prefix + "learning_rate");
    }

    /// <summary>Frees the state; the parameters stay.</summary>
    public void Dispose()
    {
        foreach (var (_, tensors) in states)
            foreach (var tensor in tensors)
                tensor.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Changes the parameters; called without recording, in a scope of its own.</summary>
    private protected abstract void Update(Tensor[] gradients);

    /// <summary>State that starts at zero, one tensor for each parameter; saved under the given kind.</summary>
    private protected Tensor[] State(string kind)
    {
        Tensor[] tensors = [.. Parameters.Select(parameter => TensorScope.Detach(parameter.ZerosLike()))];
        states.Add((kind, tensors));
        return tensors;
    }

    private protected static double Require(string name, double value, bool allowed, string range) =>
        allowed ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} must be {range}.");
}
