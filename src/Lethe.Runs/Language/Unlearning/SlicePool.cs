using Lethe.Models.Language.Checkpoints;
using Lethe.Unlearning.Language;

namespace Lethe.Runs.Language.Unlearning;

/// <summary>A slice that is edited, with the batches that it knows: what enters it, and what leaves it untouched, is kept by batch.</summary>
internal sealed class SharedSlice : IDisposable
{
    private readonly LanguageCheckpoint checkpoint;

    private SharedSlice(LanguageCheckpoint checkpoint, SliceCache cache, TextBatches forget, TextBatches retain) => (this.checkpoint, Cache, Forget, Retain) = (checkpoint, cache, forget, retain);

    /// <summary>The slice.</summary>
    public SliceCache Cache { get; }

    /// <summary>Text to forget.</summary>
    public TextBatches Forget { get; }

    /// <summary>Text to retain.</summary>
    public TextBatches Retain { get; }

    /// <summary>Loads a slice from a file that it keeps open for itself, since layers below it are read when a batch first comes.</summary>
    public static SharedSlice Open(string model, SliceOptions options, TextBatches forget, TextBatches retain)
    {
        var checkpoint = LanguageCheckpoint.Open(model);
        try
        {
            return new SharedSlice(checkpoint, SliceCache.Open(checkpoint, options.Fitting(checkpoint.Configuration, forget.Batches.Concat(retain.Batches))), forget, retain);
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Cache.Dispose();
        checkpoint.Dispose();
    }
}

/// <summary>
/// Slices that the points of a sweep share. What the layers below give, and the untouched states that retain text is held at, are the same for every method and option that edits the same slice with the same batches:
/// points after the first find them in memory, with the same numbers.
/// </summary>
internal sealed class SlicePool : IDisposable
{
    // A slice with a few thousand short texts takes about a gigabyte.
    private const int Most = 2;

    private readonly List<(string Key, SharedSlice Slice)> free = [];

    /// <summary>Takes a slice, or has it made.</summary>
    /// <param name="key">Digest of all that decides it.</param>
    /// <param name="open">Makes it.</param>
    public SharedSlice Take(string key, Func<SharedSlice> open)
    {
        var at = free.FindIndex(entry => entry.Key == key);
        if (at < 0)
            return open();
        var slice = free[at].Slice;
        free.RemoveAt(at);
        return slice;
    }

    /// <summary>Gives a slice back, with its weights as they were.</summary>
    public void Return(string key, SharedSlice slice)
    {
        slice.Cache.Restore();
        slice.Cache.ReleasePrefix();
        free.Add((key, slice));
        if (free.Count <= Most)
            return;
        free[0].Slice.Dispose();
        free.RemoveAt(0);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, slice) in free)
            slice.Dispose();
        free.Clear();
    }
}

/// <summary>A slice for the time of one forgetting; afterwards it goes back to the pool, or away where there is none.</summary>
internal sealed class SliceLease(SlicePool? pool, string key, SharedSlice slice) : IDisposable
{
    /// <summary>The slice.</summary>
    public SharedSlice Slice => slice;

    /// <summary>Takes a slice.</summary>
    public static SliceLease Take(SlicePool? pool, string key, Func<SharedSlice> open) => new(pool, key, pool is null ? open() : pool.Take(key, open));

    /// <inheritdoc/>
    public void Dispose()
    {
        if (pool is null)
            slice.Dispose();
        else
            pool.Return(key, slice);
    }
}
