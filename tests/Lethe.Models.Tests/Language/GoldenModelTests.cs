using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;

namespace Lethe.Models.Tests.Language;

public sealed class GoldenModelTests
{
    // float32 against float32, relative to max(1, |x|): the tolerance of fixtures/README.md.
    private const double Tolerance = 1e-4;

    public static IEnumerable<object[]> Spellings => Golden.Names.SelectMany(name => (object[][])[[name, "config.json"], [name, "config_v4.json"]]);

    public static IEnumerable<object[]> Families => Golden.Names.Select(name => (object[])[name]);

    [TorchTheory, MemberData(nameof(Spellings))]
    public void Logits_and_hidden_states_are_those_of_transformers_in_either_spelling_of_the_configuration(string name, string file)
    {
        using var loaded = Golden.Load(name, file: file);
        using var noGrad = Autograd.NoGrad();
        var model = loaded.Model;
        var mask = Golden.Value(name, "attention_mask");
        var last = model.LayerCount - 1;
        using var recorder = new SiteRecorder(Enumerable.Range(0, model.LayerCount).Select(layer => new Site(layer, SiteKind.ResidualBefore)).Append(new Site(last, SiteKind.ResidualAfter)));
        var logits = model.Logits(Golden.Value(name, "input_ids"), new ForwardContext { AttentionMask = mask, Sites = recorder });

        Assert.InRange(Golden.Difference(Golden.Value(name, "logits"), logits, mask), 0, Tolerance);
        for (var layer = 0; layer <= last; layer++)
            Assert.InRange(Golden.Difference(Golden.Value(name, $"hidden_{layer}"), recorder.Values[new(layer, SiteKind.ResidualBefore)], mask), 0, Tolerance);
        Assert.InRange(Golden.Difference(Golden.Value(name, $"hidden_{last + 1}"), model.Normalise(recorder.Values[new(last, SiteKind.ResidualAfter)]), mask), 0, Tolerance);
        Assert.True(logits.IsFinite().All().Item() == 1, "padded positions mean nothing, but are finite");
    }

    [TorchTheory, MemberData(nameof(Families))]
    public void Greedy_tokens_are_those_of_transformers_with_and_without_a_cache(string name)
    {
        using var loaded = Golden.Load(name);
        using var noGrad = Autograd.NoGrad();
        var model = loaded.Model;
        var expected = Golden.Value(name, "greedy").ToArray<long>();
        var start = Golden.Value(name, "input_ids").Select(0, 0).ToArray<long>();

        var plain = start.ToList();
        while (plain.Count < expected.Length)
            plain.Add((long)model.Logits(Tensor.FromArray(plain.ToArray(), 1, plain.Count)).Select(1, plain.Count - 1).Argmax(-1).Item());
        Assert.Equal(expected, plain);

        using var cache = new KeyValueCache(model, 1, expected.Length);
        var cached = start.ToList();
        var next = start;
        while (cached.Count < expected.Length)
        {
            var logits = model.Logits(Tensor.FromArray(next, 1, next.Length), new ForwardContext { Cache = cache });
            next = [(long)logits.Select(1, next.Length - 1).Argmax(-1).Item()];
            cached.Add(next[0]);
        }
        Assert.Equal(expected, cached);
        Assert.Equal(expected.Length - 1, cache.Length);
    }

    [TorchTheory, MemberData(nameof(Families))]
    public void Positions_from_the_mask_make_a_padded_row_say_what_it_says_alone(string name)
    {
        using var loaded = Golden.Load(name);
        using var noGrad = Autograd.NoGrad();
        var ids = Golden.Value(name, "input_ids");
        var mask = Golden.Value(name, "attention_mask");
        var positions = (mask.Cumsum(1) - 1).Clamp(0);
        var together = loaded.Model.Logits(ids, new ForwardContext { AttentionMask = mask, PositionIds = positions });
        var alone = loaded.Model.Logits(ids.Narrow(0, 1, 1).Narrow(1, 5, ids.Size(1) - 5));
        // Same arithmetic in another order: float32 rounding only.
        Assert.InRange(Golden.Difference(alone, together.Narrow(0, 1, 1).Narrow(1, 5, ids.Size(1) - 5)), 0, 2e-5);
    }

    [TorchTheory, MemberData(nameof(Families))]
    public void Right_padding_changes_nothing_before_it(string name)
    {
        using var loaded = Golden.Load(name);
        using var noGrad = Autograd.NoGrad();
        var ids = Golden.Value(name, "input_ids").Narrow(0, 0, 1);
        var mask = Tensor.Ones([1, 25], DType.Int64);
        mask.Narrow(1, 20, 5).ZeroInPlace();
        var padded = loaded.Model.Logits(Tensor.Cat([ids, Tensor.Zeros([1, 5], DType.Int64)], 1), new ForwardContext { AttentionMask = mask });
        Assert.InRange(Golden.Difference(loaded.Model.Logits(ids), padded.Narrow(1, 0, 20)), 0, 2e-5);
    }
}
