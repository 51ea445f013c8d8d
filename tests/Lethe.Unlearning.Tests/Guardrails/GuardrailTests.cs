using Lethe.Models.SparseAutoencoders;
using Lethe.Torch;
using Lethe.Unlearning.Guardrails;

namespace Lethe.Unlearning.Tests.Guardrails;

/// <summary>What each kind does, in closed form.</summary>
public sealed class GuardrailTests
{
    // Two float32 sums of 32 terms around values of a few units.
    private const double Tolerance = 1e-4;

    [TorchTheory]
    [InlineData(ReluAutoencoder.Name)]
    [InlineData(TopKAutoencoder.Name)]
    [InlineData(JumpReluAutoencoder.Name)]
    public void Zero_ablation_takes_away_what_active_latents_write_and_keeps_every_other_bit(string architecture)
    {
        using var ground = new Ground(architecture);
        using var guardrail = ground.Guardrail(new ZeroAblationOptions());
        var (reading, before, after) = ground.Run(guardrail, "a-a-b-", "------");
        // The first token of a row is left alone, though its latent is active.
        Assert.Equal(" .!.!.", Ground.Edits(reading));
        Expect(ground, before, after, (0, 2, -ground.LevelA, 0), (0, 4, 0, -ground.LevelB));
    }

    [TorchFact]
    public void A_clamp_sets_each_active_latent_to_minus_its_strength_and_leaves_the_others()
    {
        using var ground = new Ground();
        using var absolute = ground.Guardrail(new ClampOptions { Strength = 3 });
        var (_, before, after) = ground.Run(absolute, "-ab-");
        Expect(ground, before, after, (0, 1, -3 - ground.LevelA, 0), (0, 2, 0, -3 - ground.LevelB));

        // In units of the latents' means, which here are what they always are.
        using var relative = ground.Guardrail(new ClampOptions { Strength = 3, Relative = true });
        (_, before, after) = ground.Run(relative, "-ab-");
        Expect(ground, before, after, (0, 1, -4 * ground.LevelA, 0), (0, 2, 0, -4 * ground.LevelB));
    }

    [TorchFact]
    public void A_conditional_clamp_answers_to_what_exceeds_its_threshold()
    {
        using var ground = new Ground();
        var (low, high) = (Math.Min(ground.LevelA, ground.LevelB), Math.Max(ground.LevelA, ground.LevelB));
        Assert.True(high > 1.01 * low);
        var highIsA = ground.LevelA == high;
        using var between = ground.Guardrail(new ConditionalClampOptions { Threshold = (low + high) / 2, Value = -2 });
        var (_, before, after) = ground.Run(between, "-ab-");
        Expect(ground, before, after, highIsA ? (0, 1, -2 - high, 0) : (0, 2, 0, -2 - high));

        // The threshold of the retain text, where none is given.
        using var calibrated = ground.Guardrail(new ConditionalClampOptions { Value = -2 }, threshold: high * 1.001);
        (_, before, after) = ground.Run(calibrated, "-ab-");
        Expect(ground, before, after);
    }

    [TorchFact]
    public void A_refusal_sets_its_latent_or_adds_its_direction_where_any_latent_exceeds_the_threshold()
    {
        using var ground = new Ground();
        using var latent = ground.Guardrail(new RefusalClampOptions { RefusalLatent = 1, Value = 5, Threshold = 0 });
        var (_, before, after) = ground.Run(latent, "-a-b");
        var row = ground.Sae.Decoder.Select(0, 1) * 5.0;
        Assert.InRange((after.Select(0, 0).Select(0, 1) - before.Select(0, 0).Select(0, 1) - row).Abs().Max().Item(), 0, Tolerance);
        Assert.InRange((after.Select(0, 0).Select(0, 3) - before.Select(0, 0).Select(0, 3) - row).Abs().Max().Item(), 0, Tolerance);
        Same(before, after, (0, 0), (0, 2));

        using var random = new RandomStream(8);
        var direction = Tensor.Randn([ground.Model.HiddenSize], random);
        using var added = Guardrail.Create(ground.Sae, [2, 4], new RefusalClampOptions { Value = -4, Threshold = 0 }, GuardrailCalibration.None, direction);
        (_, before, after) = ground.Run(added, "-a-b");
        var expected = direction / direction.Norm() * -4.0;
        Assert.InRange((after.Select(0, 0).Select(0, 1) - before.Select(0, 0).Select(0, 1) - expected).Abs().Max().Item(), 0, Tolerance);
        Same(before, after, (0, 0), (0, 2));
    }

    [TorchFact]
    public void The_dynamic_guardrail_sets_all_latents_once_the_share_of_positions_exceeds_its_threshold()
    {
        using var ground = new Ground();
        using var guardrail = ground.Guardrail(new DynamicGuardrailOptions { Strength = 2, Beginning = 4 }, threshold: 0.4);
        var (reading, before, after) = ground.Run(guardrail, "aa-ab--a-");
        // Of the 8 that count (not the first): fired 1 1 2 3 3 3 4 4, over at least 4.
        Assert.Equal([0, 1 / 4.0, 1 / 4.0, 2 / 4.0, 3 / 4.0, 3 / 5.0, 3 / 6.0, 4 / 7.0, 4 / 8.0], Ground.Statistics(reading));
        Assert.Equal(" ..!!..!.", Ground.Edits(reading));
        // Both latents become −2, also the one that was 0.
        Expect(ground, before, after, (0, 3, -2 - ground.LevelA, -2), (0, 4, -2, -2 - ground.LevelB), (0, 7, -2 - ground.LevelA, -2));
    }

    [TorchFact]
    public void Harmless_text_around_a_request_lowers_the_share_but_neither_the_cumulative_sum_nor_the_window()
    {
        using var ground = new Ground();
        const string request = "aabaaba";
        var harmless = new string('-', 60);
        double Largest(GuardrailOptions options, string text)
        {
            using var guardrail = ground.Guardrail(options, threshold: 0.1);
            var (reading, _, _) = ground.Run(guardrail, text);
            return Ground.Statistics(reading).Max();
        }
        var (share, sum, window) = (new DynamicGuardrailOptions(), new StreamGuardrailOptions(), new StreamGuardrailOptions { Statistic = StreamStatistic.Window });
        Assert.True(Largest(share, "-" + harmless + request) < 0.2 * Largest(share, "-" + request));
        Assert.Equal(Largest(sum, "-" + request), Largest(sum, "-" + harmless + request + harmless));
        Assert.Equal(Largest(window, "-" + request), Largest(window, "-" + harmless + request + harmless));
    }

    [TorchFact]
    public void A_stream_forgets_what_is_past_unless_it_is_latched()
    {
        using var ground = new Ground();
        var text = "-aaaa" + new string('-', 40) + "a-";
        using var open = ground.Guardrail(new StreamGuardrailOptions { Strength = 1 }, threshold: 1.2);
        using var latched = ground.Guardrail(new StreamGuardrailOptions { Strength = 1, Latch = true }, threshold: 1.2);
        // 10,000 firings of a million positions, and one of two more.
        var benign = 10_001 / 1_000_002.0;
        var drift = Math.Log((1 - benign) / (1 - 0.5)) / Math.Log(0.5 * (1 - benign) / (benign * (1 - 0.5)));
        var (reading, _, _) = ground.Run(open, text);
        foreach (var (k, expected) in new[] { (1, 1 - drift), (2, 2 * (1 - drift)), (4, 4 * (1 - drift)), (5, 4 * (1 - drift) - drift), (44, 0) })
            Assert.Equal(expected, reading.Statistic[0, k], 1e-9);
        Assert.Equal(" .!!!" + new string('.', 42), Ground.Edits(reading));
        Assert.Equal(" .!!!" + new string('.', 40) + "!.", Ground.Edits(ground.Run(latched, text).Reading));
    }

    [TorchFact]
    public void A_window_holds_as_many_positions_as_it_says()
    {
        using var ground = new Ground();
        using var guardrail = ground.Guardrail(new StreamGuardrailOptions { Statistic = StreamStatistic.Window, Window = 4 }, threshold: 0.5);
        var (reading, _, _) = ground.Run(guardrail, "-aab-----a");
        Assert.Equal([0, 0.25, 0.5, 0.75, 0.75, 0.5, 0.25, 0, 0, 0.25], Ground.Statistics(reading));
        Assert.Equal(" ..!......", Ground.Edits(reading));
    }

    [TorchFact]
    public void Where_nothing_fires_all_logits_keep_their_bits()
    {
        using var ground = new Ground();
        using var noGrad = Autograd.NoGrad();
        var (ids, _) = Ground.Texts("a-------", "--------");
        var plain = ground.Model.Logits(ids).ToArray<float>();
        foreach (var options in new GuardrailOptions[] { new ZeroAblationOptions(), new ClampOptions(), new ConditionalClampOptions(), new RefusalClampOptions { RefusalLatent = 0 }, new DynamicGuardrailOptions(), new StreamGuardrailOptions() })
        {
            using var guardrail = ground.Guardrail(options, threshold: 0);
            ground.Model.Guard = guardrail;
            Assert.Equal(plain, ground.Model.Logits(ids).ToArray<float>());
        }
    }

    [TorchFact]
    public void Several_come_in_the_order_given_and_each_sees_what_those_before_it_left()
    {
        using var ground = new Ground();
        using var clamp = ground.Guardrail(new ClampOptions { Strength = 3 });
        using var ablation = ground.Guardrail(new ZeroAblationOptions());
        var (ids, _) = Ground.Texts("-a-b");
        var before = ground.Model.Embed(ids);
        foreach (var (first, second) in new (Guardrail, Guardrail)[] { (clamp, ablation), (ablation, clamp) })
            Assert.Equal(second.Visit(second.Site, first.Visit(first.Site, before)).ToArray<float>(), new GuardrailStack([first, second]).Visit(first.Site, before).ToArray<float>());
        Assert.NotEqual(new GuardrailStack([clamp, ablation]).Visit(clamp.Site, before).ToArray<float>(), new GuardrailStack([ablation, clamp]).Visit(clamp.Site, before).ToArray<float>());
        Assert.True(new GuardrailStack([clamp, ablation]).Wants(clamp.Site));
        Assert.False(new GuardrailStack([clamp]).Wants(new(1, clamp.Site.Kind)));
    }

    [TorchFact]
    public void What_does_not_fit_is_refused_with_one_sentence()
    {
        using var ground = new Ground();
        string Bad(Action make) => Assert.Throws<BadInputException>(make).Message;
        Assert.Contains("neither was given", Bad(() => Guardrail.Create(ground.Sae, [2], new RefusalClampOptions { Threshold = 0 }, GuardrailCalibration.None)), StringComparison.Ordinal);
        Assert.Contains("one vector of size 32", Bad(() => Guardrail.Create(ground.Sae, [2], new RefusalClampOptions { Threshold = 0 }, GuardrailCalibration.None, Tensor.Ones([5]))), StringComparison.Ordinal);
        Assert.Contains("has no length", Bad(() => Guardrail.Create(ground.Sae, [2], new RefusalClampOptions { Threshold = 0 }, GuardrailCalibration.None, Tensor.Zeros([32]))), StringComparison.Ordinal);
        Assert.Contains("refusal latent 2 is one of the latents", Bad(() => ground.Guardrail(new RefusalClampOptions { RefusalLatent = 2, Threshold = 0 })), StringComparison.Ordinal);
        Assert.Contains("comes from retain text, and none was read", Bad(() => ground.Guardrail(new DynamicGuardrailOptions())), StringComparison.Ordinal);
        Assert.Contains("0 of 1 means are known", Bad(() => Guardrail.Create(ground.Sae, [2], new ClampOptions { Relative = true }, GuardrailCalibration.None)), StringComparison.Ordinal);
        Assert.Contains("has no latent 6; it has 0 to 5", Bad(() => Guardrail.Create(ground.Sae, [6], new ClampOptions(), GuardrailCalibration.None)), StringComparison.Ordinal);
        Assert.Contains("is active at 60.0", Bad(() => ground.Guardrail(new StreamGuardrailOptions(), threshold: 1, rate: 0.6)), StringComparison.Ordinal);
        Assert.Equal("The guardrail's strength is -1; 0 to 1000000 is allowed.", Assert.Throws<UsageException>(() => ground.Guardrail(new ClampOptions { Strength = -1 })).Message);
        using var siteless = Architectures.Create(ground.Sae.Configuration with { Site = null }, ground.Sae.StateDict(), "test");
        Assert.Contains("names no site", Bad(() => Guardrail.Create(siteless, [2], new ClampOptions(), GuardrailCalibration.None)), StringComparison.Ordinal);

        using var fitting = ground.Guardrail(new ClampOptions());
        fitting.Check(ground.Model);
        using var deep = Architectures.Create(ground.Sae.Configuration with { Site = new SaeSite("layers.9.residual_after", 9) }, ground.Sae.StateDict(), "test");
        using var foreign = Guardrail.Create(deep, [2], new ClampOptions(), GuardrailCalibration.None);
        Assert.Contains("belongs to layer 9", Bad(() => foreign.Check(ground.Model)), StringComparison.Ordinal);
        var known = GuardrailCalibrator.WithProbe(GuardrailCalibration.None, ground.Model, ground.Sae);
        using var same = Guardrail.Create(ground.Sae, [2], new ClampOptions(), known);
        same.Check(ground.Model);
        using var other = Guardrail.Create(ground.Sae, [2], new ClampOptions(), known with { Norm = known.Norm * 2.1 });
        Assert.Contains("it belongs to another model", Bad(() => other.Check(ground.Model)), StringComparison.Ordinal);
    }

    /// <summary>x′ − x is what the latents' changes write where a change is expected, and nothing to the bit elsewhere.</summary>
    private static void Expect(Ground ground, Tensor before, Tensor after, params (int Row, int Position, double A, double B)[] changes)
    {
        foreach (var (row, position, a, b) in changes)
        {
            var expected = ground.Sae.Decoder.Select(0, 2) * a + ground.Sae.Decoder.Select(0, 4) * b;
            Assert.InRange((after.Select(0, row).Select(0, position) - before.Select(0, row).Select(0, position) - expected).Abs().Max().Item(), 0, Tolerance);
        }
        for (var row = 0; row < before.Size(0); row++)
            Same(before, after, [.. Enumerable.Range(0, (int)before.Size(1)).Where(k => !changes.Any(change => (change.Row, change.Position) == (row, k))).Select(k => (row, k))]);
    }

    private static void Same(Tensor before, Tensor after, params (int Row, int Position)[] positions)
    {
        foreach (var (row, position) in positions)
            Assert.Equal(before.Select(0, row).Select(0, position).ToArray<float>().Select(BitConverter.SingleToInt32Bits), after.Select(0, row).Select(0, position).ToArray<float>().Select(BitConverter.SingleToInt32Bits));
    }
}
