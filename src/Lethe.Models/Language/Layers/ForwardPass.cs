using Lethe.Torch;

namespace Lethe.Models.Language.Layers;

/// <summary>What all layers of one run share: positions, masks, the cache, who looks.</summary>
internal sealed class ForwardPass : IDisposable
{
    private readonly ForwardContext context;
    private readonly ISiteVisitor? guard;
    private SitePositions? positions;
    private readonly Dictionary<(long Queries, long Keys, long Diagonal, int? Window), Tensor?> masks = [];
    private readonly Dictionary<(long First, long Queries, long Start, long Keys), Tensor> apart = [];
        private readonly DType type;
    private readonly Device device;

    /// <param name="hidden">What enters the first layer that runs, (B, T, D).</param>
    /// <param name="first">That layer.</param>
    /// <param name="context">What the caller said.</param>
    /// <param name="rotary">Rotary positions; null where the model has others.</param>
    /// <param name="guard">Who changes values in every forward of the model; null: nobody.</param>
    public ForwardPass(Tensor hidden, int first, ForwardContext context, RotaryEmbedding? rotary, ISiteVisitor? guard = null)
    {
        (this.context, this.guard) = (context, guard);
        (Rows, Count, Past, type, device) = (hidden.Size(0), hidden.Size(1), context.Cache?.LengthOf(first) ?? 0, hidden.DType, hidden.Device);
        // As in transformers the lowest number, not −∞: a row that sees nothing at all then has a mean of all values rather than NaN.
        Lowest = type switch { DType.Float64 => double.MinValue, DType.Float16 => -65504, DType.BFloat16 => -3.3895313892515355e38, _ => float.MinValue };
        if (rotary is not null)
            (Cosines, Sines) = context.PositionIds is { } positions ? rotary.At(Checked(positions)) : rotary.At(Past, Count);
        if (context.AttentionMask is { } mask)
            Padding = Additive(mask);
        if (context.Documents is { } documents && (context.Cache is not null || documents.Dimensions != 2 || documents.Size(0) != Rows || documents.Size(1) != Count))
            throw new ArgumentException($"The documents are {documents.Describe()}; [{Rows}, {Count}] is needed, as the tokens have, and no cache.");
    }

    public long Rows { get; }

    /// <summary>New positions, T.</summary>
    public long Count { get; }

    /// <summary>Positions in the cache.</summary>
    public long Past { get; }

    /// <summary>(1 or B, T, 1, size).</summary>
    public Tensor? Cosines { get; }

    /// <inheritdoc cref="Cosines"/>
    public Tensor? Sines { get; }

    /// <summary>What is added to the scores of each key, (B, 1, 1, S): 0, or the lowest number at padding; null where there is none.</summary>
    public Tensor? Padding { get; }

    /// <summary>What stands for −∞ among scores.</summary>
    public double Lowest { get; }

    public KeyValueCache? Cache => context.Cache;

    /// <summary>Lets the model's guard, and then the visitor, see and replace a value, each if there is one and it wants to: who looks sees what goes on.</summary>
    public Tensor Visit(int layer, SiteKind kind, Tensor value)
    {
        if (guard is null && context.Sites is null)
            return value;
        var site = new Site(layer, kind);
        return Visit(context.Sites, site, Visit(guard, site, value));
    }

    private Tensor Visit(ISiteVisitor? visitor, Site site, Tensor value)
    {
        if (visitor is null || !visitor.Wants(site))
            return value;
        var next = visitor.Visit(site, value, positions ??= SitePositions.Of(context, Rows, Past, Count));
        return next.Shape.SequenceEqual(value.Shape) ? next
            : throw new InvalidOperationException($"The visitor of {site} returns {next.Describe()}; the value has the shape [{string.Join(", ", value.Shape.ToArray())}].");
    }

    /// <summary>What is added to scores (queries, keys) so that none sees what comes later, or what its window has left behind; null where all see all. Made once for all layers.</summary>
    /// <param name="queries">Number of queries.</param>
    /// <param name="keys">Number of keys.</param>
    /// <param name="diagonal">The key that stands at the first query's own position.</param>
    /// <param name="window">How many positions a query sees, its own among them; null for all.</param>
    public Tensor? Causal(long queries, long keys, long diagonal, int? window)
    {
        if (keys <= diagonal + 1 && (window is null || diagonal + queries <= window))
            return null;
        if (masks.TryGetValue((queries, keys, diagonal, window), out var known))
            return known;
        using var scope = new TensorScope();
        var ahead = Tensor.Arange(0, keys, device: device).View(1, keys) - Tensor.Arange(diagonal, diagonal + queries, device: device).View(queries, 1);
        var hidden = ahead.Gt(0);
        if (window is { } width)
            hidden = hidden.LogicalOr(ahead.Le(-width));
        var mask = TensorScope.Detach(Tensor.Zeros([queries, keys], type, device).MaskedFill(hidden, Lowest));
        masks.Add((queries, keys, diagonal, window), mask);
        return mask;
    }

    /// <summary>What is added to scores (B, 1, 1, queries, keys) so that no position sees another document; null where a row is one text. Made once for all layers.</summary>
    /// <param name="first">Position of the first query.</param>
    /// <param name="queries">Number of queries.</param>
    /// <param name="start">Position of the first key.</param>
    /// <param name="keys">Number of keys.</param>
    public Tensor? Apart(long first, long queries, long start, long keys)
    {
        if (context.Documents is not { } documents)
            return null;
        if (apart.TryGetValue((first, queries, start, keys), out var known))
            return known;
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var other = documents.Narrow(1, first, queries).View(Rows, 1, 1, queries, 1) - documents.Narrow(1, start, keys).View(Rows, 1, 1, 1, keys);
        var mask = TensorScope.Detach(Tensor.Zeros([Rows, 1, 1, queries, keys], type, device).MaskedFill(other.Ne(0), Lowest));
        apart.Add((first, queries, start, keys), mask);
        return mask;
    }

    public void Dispose()
    {
        foreach (var mask in apart.Values)
            mask.Dispose();
        foreach (var mask in masks.Values)
            mask?.Dispose();
    }

    private Tensor Additive(Tensor mask)
    {
        if (mask.Dimensions != 2 || mask.Size(0) != Rows || mask.Size(1) != Past + Count)
            throw new ArgumentException($"The attention mask is {mask.Describe()}; [{Rows}, {Past + Count}] is needed: a row for each text, {Past} positions in the cache and {Count} new ones.");
        var hidden = mask.Eq(0).View(Rows, 1, 1, Past + Count);
        return Tensor.Zeros([Rows, 1, 1, Past + Count], type, device).MaskedFill(hidden, Lowest);
    }

    private Tensor Checked(Tensor positions) => positions.Dimensions == 2 && positions.Size(0) == Rows && positions.Size(1) == Count ? positions
        : throw new ArgumentException($"The position ids are {positions.Describe()}; [{Rows}, {Count}] is needed, as the tokens have.");
}
