using System.Globalization;
using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;
using Lethe.Unlearning.Language.Subspaces;

namespace Lethe.Unlearning.Language;

/// <summary>What the method was given and made before its first step, for one layer read.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="MedianNorm">Median norm of the untouched hidden states of retain text there.</param>
/// <param name="MeanSquare">Mean of their squares over dimensions and over positions whose states are not long (<see cref="StateScale"/>): what losses are divided by.</param>
/// <param name="TargetNorm">Length of the target.</param>
/// <param name="Subspaces">The subspaces; null where none was given.</param>
public sealed record LayerSetup(int Layer, double MedianNorm, double MeanSquare, double TargetNorm, SubspaceReading? Subspaces);

/// <summary>
/// SSPU, SAE-guided subspace projection unlearning (Wang, Li, Wang, Hu and Zou, EMNLP 2025, arXiv 2505.24428; no code is public, so this is a reconstruction): hidden states of forget text are pulled to a random vector in the subspace of
/// irrelevant latents' directions while those of retain text are held, and updates are kept to a subspace:
/// minimise mean ‖h(x_f) − c‖² + w · mean ‖h(x_r) − h₀(x_r)‖², c = γ P r / ‖P r‖, P = U_irr U_irrᵀ, over ΔW = U B P₀ (exactly) or with λ ‖(I − U Uᵀ) ΔW‖² (as published).
/// </summary>
/// <remarks>
/// Where it departs from the reconstruction, and why, is in docs/methods.md: bases by singular values instead of QR, the irrelevant subspace without the relevant one, confinement by parametrisation, norms between a matrix and the residual stream
/// accounted for, and P₀, which confines what updates read and is ours.
/// </remarks>
public sealed class SubspaceProjectionUnlearning : IDisposable
{
    private readonly SteeredLayer[] steered;
    private readonly IReadOnlyDictionary<int, SubspacePair> pairs;
    private readonly Dictionary<string, OrthonormalBasis> inputs = [];

    private SubspaceProjectionUnlearning(
        SliceCache cache, TextBatches forget, TextBatches retain, IReadOnlyDictionary<int, SubspacePair> pairs, SubspaceProjectionOptions options, ulong seed, InputMoments? moments, StopCriterion? stop)
    {
        (Cache, this.pairs, Options) = (cache, pairs, options);
        Places = [.. cache.Names.Select(name => MatrixPlace.Of(cache.Model, name))];
        var setup = new List<LayerSetup>();
        var layers = new List<SteeredLayer>();
        try
        {
            foreach (var layer in cache.Reads)
            {
                var scale = cache.Norms(retain, layer);
                var (pair, length) = (pairs.GetValueOrDefault(layer), scale.MedianNorm * options.TargetNorm);
                layers.Add(new(layer, new SteeringTargets(pair?.Irrelevant, options, seed, layer, length, forget.Batches.SelectMany(batch => batch.Groups), cache), scale));
                setup.Add(new(layer, scale.MedianNorm, scale.MeanSquare, length, pair?.Read()));
            }
            (steered, Setup) = ([.. layers], setup);
            Inputs = moments is not null && options.InputEnergy < 1 ? CutInputs(moments) : [];
            Loop = new SliceUnlearning(cache, [new(forget, new LayeredSteering(steered, options.ForgetFrom), retain, new LayeredRetention(steered), options.RetainWeight)], options, Space, stop);
        }
        catch
        {
            layers.ForEach(layer => layer.Targets.Dispose());
            foreach (var basis in inputs.Values)
                basis.Dispose();
            throw;
        }
    }

    /// <summary>The steps.</summary>
    public SliceUnlearning Loop { get; }

    /// <summary>The options.</summary>
    public SubspaceProjectionOptions Options { get; }

    /// <summary>Norms, targets and subspaces of the layers read.</summary>
    public IReadOnlyList<LayerSetup> Setup { get; }

    /// <summary>What each matrix may read; empty where the input side is free.</summary>
    public IReadOnlyList<InputReading> Inputs { get; }

    internal SliceCache Cache { get; }

    internal IReadOnlyList<MatrixPlace> Places { get; }

    /// <summary>The slice that the options edit and read.</summary>
    /// <param name="weights">The checkpoint's weights.</param>
    /// <param name="options">Layers and matrices.</param>
    /// <exception cref="UsageException">A layer or matrix is not there.</exception>
    public static SliceOptions Slice(IWeightSource weights, SubspaceProjectionOptions options) =>
        new() { Weights = LayerWeights.Of(weights, options.ResolvedLayers, options.Matrices), Reads = [.. options.Layers] };

    /// <summary>Prepares forgetting: reads norms (<see cref="SliceCache.Norms"/>), and, where the input side is confined, finds what each matrix may read.</summary>
    /// <param name="cache">The slice, made with <see cref="Slice"/>; stays the caller's.</param>
    /// <param name="forget">Text of what is to be forgotten.</param>
    /// <param name="retain">Text that must stay.</param>
    /// <param name="pairs">Subspaces by layer read; stay the caller's. Not needed where neither target nor confinement asks for them.</param>
    /// <param name="options">How.</param>
    /// <param name="seed">Decides the targets.</param>
    /// <param name="inputs">What the matrices read, needed where the input side is confined (<see cref="SubspaceProjectionOptions.InputEnergy"/> below 1); stays the caller's.</param>
    /// <param name="stop">Stop criterion; null for none.</param>
    /// <exception cref="UsageException">The cache reads other layers, a matrix cannot be confined, or the input side is to be and nothing was read of it.</exception>
    /// <exception cref="BadInputException">A layer that needs subspaces has none, they are of another size, or one is of rank 0.</exception>
    public static SubspaceProjectionUnlearning Create(
        SliceCache cache, TextBatches forget, TextBatches retain, IReadOnlyDictionary<int, SubspacePair> pairs, SubspaceProjectionOptions options, ulong seed, InputMoments? inputs = null, StopCriterion? stop = null)
    {
        if (!cache.Reads.SequenceEqual(options.Layers.Distinct().Order()))
            throw new UsageException($"The slice reads layers {string.Join(", ", cache.Reads)}; the options steer layers {string.Join(", ", options.Layers)}.");
        if (!(options.Strength is >= 0 and <= 1))
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"The strength is {options.Strength}; 0 to 1 is allowed, 1 being the method and 0 no change."));
        var needed = options.Target == TargetKind.Irrelevant || options.Confinement != Confinement.None;
        foreach (var layer in cache.Reads)
            if (needed && !pairs.ContainsKey(layer))
                throw new BadInputException($"Layer {layer} has no subspaces, which its {(options.Target == TargetKind.Irrelevant ? "target" : "confinement")} needs: give an autoencoder of layers.{layer}.residual_after, or steer another layer.");
        foreach (var (layer, pair) in pairs)
            if (pair.Relevant.Size != cache.Configuration.HiddenSize)
                throw new BadInputException($"The subspaces of layer {layer} lie in {pair.Relevant.Size} dimensions; the model's residual stream has {cache.Configuration.HiddenSize}. They come from an autoencoder of another model.");
        if (options.InputEnergy < 1 && inputs is null)
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"The input side is to hold {options.InputEnergy} of protected text's energy, and what the matrices read was not looked at (InputMoments.Read)."));
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        return new(cache, forget, retain, pairs, options, seed, inputs, stop);
    }

    /// <summary>The target of a layer read that all texts share, (D); owned by this.</summary>
    public Tensor TargetOf(int layer) => TargetsOf(layer).Shared;

    internal SteeringTargets TargetsOf(int layer) => steered.First(entry => entry.Layer == layer).Targets;

    /// <summary>The subspaces of a layer read; null where it has none.</summary>
    public SubspacePair? PairOf(int layer) => pairs.GetValueOrDefault(layer);

    /// <summary>The layer read whose subspaces confine a matrix: the lowest at or above it.</summary>
    internal int ReadAbove(int layer) => Cache.Reads.First(read => read >= layer);

    /// <summary>The basis of what a matrix may read; null where it may read all.</summary>
    internal OrthonormalBasis? InputOf(string matrix) => inputs.GetValueOrDefault(matrix);

    /// <summary>Frees the loop, targets and input subspaces; the slice and the pairs stay.</summary>
    public void Dispose()
    {
        Loop.Dispose();
        foreach (var layer in steered)
            layer.Targets.Dispose();
        foreach (var basis in inputs.Values)
            basis.Dispose();
    }

    private List<InputReading> CutInputs(InputMoments moments)
    {
        var readings = new List<InputReading>();
        foreach (var place in Places)
        {
            using var scope = new TensorScope();
            var (forget, guarded) = moments.Of(place.Inputs);
            (forget, guarded) = (forget.To(Device.Cpu).To(DType.Float64), guarded.To(Device.Cpu).To(DType.Float64));
            var basis = InputSubspace.Cut(guarded, forget, Options.InputEnergy, Options.InputOrder);
            inputs.Add(place.Name, basis);
            readings.Add(new(place.Name, basis.Rank, basis.Size, InputSubspace.Share(guarded, basis), InputSubspace.Share(forget, basis)));
        }
        return readings;
    }

    private IUpdateSpace Space(EditedWeight weight)
    {
        var place = Places.First(entry => entry.Name == weight.Name);
        var read = InputOf(weight.Name);
        using var stream = Options.Confinement == Confinement.None ? null : Confined(pairs[ReadAbove(place.Layer)]);
        if (stream is null && read is null)
            return new FreeUpdate(weight);
        using var residual = stream is null ? null : place.Residual(stream);
        if (!place.Writes && residual is not null && read is not null)
            throw new UsageException($"'{weight.Name}' reads from the residual stream, so that both the subspaces and the input projector would confine the same side; set confinement to none, or input_energy to 1.");
        var (outputs, inward) = place.Writes ? (residual, read) : (null, residual ?? read);
        return Options.Penalty > 0 ? new PenalisedUpdate(weight, place, outputs, inward, Options.Penalty) : new ConfinedUpdate(weight, place, outputs, inward);
    }

    private OrthonormalBasis Confined(SubspacePair pair) => Options.Confinement switch
    {
        Confinement.Relevant => pair.Relevant.Copy(),
        Confinement.Irrelevant => pair.Irrelevant.Copy(),
        _ => pair.Both(),
    };
}
