namespace Lethe.Torch;

/// <summary>
/// Exponential moving averages of parameters: average ← decay·average + (1 − decay)·parameter after each step. Diffusion models are
/// sampled from the averages.
/// </summary>
public sealed class Ema : IDisposable
{
    private readonly string[] names;
    private readonly Tensor[] parameters;
    private readonly Tensor[] averages;
    private readonly double decay;
    private readonly bool warmUp;

    /// <summary>Starts with the parameters as they are.</summary>
    /// <param name="parameters">What is averaged, by name.</param>
    /// <param name="decay">Share of the average that stays; in [0, 1].</param>
    /// <param name="warmUp">Whether the decay is at most (1 + n) / (10 + n) at the n-th update, so that early values are soon forgotten.</param>
    public Ema(IEnumerable<(string Name, Tensor Tensor)> parameters, double decay, bool warmUp = false)
    {
        if (!(decay is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(decay), decay, "The decay must be in [0, 1].");
        this.decay = decay;
        this.warmUp = warmUp;
        using var noGrad = Autograd.NoGrad();
        using var scope = new TensorScope();
        var entries = parameters.ToArray();
        names = [.. entries.Select(entry => entry.Name)];
        this.parameters = [.. entries.Select(entry => entry.Tensor)];
        averages = [.. entries.Select(entry => TensorScope.Detach(entry.Tensor.Detach().Clone()))];
    }

    /// <summary>Updates done so far.</summary>
    public long Updates { get; private set; }

    /// <summary>Whether the parameters hold the averages at present; see <see cref="Swap"/>.</summary>
    public bool Swapped { get; private set; }

    /// <summary>The averages, named as the parameters.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> Averages => names.Zip(averages);

    /// <summary>Takes in the parameters as they are now.</summary>
    /// <exception cref="InvalidOperationException">The parameters hold the averages.</exception>
    public void Update()
    {
        RefuseSwapped();
        using var noGrad = Autograd.NoGrad();
        Updates++;
        var share = warmUp ? Math.Min(decay, (1.0 + Updates) / (10.0 + Updates)) : decay;
        Foreach.MulInPlace(averages, share);
        Foreach.AddInPlace(averages, parameters, 1 - share);
    }

    /// <summary>Begins anew with the parameters as they are now.</summary>
    /// <exception cref="InvalidOperationException">The parameters hold the averages.</exception>
    public void Restart()
    {
        RefuseSwapped();
        using var noGrad = Autograd.NoGrad();
        foreach (var (parameter, average) in parameters.Zip(averages))
            average.CopyInPlace(parameter);
        Updates = 0;
    }

    /// <summary>Exchanges the values of parameters and averages, in place: the model then computes with the averages; again, and it trains on.</summary>
    public void Swap()
    {
        using var noGrad = Autograd.NoGrad();
        foreach (var (parameter, average) in parameters.Zip(averages))
        {
            using var scope = new TensorScope();
            var value = parameter.Clone();
            parameter.CopyInPlace(average);
            average.CopyInPlace(value);
        }
        Swapped = !Swapped;
    }

    /// <summary>Writes the averages and the count of updates.</summary>
    /// <exception cref="InvalidOperationException">The parameters hold the averages.</exception>
    public void Save(StateWriter state, string prefix)
    {
        RefuseSwapped();
        state.Add(prefix + "updates", Updates);
        foreach (var (name, average) in Averages)
            state.Add(prefix + name, average.ToHost());
    }

    /// <summary>Goes on from what <see cref="Save"/> wrote.</summary>
    /// <exception cref="BadInputException">An entry is missing or of another shape or element type.</exception>
    public void Load(StateReader state, string prefix)
    {
        RefuseSwapped();
        using var noGrad = Autograd.NoGrad();
        using var scope = new TensorScope();
        foreach (var (name, average) in Averages)
            average.CopyInPlace(Tensor.From(state.Array(prefix + name, average)));
        Updates = state.Integer(prefix + "updates");
    }

    /// <summary>Frees the averages.</summary>
    public void Dispose()
    {
        foreach (var average in averages)
            average.Dispose();
    }

    private void RefuseSwapped()
    {
        if (Swapped)
            throw new InvalidOperationException("The parameters hold the averages: call Swap first.");
    }
}
