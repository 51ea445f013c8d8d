using Lethe.Evaluation;
using Lethe.Reports;
using Lethe.Runs.Results;

namespace Lethe.Reports.Tests.Example;

/// <summary>
/// A made-up run, for tests and for looking at pages: plausible figures of a small model on Fashion-MNIST, none of them measured.
/// Its title says so.
/// </summary>
public static class ExampleRun
{
    public static readonly string[] Labels = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

    private static readonly double[][] ConfusionBefore =
    [
        [.862, .004, .018, .031, .006, .000, .070, .000, .009, .000],
        [.003, .981, .001, .011, .002, .000, .001, .000, .001, .000],
        [.015, .001, .871, .008, .062, .000, .041, .000, .002, .000],
        [.020, .010, .009, .921, .022, .000, .015, .000, .003, .000],
        [.003, .001, .071, .026, .859, .000, .038, .000, .002, .000],
        [.000, .000, .000, .000, .000, .967, .000, .021, .003, .009],
        [.118, .001, .083, .031, .067, .000, .687, .000, .013, .000],
        [.000, .000, .000, .000, .000, .013, .000, .971, .001, .015],
        [.004, .001, .004, .003, .002, .003, .006, .002, .974, .001],
        [.000, .000, .000, .000, .000, .005, .001, .032, .000, .962],
    ];

    private const int Shirt = 6, Sneaker = 7, TShirt = 0;
    private const long Samples = 10_000;

    /// <summary>Shares of 1 with their Wilson interval, as the evaluation writes them.</summary>
    public static Measure Share(double value, long n, Better better = Better.Neither)
    {
        const double z = Numbers.Normal95;
        var centre = (value + z * z / (2 * n)) / (1 + z * z / n);
        var half = z / (1 + z * z / n) * Math.Sqrt(value * (1 - value) / n + z * z / (4.0 * n * n));
        return new Measure(value, n, Math.Sqrt(value * (1 - value) / n), new Interval(Math.Max(0, centre - half), Math.Min(1, centre + half), 0.95, "wilson"), better);
    }

    /// <summary>A mean with its normal interval.</summary>
    public static Measure Mean(double value, long n, double error, Better better = Better.Neither) =>
        new(value, n, error, new Interval(value - Numbers.Normal95 * error, value + Numbers.Normal95 * error), better);

    /// <summary>The result.</summary>
    public static ImageUnlearnResult Result { get; } = Make();

    /// <summary>A sweep around it.</summary>
    public static SweepResult Sweep { get; } = MakeSweep();

    /// <summary>All that a report can be made of.</summary>
    public static ReportInput Input { get; } = new(Result)
    {
        Sweep = Sweep,
        Samples = new SampleRows([.. Enumerable.Range(0, 10).Select(label => new SampleRow(label, ExampleImages.Strip(label, label), After(label)))]),
        Plan = "# resolved plan (example)\ntitle: Forget “Sneaker” and “Shirt”\nmodel:\n  base: models/fashion-vae.safetensors\nmethod:\n  name: selective-amnesia\n  preset: fixed\n  strength: 50\n",
        ResultDigest = Digest('e'),
        Files = [new FileDigest("plan.yaml", Digest('a')), new FileDigest("model/vae.safetensors", Digest('b')), new FileDigest("Fashion-MNIST, test images", Digest('c'))],
    };

    private static ReadOnlyMemory<byte> After(int label) => label switch
    {
        Sneaker => ExampleImages.Strip(Sneaker, null),
        Shirt => ExampleImages.Strip(Shirt, TShirt),
        _ => ExampleImages.Strip(label, label, drift: 0.4),
    };

    private static string Digest(char c) => string.Concat(Enumerable.Repeat($"{c}3f09{c}71", 10))[..64];

    private static double[][] ConfusionAfter()
    {
        var after = ConfusionBefore.Select(row => (double[])[.. row]).ToArray();
        after[Sneaker] = [.0012, .000, .0431, .0003, .0028, .0004, .1019, .0003, .8500, .000];
        after[Shirt] = [.8571, .004, .0205, .0322, .007, .000, .0698, .000, .0094, .000];
        after[2][2] -= .004;
        after[2][4] += .004;
        after[4][4] -= .011;
        after[4][2] += .011;
        after[9][9] -= .003;
        after[9][5] += .003;
        return after;
    }

    private static ImageUnlearnResult Make()
    {
        var after = ConfusionAfter();
        double[] elboBefore = [241.6, 197.3, 254.0, 223.8, 252.7, 202.5, 246.9, 199.4, 272.1, 238.6];
        double[] elboChange = [0.41, 0.18, 0.33, 0.25, 0.52, 0.71, 31.8, 388.2, 0.29, 0.94];
        var classes = Labels.Select((name, i) => new ClassResult
        {
            Label = i,
            Name = name,
            Role = i is Shirt or Sneaker ? Roles.Forgotten : Roles.Retained,
            Before = Measures(i, ConfusionBefore[i][i], ConfusionBefore[i][i] - 0.02, i == Shirt ? 0.82 : 0.55 - 0.5 * ConfusionBefore[i][i], elboBefore[i]),
            After = Measures(i, after[i][i], i == Sneaker ? 0.0411 : Math.Max(0.02, after[i][i] - 0.02), i == Sneaker ? 1.604 : 0.55 - 0.5 * ConfusionBefore[i][i] + 0.004 * i, elboBefore[i] + elboChange[i]),
            NegativeElboChange = Mean(elboChange[i], 1_000, i is Sneaker ? 3.1 : i is Shirt ? 0.62 : 0.03, Better.Lower),
        }).ToArray();
        return new ImageUnlearnResult
        {
            Run = new RunFacts("2026-09-28-example", At("2026-09-28T14:03:11Z"), At("2026-09-28T14:06:02Z"), 7, 2, "cpu", "1.13.1", "0.1.0", "Example processor, 2 cores"),
            Request = new RequestFacts(
                "Example, figures made up: forget “Sneaker” and “Shirt”", "models/fashion-vae.safetensors", Digest('d'), "Fashion-MNIST", Labels,
                [
                    new ConceptRequest(Sneaker, "Sneaker", Surrogates.Noise, null, "uniform noise in [0, 1]"),
                    new ConceptRequest(Shirt, "Shirt", Surrogates.Label, TShirt, "samples of T-shirt/top from the base model"),
                ],
                [0, 1, 2, 3, 4, 5, 8, 9]),
            Method = new MethodFacts(
                "selective-amnesia", "fixed",
                new Dictionary<string, object?> { ["strength"] = 50.0, ["replay_weight"] = 1.0, ["learning_rate"] = 1e-4, ["batch"] = 256, ["optimizer"] = "adam", ["gradient_clipping"] = null, ["common_noise"] = true },
                2_400, 10_000, StopReasons.CriterionMet, Digest('f'), 50_000),
            Judge = new JudgeFacts("judges/fashion-cnn.safetensors", Digest('9'), Share(0.9127, 10_000, Better.Higher)),
            Forget = Forget(Samples * 2, 0.0351, 0.0411 / 2 + 0.04, 1.12, 433.6, 0.829, 0.805, 0.31, 223.2),
            Concepts =
            [
                new ConceptResult
                {
                    Label = Sneaker,
                    Name = "Sneaker",
                    Forget = Forget(Samples, 0.0003, 0.0411, 1.604, 587.6, 0.9712, 0.9514, 0.064, 199.4),
                    FloorProbability = 0.0387,
                    FloorEntropy = 1.611,
                    FloorShare = Share(0.0001, Samples),
                },
                new ConceptResult
                {
                    Label = Shirt,
                    Name = "Shirt",
                    Forget = Forget(Samples, 0.0698, 0.0741, 0.392, 278.7, 0.6871, 0.6604, 0.821, 246.9),
                    FloorProbability = 0.0612,
                    FloorEntropy = 0.318,
                    TargetShare = Share(0.8571, Samples, Better.Higher),
                    TargetShareOfBase = Share(0.8620, Samples),
                },
            ],
            Retain = new RetainResult
            {
                AccuracyBefore = Share(0.9246, 80_000, Better.Higher),
                AccuracyAfter = Share(0.9224, 80_000, Better.Higher),
                NegativeElboChange = Mean(0.454, 8_000, 0.011, Better.Lower),
                JudgeFrechetBefore = new Measure(14.82, 8_000, 0.31, null, Better.Lower),
                JudgeFrechetAfter = new Measure(15.07, 8_000, 0.33, null, Better.Lower),
                JudgePrecisionBefore = Share(0.871, 8_000, Better.Higher),
                JudgePrecisionAfter = Share(0.869, 8_000, Better.Higher),
                JudgeRecallBefore = Share(0.602, 8_000, Better.Higher),
                JudgeRecallAfter = Share(0.597, 8_000, Better.Higher),
                WorstLabel = 4,
                WorstChange = -0.011,
            },
            Classes = classes,
            Confusion = new ConfusionResult(ConfusionBefore, after),
            Probes =
            [
                new ProbeResult(Sneaker, "encoder.fc1", Mean(0.9981, 2_000, 0.0006), Mean(0.9979, 2_000, 0.0006)),
                new ProbeResult(Sneaker, "encoder.fc2", Mean(0.9974, 2_000, 0.0007), Mean(0.9921, 2_000, 0.0013)),
                new ProbeResult(Sneaker, "latent.mean", Mean(0.9412, 2_000, 0.0041), Mean(0.8106, 2_000, 0.0083)),
                new ProbeResult(Shirt, "encoder.fc1", Mean(0.9342, 2_000, 0.0043), Mean(0.9330, 2_000, 0.0043)),
                new ProbeResult(Shirt, "encoder.fc2", Mean(0.9290, 2_000, 0.0046), Mean(0.9248, 2_000, 0.0047)),
                new ProbeResult(Shirt, "latent.mean", Mean(0.8011, 2_000, 0.0085), Mean(0.7813, 2_000, 0.0090)),
            ],
            Relearning =
            [
                new RelearnResult(Sneaker, 100, 200, 0.5, 1_000, Curve(85, 2.1, 0.955, 587, 201), Curve(170, 1.7, 0.95, 610, 204), ControlKinds.TrainedWithoutClass) { ExplainedNats = 219.3, ExplainedForgotten = 500, ExplainedControl = null },
                new RelearnResult(Shirt, 200, 1_000, 0.5, 1_000, Curve(90, 1.4, 0.67, 279, 248), Curve(300, 1.3, 0.66, 301, 250), ControlKinds.TrainedWithoutClass),
            ],
            Moved = Moves(),
            Cost = new CostResult(
                new Dictionary<string, double>
                {
                    ["load"] = 0.4, ["judge"] = 31.2, ["measure-before"] = 12.9, ["replay"] = 3.1, ["fisher"] = 4.4, ["forget"] = 43.7, ["measure-after"] = 13.2, ["probe"] = 9.8, ["relearn"] = 47.6, ["export"] = 0.2,
                },
                ["judge", "fisher"], 812L << 20),
            NotTested =
            [
                NotTestedCodes.MembershipInference, NotTestedCodes.TrainingImageExtraction, NotTestedCodes.WhiteBoxWeights, NotTestedCodes.MixedConditions, NotTestedCodes.IndirectGeneration, NotTestedCodes.RelearningOtherData,
                NotTestedCodes.NonlinearProbes, NotTestedCodes.Quantisation, NotTestedCodes.RetrainedReference, NotTestedCodes.OtherJudges, NotTestedCodes.HumanRating, NotTestedCodes.OtherSeeds, NotTestedCodes.RealPhotographs,
                NotTestedCodes.TrainingDataDeletion, NotTestedCodes.EarlierModels,
            ],
        };

        static DateTimeOffset At(string time) => DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture);

        static ClassMeasures Measures(int i, double share, double probability, double entropy, double elbo) => new(
            Mean(probability, Samples, 0.0019 + 0.0001 * i), Mean(entropy, Samples, 0.0031), Share(share, Samples), Mean(elbo, 1_000, 2.4 + 0.1 * i));
    }

    private static ForgetResult Forget(long n, double share, double probability, double entropy, double elbo, double shareBefore, double probabilityBefore, double entropyBefore, double elboBefore) => new()
    {
        Share = Share(share, n, Better.Lower),
        ShareBefore = Share(shareBefore, n, Better.Lower),
        Probability = Mean(probability, n, 0.0007, Better.Lower),
        ProbabilityBefore = Mean(probabilityBefore, n, 0.0016, Better.Lower),
        Entropy = Mean(entropy, n, 0.0009, Better.Higher),
        EntropyBefore = Mean(entropyBefore, n, 0.0019, Better.Higher),
        NegativeElbo = Mean(elbo, 1_000, 3.7, Better.Higher),
        NegativeElboBefore = Mean(elboBefore, 1_000, 2.6, Better.Higher),
    };

    private static RelearnPoint[] Curve(double half, double power, double top, double elboFrom, double elboTo) =>
        [.. new long[] { 0, 5, 10, 20, 50, 100, 200, 500, 1_000 }.Select(step =>
        {
            var part = Math.Pow(step, power) / (Math.Pow(half, power) + Math.Pow(step, power));
            return new RelearnPoint(step, Share(Math.Round(top * part, 3), 500), Mean(elboFrom + (elboTo - elboFrom) * part, 500, 3.3));
        })];

    private static TensorMove[] Moves()
    {
        (string Name, long[] Shape, double Relative)[] tensors =
        [
            ("encoder.fc1.weight", [512, 794], .0121), ("encoder.fc1.bias", [512], .0087), ("encoder.fc2.weight", [256, 512], .0164), ("encoder.fc2.bias", [256], .0102),
            ("encoder.fc31.weight", [8, 256], .0311), ("encoder.fc31.bias", [8], .0419), ("encoder.fc32.weight", [8, 256], .0277), ("encoder.fc32.bias", [8], .0183),
            ("decoder.fc4.weight", [256, 18], .1482), ("decoder.fc4.bias", [256], .0221), ("decoder.fc5.weight", [512, 256], .0634), ("decoder.fc5.bias", [512], .0306),
            ("decoder.fc6.weight", [784, 512], .0418), ("decoder.fc6.bias", [784], .0251),
        ];
        return [.. tensors.Select((t, i) =>
        {
            var norm = t.Relative * Math.Sqrt(t.Shape.Aggregate(1L, (a, b) => a * b)) * 0.041;
            return new TensorMove(t.Name, t.Shape, norm, t.Relative, norm * norm * (i < 8 ? 2.3e-4 : 1.9e-5 * (i + 1)), norm / 9);
        })];
    }

    private static SweepResult MakeSweep()
    {
        double[] strengths = [1, 5, 20, 50, 200, 1000, 5000];
        double[] probability = [0.040, 0.0405, 0.0408, 0.0411, 0.062, 0.171, 0.446];
        double[] accuracy = [0.871, 0.902, 0.916, 0.9224, 0.9241, 0.9245, 0.9246];
        double[] elbo = [4.9, 2.1, 0.93, 0.454, 0.21, 0.08, 0.03];
        var points = strengths.SelectMany((strength, i) => Enumerable.Range(1, 2).Select(seed => new ImageSweepPoint(
            new Dictionary<string, object?> { ["method.strength"] = strength, ["method.steps"] = 2_400 }, seed,
            Mean(probability[i] + 0.001 * (seed - 1) * (i + 1), Samples, 0.0007 + 0.004 * probability[i]), Share(Math.Max(0, (probability[i] - 0.04) * 1.3), Samples), Share(accuracy[i] - 0.0012 * (seed - 1), 8_000),
            Mean(elbo[i] * (1 + 0.06 * (seed - 1)), 8_000, 0.011 + 0.02 * elbo[i]), OnFront: seed == 1, strength == 50 && seed == 1 ? "2026-09-28-example" : $"strength-{strength}-seed-{seed}")));
        return new SweepResult("Example, figures made up: strength of forgetting “Sneaker” and “Shirt”", [.. points]);
    }
}
