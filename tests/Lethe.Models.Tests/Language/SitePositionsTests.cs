using Lethe.Models.Language;
using Lethe.Torch;

namespace Lethe.Models.Tests.Language;

/// <summary>What visitors are told and may remember: numbers of a row follow its cache.</summary>
public sealed class SitePositionsTests
{
    private static readonly Site Watched = new(1, SiteKind.ResidualAfter);

    [TorchFact]
    public void Numbers_of_positions_follow_the_cache_when_it_forgets_its_end_and_when_rows_are_dropped_or_repeated()
    {
        using var loaded = Golden.Load("llama");
        using var noGrad = Autograd.NoGrad();
        var counter = new Counter();
        loaded.Model.Guard = counter;
        using var cache = new KeyValueCache(loaded.Model, 2, 12);
        void Feed(int rows, int count) => loaded.Model.Hidden(Tensor.Full([rows, count], 5, DType.Int64), new ForwardContext { Cache = cache });

        Feed(2, 3);
        Assert.Equal([[1, 2, 3], [101, 102, 103]], counter.Seen);
        cache.Select([1, 0, 1]);
        Feed(3, 2);
        Assert.Equal([[101, 102, 103, 104, 105], [1, 2, 3, 4, 5], [101, 102, 103, 104, 105]], counter.Seen);
        cache.Truncate(2);
        Feed(3, 1);
        Assert.Equal([[101, 102, 103], [1, 2, 3], [101, 102, 103]], counter.Seen);
        // Without a cache a forward is a text from its beginning.
        loaded.Model.Hidden(Tensor.Full([1, 2], 5, DType.Int64));
        Assert.Equal([[1, 2]], counter.Seen);
    }

    [TorchFact]
    public void A_visitor_that_did_not_see_the_beginning_refuses_the_cache()
    {
        using var loaded = Golden.Load("llama");
        using var noGrad = Autograd.NoGrad();
        using var cache = new KeyValueCache(loaded.Model, 1, 12);
        loaded.Model.Hidden(Tensor.Full([1, 3], 5, DType.Int64), new ForwardContext { Cache = cache });
        loaded.Model.Guard = new Counter();
        var refused = Assert.Throws<InvalidOperationException>(() => loaded.Model.Hidden(Tensor.Full([1, 1], 5, DType.Int64), new ForwardContext { Cache = cache }));
        Assert.Contains("holds 3 positions, and 0 of them passed the visitor", refused.Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void Padding_and_first_tokens_are_told_on_either_side_and_with_a_cache()
    {
        using var loaded = Golden.Load("llama");
        using var noGrad = Autograd.NoGrad();
        var watcher = new Watcher();
        using var cache = new KeyValueCache(loaded.Model, 3, 12);
        // Left padding that reaches beyond the first piece, right padding, none.
        long[,] mask = { { 0, 0, 0, 1, 1 }, { 1, 1, 0, 0, 0 }, { 1, 1, 1, 1, 1 } };
        var all = Tensor.FromArray(mask.Cast<long>().ToArray(), 3, 5);
        var ids = Tensor.Full([3, 5], 5, DType.Int64);
        loaded.Model.Hidden(ids.Narrow(1, 0, 2), new ForwardContext { Cache = cache, AttentionMask = all.Narrow(1, 0, 2), Sites = watcher });
        Assert.Equal(["..", "F-", "F-"], watcher.Rows);
        loaded.Model.Hidden(ids.Narrow(1, 2, 3), new ForwardContext { Cache = cache, AttentionMask = all, Sites = watcher });
        Assert.Equal([".F-", "...", "---"], watcher.Rows);
        loaded.Model.Hidden(ids, new ForwardContext { Sites = watcher });
        Assert.Equal(["F----", "F----", "F----"], watcher.Rows);
    }

    [TorchFact]
    public void The_models_guard_comes_before_a_calls_visitor_in_every_forward()
    {
        using var loaded = Golden.Load("llama");
        using var noGrad = Autograd.NoGrad();
        var ids = Golden.Value("llama", "input_ids").Narrow(0, 0, 1);
        var plain = loaded.Model.Logits(ids);
        loaded.Model.Guard = new Zero();
        using var recorder = new SiteRecorder([Watched]);
        var guarded = loaded.Model.Logits(ids, new ForwardContext { Sites = recorder });
        Assert.Equal(0, recorder.Values[Watched].Abs().Max().Item());
        Assert.NotEqual(plain.ToArray<float>(), guarded.ToArray<float>());
        loaded.Model.Guard = null;
        Assert.Equal(plain.ToArray<float>(), loaded.Model.Logits(ids).ToArray<float>());
    }

    /// <summary>Counts tokens of each row; a row that begins at an odd place of the batch counts from 100.</summary>
    private sealed class Counter : ISiteVisitor
    {
        public double[][] Seen { get; private set; } = [];

        public bool Wants(Site site) => site == Watched;

        public Tensor Visit(Site site, Tensor value) => throw new InvalidOperationException("Models tell the positions.");

        public Tensor Visit(Site site, Tensor value, SitePositions positions)
        {
            var memory = positions.Memory(this, 1);
            for (var row = 0; row < positions.Rows; row++)
                for (var k = positions.Past; k < positions.Past + positions.Count; k++)
                    memory.At(row, k)[0] = 1 + (k == 0 ? 100 * (row % 2) : memory.At(row, k - 1)[0]);
            Seen = [.. Enumerable.Range(0, positions.Rows).Select(row => Enumerable.Range(0, memory.Length).Select(k => memory.At(row, k)[0]).ToArray())];
            return value;
        }
    }

    private sealed class Watcher : ISiteVisitor
    {
        public string[] Rows { get; private set; } = [];

        public bool Wants(Site site) => site == Watched;

        public Tensor Visit(Site site, Tensor value) => throw new InvalidOperationException("Models tell the positions.");

        public Tensor Visit(Site site, Tensor value, SitePositions positions)
        {
            Rows = [.. Enumerable.Range(0, positions.Rows).Select(row => string.Concat(Enumerable.Range(0, positions.Count).Select(k => !positions.IsToken(row, k) ? '.' : positions.IsFirst(row, k) ? 'F' : '-')))];
            return value;
        }
    }

    private sealed class Zero : ISiteVisitor
    {
        public bool Wants(Site site) => site == Watched;

        public Tensor Visit(Site site, Tensor value) => value.ZerosLike();
    }
}
