using System.Globalization;
using Lethe.Evaluation.Statistics;
using Lethe.Torch;

namespace Lethe.Evaluation.Judging;

/// <summary>
/// What a judge (a classifier) says of samples of every condition, collected batch by batch: samples are read and can be thrown away.
/// </summary>
/// <remarks>
/// The judge must be in evaluation mode. Readings of two models whose samples came from the same noise pair up by item, so that
/// <see cref="PairedDifference"/> of <see cref="Measure.Items"/> has the smaller error of a paired comparison.
/// </remarks>
public sealed class JudgeReadings
{
    private readonly List<double[]>[] rows; // of each condition: log-probabilities (C) of each sample

    /// <summary>An empty collection.</summary>
    /// <param name="conditionCount">Number of conditions of the model, at least 1.</param>
    /// <param name="classCount">Number of the judge's classes, at least 2. Class c is what condition c asks for.</param>
    public JudgeReadings(int conditionCount, int classCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(conditionCount, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(classCount, 2);
        ConditionCount = conditionCount;
        ClassCount = classCount;
        rows = [.. Enumerable.Range(0, conditionCount).Select(_ => new List<double[]>())];
    }

    /// <summary>Number of conditions.</summary>
    public int ConditionCount { get; }

    /// <summary>Number of the judge's classes.</summary>
    public int ClassCount { get; }

    /// <summary>Number of samples read of a condition.</summary>
    public int Count(int condition) => rows[condition].Count;

    /// <summary>Has the judge read samples, in batches and without recording gradients.</summary>
    /// <param name="condition">What the samples were asked to be.</param>
    /// <param name="samples">(N, …), as the judge takes them.</param>
    /// <param name="judge">Log-probabilities (B, C) of images (B, …).</param>
    /// <param name="batch">Samples at once; 1,000 MNIST images keep a small convolutional judge's layers within about 50 MB.</param>
    /// <exception cref="RunFailedException">The judge's answer for a sample is not a distribution.</exception>
    public void Read(int condition, Tensor samples, Func<Tensor, Tensor> judge, int batch = 1_000)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        using var noGrad = Autograd.NoGrad();
        for (long start = 0, count = samples.Size(0); start < count; start += batch)
        {
            using var scope = new TensorScope();
            Add(condition, judge(samples.Narrow(0, start, Math.Min(batch, count - start))));
        }
    }

    /// <summary>Adds what the judge said.</summary>
    /// <param name="condition">What the samples were asked to be.</param>
    /// <param name="logProbabilities">(B, C), a log-softmax.</param>
    /// <exception cref="RunFailedException">A row is not a distribution: not a number, or its probabilities do not sum to 1 within 0.001.</exception>
    public void Add(int condition, Tensor logProbabilities)
    {
        if (condition < 0 || condition >= ConditionCount)
            throw new ArgumentOutOfRangeException(nameof(condition), condition, string.Create(CultureInfo.InvariantCulture, $"conditions count from 0 to {ConditionCount - 1}"));
        if (logProbabilities.Dimensions != 2 || logProbabilities.Size(1) != ClassCount)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"the judge gave {logProbabilities}, but a row of {ClassCount} log-probabilities for each sample is needed"));
        using var scope = new TensorScope();
        foreach (var row in logProbabilities.Detach().To(DType.Float64).ToArray<double>().Chunk(ClassCount))
        {
            var sum = row.Sum(Math.Exp);
            if (!(Math.Abs(sum - 1) <= 1e-3)) // also false for NaN
                throw new RunFailedException(string.Create(CultureInfo.InvariantCulture, $"The judge's probabilities for sample {rows[condition].Count} of condition {condition} sum to {sum}, not to 1: the sample is not finite, or the judge does not end in a log-softmax."));
            rows[condition].Add(row);
        }
    }

    /// <summary>Mean probability that the judge gives to the class that was asked for, over all samples of the given conditions.</summary>
    /// <param name="conditions">At least one, with samples.</param>
    /// <param name="better">Lower for what was to be forgotten, higher for what had to stay.</param>
    public Measure ProbabilityOfAsked(IReadOnlyList<int> conditions, Better better = Better.Neither) =>
        Mean.Of([.. conditions.SelectMany(condition => Samples(condition).Select(row => Math.Exp(row[condition])))], better);

    /// <summary>Mean entropy of the judge's distribution, nats, over all samples of the given conditions.</summary>
    /// <param name="conditions">At least one, with samples.</param>
    /// <param name="better">Which direction is better.</param>
    public Measure MeanEntropy(IReadOnlyList<int> conditions, Better better = Better.Neither) =>
        Mean.Of([.. conditions.SelectMany(Samples).Select(row => Entropy.OfLogProbabilities(row))], better);

    /// <summary>Share of all samples of the given conditions that are judged as what was asked for: accuracy, or what is left of the forgotten. Wilson's interval.</summary>
    /// <param name="conditions">At least one, with samples.</param>
    /// <param name="better">Lower for what was to be forgotten, higher for what had to stay.</param>
    public Measure ShareJudgedAsAsked(IReadOnlyList<int> conditions, Better better = Better.Neither) =>
        Proportion.Share([.. conditions.SelectMany(condition => Samples(condition).Select(row => Verdict(row) == condition))], better);

    /// <summary>Share of a condition's samples that are judged as a class, which may be another. Wilson's interval.</summary>
    /// <param name="condition">One with samples.</param>
    /// <param name="judgedAs">The class.</param>
    /// <param name="better">Which direction is better.</param>
    public Measure ShareJudgedAs(int condition, int judgedAs, Better better = Better.Neither) =>
        Proportion.Share([.. Samples(condition).Select(row => Verdict(row) == judgedAs)], better);

    /// <summary>Where the samples of each condition went.</summary>
    public Confusion Confusion()
    {
        var conditions = new List<long>();
        var verdicts = new List<long>();
        for (var condition = 0; condition < ConditionCount; condition++)
            foreach (var row in rows[condition])
            {
                conditions.Add(condition);
                verdicts.Add(Verdict(row));
            }
        return Judging.Confusion.Count(conditions, verdicts, ConditionCount, ClassCount);
    }

    private List<double[]> Samples(int condition) => rows[condition].Count > 0
        ? rows[condition]
        : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"no sample of condition {condition} was read, so nothing can be said of it"));

    /// <summary>The likeliest class; of several alike, the first.</summary>
    private static int Verdict(double[] row) => Array.IndexOf(row, row.Max());
}
