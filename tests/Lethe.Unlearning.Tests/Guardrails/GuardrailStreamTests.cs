using Lethe.Models.Language;
using Lethe.Models.Language.Generation;
using Lethe.Models.SparseAutoencoders;
using Lethe.Torch;
using Lethe.Unlearning.Guardrails;

namespace Lethe.Unlearning.Tests.Guardrails;

/// <summary>Whatever way text comes in — at once, in pieces, token by token, in a batch, after a shared beginning — a guardrail sees and does the same.</summary>
public sealed class GuardrailStreamTests
{
    public static TheoryData<string> Gates => new("dynamic", "sum", "latched", "window", "conditional");

    private static Guardrail Make(Ground ground, string gate) => gate switch
    {
        "dynamic" => ground.Guardrail(new DynamicGuardrailOptions { Strength = 2 }, threshold: 0.3),
        "sum" => ground.Guardrail(new StreamGuardrailOptions { Strength = 2 }, threshold: 1.5),
        "latched" => ground.Guardrail(new StreamGuardrailOptions { Strength = 2, Latch = true }, threshold: 1.5),
        "window" => ground.Guardrail(new StreamGuardrailOptions { Strength = 2, Statistic = StreamStatistic.Window, Window = 5 }, threshold: 0.5),
        _ => ground.Guardrail(new ConditionalClampOptions { Value = -2, Threshold = 0.01 }),
    };

    [TorchTheory, MemberData(nameof(Gates))]
    public void A_row_says_in_a_padded_batch_what_it_says_alone(string gate)
    {
        using var ground = new Ground();
        using var guardrail = Make(ground, gate);
        string[] alone = ["-aa-ab-aaa-a", "-b-aaa", "aab"];
        var left = ground.Run(guardrail, [.. alone.Select(row => row.PadLeft(12))]).Reading;
        var right = ground.Run(guardrail, [.. alone.Select(row => row.PadRight(12))]).Reading;
        foreach (var (row, text) in alone.Index())
        {
            var own = ground.Run(guardrail, text).Reading;
            if (row == 0)
                Assert.Contains('!', Ground.Edits(own));
            Same(gate, Ground.Statistics(own), Ground.Statistics(left, row)[^text.Length..]);
            Assert.Equal(Ground.Edits(own), Ground.Edits(left, row)[^text.Length..]);
            Same(gate, Ground.Statistics(own), Ground.Statistics(right, row)[..text.Length]);
            Assert.Equal(Ground.Edits(own), Ground.Edits(right, row)[..text.Length]);
            Assert.Equal(new string(' ', 12 - text.Length), Ground.Edits(left, row)[..^text.Length]);
        }
    }

    [TorchTheory, MemberData(nameof(Gates))]
    public void Text_in_pieces_gives_what_text_at_once_gives_also_after_the_cache_forgot_its_end(string gate)
    {
        using var ground = new Ground();
        using var noGrad = Autograd.NoGrad();
        using var guardrail = Make(ground, gate);
        const string text = "-aa-abbaaa--a-b-aa";
        var whole = ground.Run(guardrail, text).Reading;
        var (ids, _) = Ground.Texts(text);
        ground.Model.Guard = guardrail;
        var expected = ground.Model.Hidden(ids);
        using var cache = new KeyValueCache(ground.Model, 1, 40);
        var (statistics, edits) = (new List<double>(), "");
        guardrail.Observer = found => { statistics.AddRange(Ground.Statistics(found)); edits += Ground.Edits(found); };
        Tensor Feed(string piece) => ground.Model.Hidden(Ground.Texts(piece).Ids, new ForwardContext { Cache = cache });

        foreach (var (from, count) in new[] { (0, 1), (1, 4), (5, 1), (6, 1), (7, 11) })
        {
            var hidden = Feed(text.Substring(from, count));
            // Keys and values of other batch shapes: the last digits of float32 sums, passed through four layers.
            Assert.InRange((hidden - expected.Narrow(1, from, count)).Abs().Max().Item(), 0, 1e-3);
        }
        Same(gate, Ground.Statistics(whole), statistics);
        Assert.Equal(Ground.Edits(whole), edits);

        // Another end after the same beginning, and then the first one again.
        cache.Truncate(6);
        Feed("aaaaaaaaaaaa");
        cache.Truncate(6);
        cache.Select([0, 0]);
        statistics.Clear();
        ground.Model.Hidden(Ground.Texts(text[6..], text[6..]).Ids, new ForwardContext { Cache = cache });
        Same(gate, Ground.Statistics(whole)[6..], statistics);
    }

    [TorchTheory, MemberData(nameof(Gates))]
    public void Generation_with_a_cache_gives_the_tokens_of_generation_without(string gate)
    {
        using var ground = new Ground();
        using var noGrad = Autograd.NoGrad();
        using var sae = Lively(ground.Model);
        long[] latents = [1, 4, 9];
        using var guardrail = Guardrail.Create(sae, latents, gate switch
        {
            "dynamic" => new DynamicGuardrailOptions { Strength = 6 },
            "sum" => new StreamGuardrailOptions { Strength = 6 },
            "latched" => new StreamGuardrailOptions { Strength = 6, Latch = true },
            "window" => new StreamGuardrailOptions { Strength = 6, Statistic = StreamStatistic.Window, Window = 6 },
            _ => new ConditionalClampOptions { Value = -6 },
        }, new GuardrailCalibration { Threshold = gate is "conditional" ? 0.2 : 0.45, FiringRate = 0.2, Positions = 1000 });
        int[][] prompts = [[5, 7, 40, 12, 90, 33, 21, 60], [9, 14], [100, 3, 77, 50, 61]];
        var options = new GenerationOptions { MaximumTokens = 20 };
        var plain = TokenGeneration.Run(ground.Model, prompts, options);
        var (touched, quiet) = (0, 0);
        guardrail.Observer = found => { touched += found.Edited.Cast<bool>().Count(edited => edited); quiet += found.Counted.Cast<bool>().Zip(found.Edited.Cast<bool>()).Count(pair => pair is (true, false)); };
        ground.Model.Guard = guardrail;
        var made = TokenGeneration.Run(ground.Model, prompts, options);
        Assert.True(touched > 0 && quiet > 0, $"{touched} positions edited, {quiet} not");
        Assert.Contains(made.Zip(plain), pair => !pair.First.Tokens.SequenceEqual(pair.Second.Tokens));
        foreach (var (row, prompt) in prompts.Index())
        {
            var all = prompt.Select(id => (long)id).ToList();
            foreach (var token in made[row].Tokens)
            {
                Assert.Equal(token, (int)ground.Model.Logits(Tensor.FromArray(all.ToArray(), 1, all.Count)).Select(1, all.Count - 1).Argmax(-1).Item());
                all.Add(token);
            }
        }
    }

    [TorchFact]
    public void Several_documents_in_a_row_are_refused()
    {
        using var ground = new Ground();
        using var guardrail = ground.Guardrail(new ClampOptions());
        ground.Model.Guard = guardrail;
        var (ids, _) = Ground.Texts("-a-a");
        Assert.Contains("rows of one text each", Assert.Throws<InvalidOperationException>(() => ground.Model.Logits(ids, new ForwardContext { Documents = ids.ZerosLike() })).Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void Gradients_flow_through_an_edit()
    {
        using var ground = new Ground();
        using var guardrail = ground.Guardrail(new ClampOptions { Strength = 1 });
        var (ids, _) = Ground.Texts("-a-");
        var x = ground.Model.Embed(ids).Detach().Clone();
        x.RequiresGrad = true;
        guardrail.Visit(guardrail.Site, x).Sum().Backward();
        var gradient = x.Grad!.Select(0, 0);
        // Untouched positions: the identity. At an edited one x′ = x + (−1 − z) W_dec with z = w·x − b: 1 − Σ W_dec · w.
        Assert.Equal(1, gradient.Select(0, 0).Select(0, 0).Item());
        var expected = ground.Sae.Encoder.Select(1, 2) * -ground.Sae.Decoder.Select(0, 2).Sum() + 1.0;
        Assert.InRange((gradient.Select(0, 1) - expected).Abs().Max().Item(), 0, 1e-4);
    }

    // Counts and sums of firings are the same to the bit; a level is a float32 sum, whose last digits differ with the batch's shape.
    private static void Same(string gate, IReadOnlyList<double> expected, IReadOnlyList<double> found)
    {
        Assert.Equal(expected.Count, found.Count);
        for (var k = 0; k < expected.Count; k++)
            Assert.Equal(expected[k], found[k], gate == "conditional" ? 1e-5 : 0);
    }

    /// <summary>A random autoencoder in the middle of the model, whose latents fire now and then.</summary>
    private static SparseAutoencoder Lively(CausalLanguageModel model)
    {
        using var scope = new TensorScope();
        using var random = new RandomStream(11);
        var size = model.HiddenSize;
        return Architectures.Create(new SparseAutoencoderConfiguration { Architecture = ReluAutoencoder.Name, InputSize = size, Width = 12, SubtractDecoderBias = false, Site = new SaeSite("layers.1.residual_after", 1) }, new Dictionary<string, HostArray>
        {
            ["W_enc"] = (Tensor.Randn([size, 12], random) * 0.3).ToHost(),
            ["W_dec"] = (Tensor.Randn([12, size], random) * 0.3).ToHost(),
            ["b_enc"] = Tensor.Full([12], -0.5).ToHost(),
            ["b_dec"] = Tensor.Zeros([size]).ToHost(),
        }, "test");
    }
}
