using Lethe.Torch;
using Lethe.Unlearning.Language.Subspaces;

namespace Lethe.Unlearning.Language;

/// <summary>
/// What hidden states of forget text are steered to at a layer: a random vector for all, or one that differs between groups of texts, such as entities. One for all leaves what an update cannot remove scaled down and in its old order; where
/// every entity goes elsewhere, the order of its answers is that of its target.
/// </summary>
internal sealed class SteeringTargets : IDisposable
{
    private readonly Tensor? own; // (groups, D)
    private readonly Dictionary<ulong, long> places = [];

    /// <param name="irrelevant">The subspace that targets lie in, where the kind asks for it.</param>
    /// <param name="options">Kind, and how much of a target is a group's own.</param>
    /// <param name="seed">Decides the vectors, with the layer and the group.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="length">Length of every target.</param>
    /// <param name="groups">The groups.</param>
    /// <param name="cache">The slice, whose size, type and device they get.</param>
    public SteeringTargets(OrthonormalBasis? irrelevant, SubspaceProjectionOptions options, ulong seed, int layer, double length, IEnumerable<ulong> groups, SliceCache cache)
    {
        Length = length;
        using var scope = new TensorScope();
        Tensor Direction(string name)
        {
            using var random = new RandomStream(RandomStream.ChildSeed(seed, name));
            long[] shape = [cache.Configuration.HiddenSize];
            var drawn = options.Target == TargetKind.Positive ? Tensor.Rand(shape, random, DType.Float64) : Tensor.Randn(shape, random, DType.Float64);
            if (options.Target == TargetKind.Irrelevant)
                drawn = irrelevant!.Project(drawn);
            return drawn / drawn.Norm().Item();
        }
        Tensor Finished(Tensor directions) => TensorScope.Detach((directions * length).To(cache.ComputeType).To(cache.Device));
        var shared = Direction($"target {layer}");
        Shared = Finished(shared);
        if (options.OwnTargets == 0)
            return;
        foreach (var group in groups.Distinct())
            places.Add(group, places.Count);
        var mixed = Tensor.Stack([.. places.Keys.Select(group => shared * (1 - options.OwnTargets) + Direction($"target {layer} of {group}") * options.OwnTargets)]);
        own = Finished(mixed / mixed.Norm(2, [-1], keep: true));
    }

    /// <summary>The vector for all, (D).</summary>
    public Tensor Shared { get; }

    /// <summary>Length of every target.</summary>
    public double Length { get; }

    /// <summary>The targets of a batch, (D) or (B, 1, D).</summary>
    public Tensor Of(TextBatch batch) => own is null ? Shared
        : own.IndexSelect(0, Tensor.FromArray([.. batch.Groups.Select(group => places[group])], batch.Rows).To(own.Device)).View(batch.Rows, 1, -1);

    /// <inheritdoc/>
    public void Dispose()
    {
        Shared.Dispose();
        own?.Dispose();
    }
}
