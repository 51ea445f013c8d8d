using Lethe.Evaluation;
using Lethe.Evaluation.Judging;
using Lethe.Evaluation.Likelihood;
using Lethe.Models.Classifiers;
using Lethe.Models.Generative;
using Lethe.Runs.Generative;
using Lethe.Torch;

namespace Lethe.Benchmarks.SelectiveAmnesiaVae;

/// <summary>Measures results by the published judge and the real test images, with the same noise for every model. On the torch thread.</summary>
internal sealed class Quality : IDisposable
{
    public const int Forgotten = 0;
    private const ulong Seed = 20;
    private readonly BenchmarkOptions options;
    private readonly JudgeClassifier judge;
    private readonly Tensor images, labels;
    private readonly NegativeElbo before;

    public Quality(BenchmarkOptions options, DataSource data)
    {
        this.options = options;
        using var scope = new TensorScope();
        judge = JudgeClassifier.FromState(ModelFiles.Read(options.Model("judge")).Tensors);
        var (values, classes) = data.TestValues();
        // A smoke run reads every 20th image.
        var chosen = Tensor.FromArray(Enumerable.Range(0, (int)values.Size(0)).Where(k => !options.Quick || k % 20 == 0).Select(k => (long)k).ToArray());
        images = TensorScope.Detach(values.IndexSelect(0, chosen));
        labels = TensorScope.Detach(classes.IndexSelect(0, chosen));
        using var published = ConditionalVae.FromState(ModelFiles.Read(options.Model("vae")).Tensors);
        before = Bound(published);
        BaseAccuracy = Accuracy(published);
        var grey = judge.Forward(Tensor.Full([1, 784], 0.5));
        var floor = new JudgeReadings(10, 10);
        floor.Add(Forgotten, grey);
        Goals = new Goals(
            Probability: floor.ProbabilityOfAsked([Forgotten]).Value + 0.01,
            Entropy: Math.Min(2.17, floor.MeanEntropy([Forgotten]).Value - 0.01),
            Share: 0.004,
            ForgottenNegativeElbo: 540,
            RetainedRise: 0.36,
            RetainedAccuracy: BaseAccuracy.Value - 0.005);
    }

    /// <summary>The digits that must stay.</summary>
    public static int[] Retained { get; } = [.. Enumerable.Range(0, 10).Where(digit => digit != Forgotten)];

    /// <summary>What a result has to keep.</summary>
    public Goals Goals { get; }

    /// <summary>Retained digits' samples of the base model judged as asked.</summary>
    public Figure BaseAccuracy { get; }

    public QualityFigures Of(ConditionalVae model)
    {
        using var scope = new TensorScope();
        var judged = Judged(model, [Forgotten], options.ForgottenSamples);
        var after = Bound(model);
        return new QualityFigures(
            From(judged.ProbabilityOfAsked([Forgotten])), From(judged.MeanEntropy([Forgotten])), From(judged.ShareJudgedAsAsked([Forgotten])),
            From(after.Of([Forgotten])), From(NegativeElbo.Change(before, after, Retained)), Accuracy(model));
    }

    /// <summary>−ELBO of all test images.</summary>
    public Figure TestNegativeElbo(ConditionalVae model) => From(Bound(model).Of());

    public void Dispose()
    {
        judge.Dispose();
        images.Dispose();
        labels.Dispose();
    }

    private NegativeElbo Bound(ConditionalVae model)
    {
        using var noise = new RandomStream(Seed);
        return NegativeElbo.Measure(model, images, labels, noise, new NegativeElboOptions { Draws = options.Draws });
    }

    private Figure Accuracy(ConditionalVae model) => From(Judged(model, Retained, options.RetainedSamples).ShareJudgedAsAsked(Retained));

    private JudgeReadings Judged(ConditionalVae model, int[] digits, int samples)
    {
        using var noise = new RandomStream(Seed);
        var readings = new JudgeReadings(10, 10);
        foreach (var digit in digits)
        {
            using var scope = new TensorScope();
            using var stream = noise.Child($"samples of {digit}");
            readings.Read(digit, model.Sample(Tensor.Full([samples], digit, DType.Int64), stream), judge.Forward);
        }
        return readings;
    }

    private static Figure From(Measure measure) => new(measure.Value, measure.StandardError);
}
