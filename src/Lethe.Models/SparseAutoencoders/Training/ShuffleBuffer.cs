using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders.Training;

/// <summary>
/// Mixes a stream: fills a block of activations, gives them out in random batches, fills the next. Memory is bounded by the block. Each block is a function of
/// stream, seed and number alone, so that resuming computes one block again and goes on to the bit, without a copy of the block in every checkpoint.
/// </summary>
/// <remarks>Peers keep half of the old block when they refill, whose content then depends on all that came before.</remarks>
public sealed class ShuffleBuffer : IDisposable
{
    private readonly IActivationStream stream;
    private readonly long rows;
    private readonly int batch;
    private readonly ulong seed;
    private readonly DType storage;
    private readonly Tensor[] blocks;
    private readonly Action<long, long>? filling;
    private Tensor? order;
    private long filled, block = -1, cursor;
    private (long Pass, long Batch) begin, next;

    /// <summary>Prepares a buffer; nothing is read yet.</summary>
    /// <param name="stream">What is mixed.</param>
    /// <param name="rows">Activations that a block holds; at least a batch.</param>
    /// <param name="batch">Activations of a batch.</param>
    /// <param name="seed">Decides the order.</param>
    /// <param name="storage">float32, or bfloat16 for half of the memory; what is given out is float32.</param>
    /// <param name="device">Where the blocks lie.</param>
    /// <param name="filling">Told after each batch that goes into a block: activations in it and all that it takes. It may throw: the block is then filled anew.</param>
    public ShuffleBuffer(IActivationStream stream, long rows, int batch, ulong seed, DType storage = DType.Float32, Device? device = null, Action<long, long>? filling = null)
    {
        if (rows < batch)
            throw new UsageException($"The shuffle buffer takes {rows} activations and a batch {batch}; the buffer must hold a batch at least.");
        (this.stream, this.rows, this.batch, this.seed, this.storage, this.filling) = (stream, rows, batch, seed, storage, filling);
        using var scope = new TensorScope();
        blocks = [.. stream.Sites.Select(site => TensorScope.Detach(Tensor.Empty([rows, site.Size], storage, device)))];
    }

    /// <summary>The next batch, float32 (batch, D) for each site; the caller's scope owns them.</summary>
    /// <exception cref="BadInputException">The corpus is too short for one block.</exception>
    public Tensor[] Next()
    {
        if (order is null || (cursor + 1) * batch > filled)
        {
            (block, begin, cursor) = (block + 1, next, 0);
            Fill();
        }
        using var scope = new TensorScope();
        var indexes = order!.Narrow(0, cursor++ * batch, batch);
        return [.. blocks.Select(values => scope.Keep(values.IndexSelect(0, indexes).To(DType.Float32)))];
    }

    /// <summary>The activations of the present block as they lie, float32 (n, D) for each site: a sample to set scales by. Fills the first block if nothing was read yet.</summary>
    public Tensor[] Sample(long most)
    {
        if (order is null)
        {
            (block, begin, cursor) = (0, next, 0);
            Fill();
        }
        using var scope = new TensorScope();
        return [.. blocks.Select(values => scope.Keep(values.Narrow(0, 0, Math.Min(most, filled)).To(DType.Float32)))];
    }

    /// <summary>Writes where the buffer stands: four numbers.</summary>
    public void Save(StateWriter state, string prefix)
    {
        state.Add(prefix + "block", block);
        state.Add(prefix + "cursor", cursor);
        state.Add(prefix + "pass", begin.Pass);
        state.Add(prefix + "batch", begin.Batch);
    }

    /// <summary>Goes on from there; the block is computed again.</summary>
    public void Load(StateReader state, string prefix)
    {
        (block, cursor) = (state.Integer(prefix + "block"), state.Integer(prefix + "cursor"));
        begin = next = (state.Integer(prefix + "pass"), state.Integer(prefix + "batch"));
        if (begin.Batch < 0 || begin.Batch > stream.Batches || cursor < 0)
            throw new BadInputException($"The checkpoint stands at batch {begin.Batch} of a pass of {stream.Batches}; it belongs to another corpus. Start the run anew in an empty folder.");
        if (block >= 0)
            Fill();
    }

    /// <summary>Frees the blocks.</summary>
    public void Dispose()
    {
        foreach (var values in blocks)
            values.Dispose();
        order?.Dispose();
    }

    private void Fill()
    {
        filled = 0;
        while (filled < rows)
        {
            if (next.Batch >= stream.Batches)
            {
                if (next.Pass == 0 && block == 0)
                    throw new BadInputException($"The corpus is too short: it gives {filled} activations, and one shuffle buffer takes {rows}. Give more text, or set a smaller buffer.");
                next = (next.Pass + 1, 0);
            }
            using var scope = new TensorScope();
            var read = stream.Read(next.Pass, next.Batch);
            // The tail of the batch that ends a block is left out; it would make the next block depend on this one.
            var take = Math.Min(read[0].Size(0), rows - filled);
            foreach (var (values, given) in blocks.Zip(read))
                values.Narrow(0, filled, take).CopyInPlace(given.Narrow(0, 0, take));
            filled += take;
            next = (next.Pass, next.Batch + 1);
            filling?.Invoke(filled, rows);
        }
        order?.Dispose();
        using var random = new RandomStream(RandomStream.ChildSeed(seed, $"block {block}"), blocks[0].Device);
        using var ordering = new TensorScope();
        order = TensorScope.Detach(Tensor.RandPerm(filled, random));
    }
}
