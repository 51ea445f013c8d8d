using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Lethe.Unlearning.Language.Subspaces;

namespace Lethe.Unlearning.Language;

/// <summary>What hidden states of forget text are steered to.</summary>
public enum TargetKind
{
    /// <summary>A random vector projected into the irrelevant subspace (SSPU).</summary>
    Irrelevant,
    /// <summary>A random vector, normal in each coordinate: the control for the subspace.</summary>
    Random,
    /// <summary>A random vector with positive coordinates, uniform in [0, 1): RMU's.</summary>
    Positive,
}

/// <summary>Which subspace of the residual stream an update is confined to.</summary>
public enum Confinement
{
    /// <summary>None: the side of the stream is free.</summary>
    None,
    /// <summary>The relevant one, as the paper's is described.</summary>
    Relevant,
    /// <summary>The irrelevant one.</summary>
    Irrelevant,
    /// <summary>Both together.</summary>
    Both,
}

/// <summary>
/// Options of <see cref="SubspaceProjectionUnlearning"/>. The loss: mean ‖h(x_f) − c‖² / s + w · mean ‖h(x_r) − h₀(x_r)‖² / s, h what leaves a layer read, h₀ the same in the untouched model, s the mean of h₀² over positions and
/// dimensions, c the target. No number of the paper is public: these defaults are ours, from first trials on SmolLM2-135M (docs/sspu.md).
/// </summary>
[JsonDerivedType(typeof(InputSubspaceProjectionOptions), "sspu")]
[JsonDerivedType(typeof(ConfinedSubspaceProjectionOptions), "sspu_confined")]
[JsonDerivedType(typeof(PenalisedSubspaceProjectionOptions), "sspu_penalised")]
public abstract record SubspaceProjectionOptions : LanguageUnlearningOptions
{
    private protected SubspaceProjectionOptions()
    {
        Steps = 250;
        LearningRate = 1e-3;
    }

    /// <summary>Where the defaults come from.</summary>
    public abstract string Preset { get; }

    /// <summary>The layers whose outputs are steered and held; each has subspaces and a target of its own.</summary>
    [Description("The layers whose outputs are steered and held, from 0; 7 in our first trials, or what the choice of layers says")]
    [MinLength(1)]
    [Range(0, 1000)]
    public IReadOnlyList<int> Layers { get; init; } = [7];

    /// <summary>The layers that are edited; empty: each layer read and the two below it.</summary>
    [Description("The layers that are edited, from 0; empty: each layer read and the two below it, as in RMU")]
    [Range(0, 1000)]
    public IReadOnlyList<int> EditedLayers { get; init; } = [];

    /// <summary>What is edited of each layer.</summary>
    [Description("What is edited of each layer, by its name within the layer; mlp.last is the MLP's last matrix, as in RMU")]
    [MinLength(1)]
    public IReadOnlyList<string> Matrices { get; init; } = ["mlp.last"];

    /// <summary>What forget text is steered to.</summary>
    [Description("What forget text is steered to: irrelevant (a random vector in the irrelevant subspace), random, or positive (RMU's)")]
    public TargetKind Target { get; init; } = TargetKind.Irrelevant;

    /// <summary>Length of the target in units of the median norm of the untouched hidden states.</summary>
    [Description("Length of the target in median norms of the untouched hidden states; 3 in our first trials")]
    [Range(1e-3, 1e6)]
    public double TargetNorm { get; init; } = 3;

    /// <summary>How much of a target is an entity's own.</summary>
    [Description("How much of the target's direction is drawn for each entity by itself: 0, as published, one for all; 1, each its own")]
    [Range(0.0, 1.0)]
    public double OwnTargets { get; init; }

    /// <summary>Weight of the retain loss.</summary>
    [Description("Weight of the retain loss; 40 in our first trials (160 forgot less, 10 cost neighbours)")]
    [Range(0, 1e9)]
    public double RetainWeight { get; init; } = 40;

    /// <summary>Which subspace of the residual stream updates are confined to.</summary>
    [Description("Which subspace of the residual stream updates are confined to: none, relevant, irrelevant or both")]
    public Confinement Confinement { get; init; }

    /// <summary>λ of the soft penalty; 0 confines exactly.</summary>
    [Description("Weight of the published soft penalty on what lies outside of the subspaces, for each squared unit of the change; 0 confines exactly")]
    [Range(0, 1e12)]
    public double Penalty { get; init; }

    /// <summary>Share of protected text's energy that may lie in what updates read; 1 leaves all.</summary>
    [Description("Share of the energy of protected text that may lie in what updates read; 1 leaves the input side free, 0.1 in our first trials")]
    [Range(1e-9, 1)]
    public double InputEnergy { get; init; } = 1;

    /// <summary>Which directions of the input come first.</summary>
    [Description("Which input directions an update reads first: low_energy, as in our first trials, or contrast: most forget energy for their protected energy, which forgets more for as much protected energy")]
    public InputOrder InputOrder { get; init; } = InputOrder.LowEnergy;

    /// <summary>Texts of each kind that the input side is read from.</summary>
    [Description("The most texts of each kind (to forget, to protect) that say which input directions have little energy; a thousand short texts have more tokens than a matrix has inputs by an order of magnitude")]
    [Range(1, 10_000_000)]
    public int InputTexts { get; init; } = 1024;

    /// <summary>Share of a text to forget that is read before its positions count.</summary>
    [Description("Share of a text to forget before which no position is steered: 0 steers all; 0.5 its later half, where what it is about has been said, and the first words that many texts share are left in peace")]
    [Range(0.0, 0.99)]
    public double ForgetFrom { get; init; }

    /// <summary>Where the subspaces come from.</summary>
    [Description("Where the subspaces come from: autoencoder, or, as controls of equal rank, random and principal")]
    public SubspaceSource Subspaces { get; init; } = SubspaceSource.Autoencoder;

    /// <summary>The layers that are edited, resolved, ascending.</summary>
    public IReadOnlyList<int> ResolvedLayers => EditedLayers.Count > 0
        ? [.. EditedLayers.Distinct().Order()]
        : [.. Layers.SelectMany(layer => Enumerable.Range(Math.Max(0, layer - 2), Math.Min(layer, 2) + 1)).Distinct().Order()];
}

/// <summary>Ours: a target in the irrelevant subspace, the output side free, and updates that read only directions in which forget text has much energy for what protected text has: what held neighbours' margins best on SmolLM2-135M (docs/sspu.md).</summary>
public sealed record InputSubspaceProjectionOptions : SubspaceProjectionOptions
{
    /// <summary>The defaults.</summary>
    public InputSubspaceProjectionOptions()
    {
        (InputEnergy, InputOrder) = (0.1, InputOrder.Contrast);
        // Fewer directions move, each has to move farther; a rate that falls to nothing costs retain text less for as much forgetting.
        LearningRate = 6e-3;
        FinalShare = 0;
        Steps = 200;
    }

    /// <inheritdoc/>
    public override string Preset => "input";
}

/// <summary>Updates confined to both subspaces exactly, the input side free. Fewer numbers move, which needs about three times the rate.</summary>
public sealed record ConfinedSubspaceProjectionOptions : SubspaceProjectionOptions
{
    /// <summary>The defaults.</summary>
    public ConfinedSubspaceProjectionOptions()
    {
        Confinement = Confinement.Both;
        LearningRate = 3e-3;
    }

    /// <inheritdoc/>
    public override string Preset => "confined";
}

/// <summary>The reconstruction of the published form: all elements move, and what lies outside of the relevant subspace is penalised. Its constants are ours.</summary>
public sealed record PenalisedSubspaceProjectionOptions : SubspaceProjectionOptions
{
    /// <summary>The defaults.</summary>
    public PenalisedSubspaceProjectionOptions()
    {
        Confinement = Confinement.Relevant;
        Penalty = 1;
    }

    /// <inheritdoc/>
    public override string Preset => "penalised";
}
