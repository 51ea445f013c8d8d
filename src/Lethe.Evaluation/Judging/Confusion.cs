using System.Globalization;
using Lethe.Evaluation.Statistics;

namespace Lethe.Evaluation.Judging;

/// <summary>
/// How often samples of each condition are judged as each class: where a forgotten class's samples went, and which neighbours suffered.
/// </summary>
public sealed class Confusion
{
    private readonly long[,] counts;
    private readonly long[] totals;

    private Confusion(long[,] counts)
    {
        this.counts = counts;
        totals = [.. Enumerable.Range(0, counts.GetLength(0)).Select(row => Enumerable.Range(0, counts.GetLength(1)).Sum(column => counts[row, column]))];
    }

    /// <summary>Number of conditions: rows.</summary>
    public int Conditions => counts.GetLength(0);

    /// <summary>Number of the judge's classes: columns.</summary>
    public int Classes => counts.GetLength(1);

    /// <summary>Counts the verdicts.</summary>
    /// <param name="conditions">What was asked for, of each sample, 0 … <paramref name="conditionCount"/> − 1.</param>
    /// <param name="verdicts">What the judge took it for, 0 … <paramref name="classCount"/> − 1.</param>
    /// <param name="conditionCount">Number of conditions.</param>
    /// <param name="classCount">Number of the judge's classes.</param>
    public static Confusion Count(IReadOnlyList<long> conditions, IReadOnlyList<long> verdicts, int conditionCount, int classCount)
    {
        Check.SameLength(conditions.Count, verdicts.Count, "samples");
        var counts = new long[conditionCount, classCount];
        for (var i = 0; i < conditions.Count; i++)
        {
            if (conditions[i] < 0 || conditions[i] >= conditionCount || verdicts[i] < 0 || verdicts[i] >= classCount)
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"sample {i} has condition {conditions[i]} of {conditionCount} and verdict {verdicts[i]} of {classCount}; both count from 0"));
            counts[conditions[i], verdicts[i]]++;
        }
        return new Confusion(counts);
    }

    /// <summary>Number of samples of a condition.</summary>
    public long Total(int condition) => totals[condition];

    /// <summary>Number of samples of a condition that were judged as a class.</summary>
    public long this[int condition, int judgedAs] => counts[condition, judgedAs];

    /// <summary>Share of a condition's samples that were judged as a class, with Wilson's interval.</summary>
    /// <param name="condition">One that has samples.</param>
    /// <param name="judgedAs">One of the judge's classes.</param>
    /// <param name="better">Which direction is better.</param>
    public Measure Share(int condition, int judgedAs, Better better = Better.Neither) => Proportion.Share(counts[condition, judgedAs], totals[condition], better);

    /// <summary>All shares; a row sums to 1, or is all 0 for a condition without samples.</summary>
    public IReadOnlyList<IReadOnlyList<double>> Shares =>
        [.. Enumerable.Range(0, Conditions).Select(row => (IReadOnlyList<double>)[.. Enumerable.Range(0, Classes).Select(column => totals[row] == 0 ? 0.0 : (double)counts[row, column] / totals[row])])];
}
