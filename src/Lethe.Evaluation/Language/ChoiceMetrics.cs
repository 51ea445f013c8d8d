namespace Lethe.Evaluation.Language;

/// <summary>What the log-likelihoods of a question's answers say; definitions of lm-evaluation-harness.</summary>
public static class ChoiceMetrics
{
    /// <summary>The answer with the highest log-likelihood, the first of equals.</summary>
    /// <param name="logProbabilities">One for each answer, nats; at least one.</param>
    public static int Best(IReadOnlyList<double> logProbabilities)
    {
        var best = 0;
        for (var i = 1; i < logProbabilities.Count; i++)
            if (logProbabilities[i] > logProbabilities[best])
                best = i;
        return best;
    }

    /// <summary>The answer with the highest log-likelihood a character (acc_norm): characters of the answer's text alone, as code points; an empty answer is never chosen over one with text.</summary>
    /// <param name="logProbabilities">One for each answer, nats.</param>
    /// <param name="answers">The answers' texts, without the delimiter before them.</param>
    public static int BestByLength(IReadOnlyList<double> logProbabilities, IReadOnlyList<string> answers)
    {
        var normalised = new double[answers.Count];
        for (var i = 0; i < normalised.Length; i++)
            normalised[i] = logProbabilities[i] / WhiteSpace.Characters(answers[i]);
        return Best(normalised);
    }

    /// <summary>The probability of the true answers over that of all of them (TruthfulQA's mc2), 0 to 1.</summary>
    /// <param name="logProbabilities">One for each answer, nats.</param>
    /// <param name="isTrue">Which answers are true; at least one.</param>
    public static double TrueMass(IReadOnlyList<double> logProbabilities, IReadOnlyList<bool> isTrue)
    {
        // Relative to the most probable one, so that long answers do not all become 0.
        var largest = logProbabilities.Max();
        double good = 0, all = 0;
        for (var i = 0; i < logProbabilities.Count; i++)
        {
            var share = Math.Exp(logProbabilities[i] - largest);
            all += share;
            if (isTrue[i])
                good += share;
        }
        return good / all;
    }
}
