using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;

namespace Lethe.Models.Language;

/// <summary>
/// Keys and values of the positions that a model has seen, kept so that each token goes through the layers once. The memory for all positions
/// is taken when a layer first runs and written in place: 2 · layers · rows · key-value heads · capacity · head size elements of the compute type.
/// </summary>
public sealed class KeyValueCache : IDisposable
{
    private readonly Tensor?[] keys, values;
    private readonly int[] lengths;
    private readonly LanguageModelConfiguration configuration;
    private readonly Dictionary<object, PositionMemory> memories = new(ReferenceEqualityComparer.Instance);

    /// <summary>An empty cache.</summary>
    /// <param name="model">The model that will fill it.</param>
    /// <param name="rows">Rows of the batch, at least 1.</param>
    /// <param name="capacity">The most positions that it can hold, at least 1.</param>
    public KeyValueCache(CausalLanguageModel model, int rows, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        (configuration, Rows, Capacity, FirstLayer) = (model.Configuration, rows, capacity, model.FromLayer);
        keys = new Tensor?[configuration.Layers];
        values = new Tensor?[configuration.Layers];
        lengths = new int[configuration.Layers];
    }

    /// <summary>Rows of the batch.</summary>
    public int Rows { get; private set; }

    /// <summary>The most positions that it can hold.</summary>
    public int Capacity { get; }

    /// <summary>Positions that it holds; of the first layer that the model has loaded.</summary>
    public int Length => lengths[FirstLayer];

    /// <summary>Bytes that the tensors of the layers that have run take.</summary>
    public long Bytes => keys.Concat(values).Sum(tensor => tensor is null ? 0 : tensor.Elements * tensor.DType.Size());

    private int FirstLayer { get; }

    /// <summary>Positions that one layer holds; layers that have not run yet hold fewer.</summary>
    public int LengthOf(int layer) => lengths[layer];

    /// <summary>Forgets all positions from one on; nothing is freed.</summary>
    /// <param name="length">Positions to keep, at most <see cref="Length"/>.</param>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        for (var layer = 0; layer < lengths.Length; layer++)
            lengths[layer] = Math.Min(lengths[layer], length);
        foreach (var memory in memories.Values)
            memory.Truncate(length);
    }

    /// <summary>Keeps some rows, in the order given and as often as given: drops rows that are done, or lets several go on from one.</summary>
    /// <param name="rows">Numbers of the rows, 0 to <see cref="Rows"/> − 1; at least one.</param>
    public void Select(ReadOnlySpan<long> rows)
    {
        if (rows.Length == 0)
            throw new ArgumentException("At least one row is kept.", nameof(rows));
        foreach (var row in rows)
            if (row < 0 || row >= Rows)
                throw new ArgumentOutOfRangeException(nameof(rows), row, $"there are rows 0 to {Rows - 1}");
        foreach (var half in (Tensor?[][])[keys, values])
            for (var layer = 0; layer < half.Length; layer++)
            {
                if (half[layer] is not { } before)
                    continue;
                using var scope = new TensorScope();
                using var noGrad = Autograd.NoGrad();
                var after = Empty(rows.Length, before);
                after.Narrow(2, 0, lengths[layer]).CopyInPlace(before.Narrow(2, 0, lengths[layer]).IndexSelect(0, Tensor.FromArray(rows, rows.Length).To(before.Device)));
                half[layer] = TensorScope.Detach(after);
                before.Dispose();
            }
        foreach (var memory in memories.Values)
            memory.Select(rows);
        Rows = rows.Length;
    }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        foreach (var tensor in keys.Concat(values))
            tensor?.Dispose();
        Array.Clear(keys);
        Array.Clear(values);
    }

    /// <summary>Takes the keys and values of new positions, (B, key-value heads, T, head size) each, and gives those of all positions.</summary>
    internal (Tensor Keys, Tensor Values) Append(int layer, Tensor key, Tensor value)
    {
        var (past, count) = (lengths[layer], (int)key.Size(2));
        if (past + count > Capacity)
            throw new InvalidOperationException($"The cache holds {past} of at most {Capacity} positions; {count} more do not fit.");
        if (key.Size(0) != Rows)
            throw new InvalidOperationException($"The cache has {Rows} rows; it was given {key.Size(0)}.");
        var (k, v) = (keys[layer] ??= TensorScope.Detach(Empty(Rows, key)), values[layer] ??= TensorScope.Detach(Empty(Rows, value)));
        // Not part of any graph: what is written here is read by later forwards.
        using (Autograd.NoGrad())
        {
            k.Narrow(2, past, count).CopyInPlace(key);
            v.Narrow(2, past, count).CopyInPlace(value);
        }
        lengths[layer] = past + count;
        return (k.Narrow(2, 0, past + count), v.Narrow(2, 0, past + count));
    }

    /// <summary>What somebody keeps for each position; empty when it is first asked for.</summary>
    internal PositionMemory Memory(object owner, int fields)
    {
        if (!memories.TryGetValue(owner, out var memory))
            memories.Add(owner, memory = new PositionMemory(Rows, Capacity, fields));
        return memory;
    }

    private Tensor Empty(int rows, Tensor like) =>
        Tensor.Empty([rows, configuration.KeyValueHeads, Capacity, configuration.HeadSize], like.DType, like.Device);
}
