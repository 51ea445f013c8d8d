using Lethe.Models.SparseAutoencoders;
using Lethe.Torch;
using Lethe.Unlearning.Guardrails;

namespace Lethe.Unlearning.Tests.Guardrails;

public sealed class GuardrailCalibratorTests
{
    private static int[] Ids(string text) => [.. text.Select(letter => letter switch { 'a' => Ground.A, 'b' => Ground.B, _ => Ground.Quiet })];

    /// <summary>Forty sequences: sequence k has k firings in a row within its 40 positions.</summary>
    private static IEnumerable<int[]> Ladder() => Enumerable.Range(0, 40).Select(k => Ids("-" + new string('a', k) + new string('-', 41 - k)));

    [TorchFact]
    public void Reading_counts_positions_firings_means_and_norms()
    {
        using var ground = new Ground();
        var reading = FiringReading.Read(ground.Model, ground.Sae, [2, 4, 3], [Ids("aa-b"), Ids("-"), Ids("bb")], rows: 2);
        Assert.Equal((2, 4, 3, 4), (reading.Sequences, (int)reading.Positions, (int)reading.Firings, reading.Length));
        Assert.Equal(ground.LevelA, reading.MeanActive[0]!.Value, 1e-5);
        Assert.Equal(ground.LevelB, reading.MeanActive[1]!.Value, 1e-5);
        Assert.Null(reading.MeanActive[2]);
        var norms = new[] { Ground.A, Ground.Quiet, Ground.B, Ground.B }.Select(token => ground.Embedding(token).Norm().Item());
        Assert.Equal(norms.Average(), reading.Norm, 1e-5);
        Assert.Contains("no sequence of two tokens", Assert.Throws<BadInputException>(() => FiringReading.Read(ground.Model, ground.Sae, [2], [Ids("a")])).Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void The_threshold_is_the_order_statistic_that_a_further_text_exceeds_with_the_chosen_probability()
    {
        using var ground = new Ground();
        var retain = FiringReading.Read(ground.Model, ground.Sae, [2, 4], Ladder());
        var dynamic = GuardrailCalibrator.Run(new DynamicGuardrailOptions { Percentile = 90, Beginning = 40 }, [2, 4], retain);
        // The ⌈41 · 0.9⌉ = 37th smallest of 0/40, 1/40, … 39/40.
        Assert.Equal(36 / 40.0, dynamic.Threshold!.Value, 12);
        Assert.Equal((40, 40L * 41, 42, 90.0), (dynamic.Sequences, dynamic.Positions, dynamic.Length, dynamic.Percentile!.Value));
        Assert.Equal(780.0 / 1640, dynamic.FiringRate, 12);
        Assert.Equal(3 / 40.0, dynamic.Touched);

        var window = GuardrailCalibrator.Run(new StreamGuardrailOptions { Percentile = 80, Statistic = StreamStatistic.Window, Window = 48 }, [2, 4], retain);
        Assert.Equal(32 / 48.0, window.Threshold!.Value, 12); // ⌈41 · 0.8⌉ = 33rd
        var sum = GuardrailCalibrator.Run(new StreamGuardrailOptions { Percentile = 80, Detect = 0.9 }, [2, 4], retain);
        var benign = (780 + 1) / (1640 + 2.0);
        var drift = Math.Log((1 - benign) / 0.1) / Math.Log(0.9 * (1 - benign) / (benign * 0.1));
        Assert.Equal(32 * (1 - drift), sum.Threshold!.Value, 9);
        Assert.InRange(drift, benign, 0.9);

        // Every reading through the guardrail itself touches no more than was promised.
        foreach (var (options, calibration) in new (GuardrailOptions, GuardrailCalibration)[] { (new DynamicGuardrailOptions { Percentile = 90, Beginning = 40 }, dynamic), (new StreamGuardrailOptions { Percentile = 80, Detect = 0.9 }, sum) })
        {
            using var guardrail = Guardrail.Create(ground.Sae, [2, 4], options, calibration);
            var touched = Enumerable.Range(0, 40).Count(k => Ground.Edits(ground.Run(guardrail, "-" + new string('a', k) + new string('-', 41 - k)).Reading).Contains('!'));
            Assert.Equal(calibration.Touched, touched / 40.0);
        }
    }

    [TorchFact]
    public void Levels_are_calibrated_in_the_options_unit()
    {
        using var ground = new Ground();
        IEnumerable<int[]> texts = Enumerable.Range(0, 20).Select(k => Ids(k < 10 ? "---" : k < 19 ? "-a-" : "-b-"));
        var retain = FiringReading.Read(ground.Model, ground.Sae, [2, 4], texts);
        var absolute = GuardrailCalibrator.Run(new ConditionalClampOptions { Percentile = 75 }, [2, 4], retain);
        Assert.Equal(ground.LevelA, absolute.Threshold!.Value, 1e-4);
        Assert.Null(absolute.MeanActive);
        var relative = GuardrailCalibrator.Run(new ConditionalClampOptions { Percentile = 75, Relative = true }, [2, 4], retain);
        Assert.Equal(1, relative.Threshold!.Value, 1e-4);
        Assert.Equal([ground.LevelA, ground.LevelB], relative.MeanActive!.Select(mean => Math.Round(mean, 5)), new Near(1e-4));
        var given = GuardrailCalibrator.Run(new ConditionalClampOptions { Threshold = 0 }, [2, 4], retain);
        Assert.Equal((null, 0.5), (given.Threshold, given.Touched));
        // Means from other text.
        var other = FiringReading.Read(ground.Model, ground.Sae, [2, 4], [Ids("-ab")]);
        Assert.Equal(2, GuardrailCalibrator.Run(new ClampOptions { Relative = true }, [2, 4], retain, other).MeanActive!.Count);
    }

    [TorchFact]
    public void Text_that_says_too_little_is_refused()
    {
        using var ground = new Ground();
        string Bad(GuardrailOptions options, long[] latents, params string[] texts) =>
            Assert.Throws<BadInputException>(() => GuardrailCalibrator.Run(options, latents, FiringReading.Read(ground.Model, ground.Sae, latents, texts.Select(Ids)))).Message;
        Assert.Contains("needs 19 sequences of retain text at least; 3 were read", Bad(new DynamicGuardrailOptions(), [2], "-a", "--", "--"), StringComparison.Ordinal);
        Assert.Contains("Latent 3 is never active", Bad(new ClampOptions { Relative = true }, [2, 3], "-a"), StringComparison.Ordinal);
        Assert.Contains("detect is 0.5 and has to be more", Bad(new StreamGuardrailOptions(), [2], [.. Enumerable.Repeat("-aaa", 30)]), StringComparison.Ordinal);
        var exact = GuardrailCalibrator.Run(new DynamicGuardrailOptions(), [2], FiringReading.Read(ground.Model, ground.Sae, [2], Enumerable.Repeat(Ids("-a-"), 19)));
        Assert.Equal(1 / 8.0, exact.Threshold!.Value, 12);
        using var normed = Architectures.Create(ground.Sae.Configuration with { ActivationNorm = 1e-3 }, ground.Sae.StateDict(), "test");
        Assert.Contains("was trained on activations with a mean norm of 0.001", Assert.Throws<BadInputException>(() => FiringReading.Read(ground.Model, normed, [2], [Ids("-a-")])).Message, StringComparison.Ordinal);
    }

    private sealed class Near(double tolerance) : IEqualityComparer<double>
    {
        public bool Equals(double a, double b) => Math.Abs(a - b) <= tolerance;

        public int GetHashCode(double value) => 0;
    }
}
