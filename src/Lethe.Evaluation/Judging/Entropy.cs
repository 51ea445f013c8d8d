namespace Lethe.Evaluation.Judging;

/// <summary>Shannon's entropy −Σ p ln p of a judge's distribution, in nats: 0 where it is certain, ln C where all C classes are alike to it.</summary>
public static class Entropy
{
    /// <summary>Entropy of probabilities; 0·ln 0 counts as 0, its limit.</summary>
    /// <param name="probabilities">From 0 to 1, sum 1.</param>
    public static double OfProbabilities(ReadOnlySpan<double> probabilities)
    {
        var entropy = 0.0;
        foreach (var p in probabilities)
            if (p > 0)
                entropy -= p * Math.Log(p);
            else if (p != 0)
                throw new ArgumentOutOfRangeException(nameof(probabilities), p, "a probability lies between 0 and 1");
        return entropy;
    }

    /// <summary>Entropy of log-probabilities, as a classifier's log-softmax gives them; −∞ is a probability of 0 and counts as 0.</summary>
    /// <param name="logProbabilities">At most 0; their exponentials sum to 1.</param>
    public static double OfLogProbabilities(ReadOnlySpan<double> logProbabilities)
    {
        var entropy = 0.0;
        foreach (var logP in logProbabilities)
            if (!double.IsNegativeInfinity(logP))
                entropy -= Math.Exp(logP) * logP;
        return entropy;
    }
}
