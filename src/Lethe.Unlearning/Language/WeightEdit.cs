using Lethe.Torch;

namespace Lethe.Unlearning.Language;

/// <summary>The trained change of some weights: update spaces, AdamW on their parameters, W = W₀ + ΔW after each step, and all that a checkpoint needs of it.</summary>
internal sealed class WeightEdit : IDisposable
{
    private readonly IReadOnlyList<string> names;
    private readonly IReadOnlyList<Tensor> weights, originals;
    private readonly LanguageUnlearningOptions options;
    private readonly IUpdateSpace[] spaces;
    private readonly (string Name, Tensor Value)[] parameters;
    private readonly AdamW optimizer;
    private readonly LearningRateSchedule schedule;
    private readonly Tensor[]? passed; // the parameters at the last check that passed; null where nobody checks

    /// <param name="names">Names of the weights.</param>
    /// <param name="weights">The weights; changed in place by <see cref="Apply"/>.</param>
    /// <param name="originals">Their values before; stay the caller's.</param>
    /// <param name="space">The update space of each weight; null: <see cref="FreeUpdate"/>.</param>
    /// <param name="options">How.</param>
    /// <param name="asked">Whether a stop criterion will be asked: the parameters of the last check that passed, at first those before any step, are then kept.</param>
    public WeightEdit(IReadOnlyList<string> names, IReadOnlyList<Tensor> weights, IReadOnlyList<Tensor> originals, Func<EditedWeight, IUpdateSpace>? space, LanguageUnlearningOptions options, bool asked)
    {
        (this.names, this.weights, this.originals, this.options) = (names, weights, originals, options);
        var made = new List<IUpdateSpace>();
        try
        {
            for (var k = 0; k < names.Count; k++)
            {
                var edited = new EditedWeight(names[k], LayerWeights.LayerOf(names[k]), originals[k], MasterType(originals[k].DType));
                made.Add(space is null ? new FreeUpdate(edited) : space(edited));
            }
        }
        catch
        {
            made.ForEach(one => one.Dispose());
            throw;
        }
        spaces = [.. made];
        parameters = [.. spaces.SelectMany((one, k) => one.Parameters.Select(entry => ($"{names[k]}.{entry.Name}", entry.Value)))];
        optimizer = new AdamW(parameters, options.LearningRate, weightDecay: options.WeightDecay, amsGrad: options.AmsGrad);
        // The rate of the last step is the final one.
        schedule = new LinearRate(options.LearningRate, options.LearningRate * options.FinalShare, Math.Max(1, options.Steps - options.WarmUp - 1)).AfterWarmUp(options.WarmUp);
        if (!asked)
            return;
        using var noGrad = Autograd.NoGrad();
        using var scope = new TensorScope();
        passed = [.. parameters.Select(entry => TensorScope.Detach(entry.Value.Clone()))];
    }

    /// <summary>Numbers that are trained.</summary>
    public long ParameterCount => parameters.Sum(entry => entry.Value.Elements);

    /// <summary>One step of AdamW along the gradients of the weights, which are not put into the weights yet.</summary>
    /// <param name="weightGradients">One for each weight.</param>
    /// <param name="step">Steps done before this one.</param>
    /// <returns>The L2 norm of the parameters' gradients before clipping.</returns>
    public double Step(IReadOnlyList<Tensor> weightGradients, long step)
    {
        using var noGrad = Autograd.NoGrad();
        using var scope = new TensorScope();
        Tensor[] gradients = [.. spaces.SelectMany((space, k) => space.Gradients(weightGradients[k].To(MasterType(originals[k].DType))))];
        var norm = (options.Clip > 0 ? GradientClipping.ByNorm(gradients, options.Clip) : GradientClipping.Norm(gradients)).Item();
        if (!double.IsFinite(norm))
            return norm; // the caller refuses it, with the parameters as they were
        optimizer.LearningRate = schedule.At(options.WarmUp > 0 ? step + 1 : step);
        optimizer.Step(gradients);
        return norm;
    }

    /// <summary>W ← W₀ + scale · ΔW.</summary>
    public void Apply(double scale = 1)
    {
        using var noGrad = Autograd.NoGrad();
        for (var k = 0; k < weights.Count; k++)
        {
            using var scope = new TensorScope();
            weights[k].CopyInPlace(Value(k, scale));
        }
    }

    /// <summary>L2 norm of all changes together, not scaled.</summary>
    public double ChangeNorm()
    {
        using var noGrad = Autograd.NoGrad();
        using var scope = new TensorScope();
        return GradientClipping.Norm([.. spaces.Select(space => space.Change())]).Item();
    }

    /// <summary>W₀ + scale · ΔW by name, in the type of the weights.</summary>
    public IReadOnlyDictionary<string, HostArray> Changed(double scale)
    {
        using var noGrad = Autograd.NoGrad();
        var changed = new Dictionary<string, HostArray>(StringComparer.Ordinal);
        for (var k = 0; k < weights.Count; k++)
        {
            using var scope = new TensorScope();
            changed.Add(names[k], Value(k, scale).To(weights[k].DType).ToHost());
        }
        return changed;
    }

    /// <summary>Asks a stop criterion, with the strength applied, and goes back if it says so.</summary>
    public StopVerdict? Ask(StopCriterion criterion, long step)
    {
        if (options.ResultScale != 1)
            Apply(options.ResultScale);
        var verdict = criterion(new StopCheck(step, [.. names.Zip(weights)]));
        using var noGrad = Autograd.NoGrad();
        using var scope = new TensorScope();
        if (verdict is null)
            foreach (var (kept, (_, value)) in passed!.Zip(parameters))
                kept.CopyInPlace(value);
        else if (verdict.GoBack)
        {
            foreach (var (kept, (_, value)) in passed!.Zip(parameters))
                value.CopyInPlace(kept);
        }
        Apply();
        return verdict;
    }

    public void Save(StateWriter state)
    {
        foreach (var (name, value) in parameters)
            state.Add("parameters." + name, value.ToHost());
        optimizer.Save(state, "optimizer.");
        foreach (var ((name, _), kept) in parameters.Zip(passed ?? []))
            state.Add("passed." + name, kept.ToHost());
    }

    public void Load(StateReader state)
    {
        using var noGrad = Autograd.NoGrad();
        using var scope = new TensorScope();
        foreach (var (name, value) in parameters)
            value.CopyInPlace(Tensor.From(state.Array("parameters." + name, value)));
        optimizer.Load(state, "optimizer.");
        foreach (var ((name, _), kept) in parameters.Zip(passed ?? []))
            kept.CopyInPlace(Tensor.From(state.Array("passed." + name, kept)));
        Apply();
    }

    public void Dispose()
    {
        optimizer.Dispose();
        foreach (var kept in passed ?? [])
            kept.Dispose();
        foreach (var space in spaces)
            space.Dispose();
    }

    private Tensor Value(int k, double scale)
    {
        var change = spaces[k].Change();
        var original = originals[k].To(change.DType);
        return scale == 1 ? original + change : original.Add(change, scale);
    }

    private static DType MasterType(DType weight) => weight == DType.Float64 ? DType.Float64 : DType.Float32;
}
