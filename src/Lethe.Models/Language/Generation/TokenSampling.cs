using Lethe.Torch;

namespace Lethe.Models.Language.Generation;

/// <summary>Chooses a token from logits.</summary>
public static class TokenSampling
{
    /// <summary>The tokens that pass the filters, likeliest first (the lower number first among equals), with probabilities that sum to 1.</summary>
    /// <param name="logits">One for each token of the vocabulary.</param>
    /// <param name="options">Temperature (over 0) and filters; the repetition penalty is not applied here.</param>
    /// <exception cref="RunFailedException">A logit is NaN, or all are −∞.</exception>
    public static (int[] Tokens, double[] Probabilities) Filter(ReadOnlySpan<float> logits, GenerationOptions options)
    {
        var largest = float.NegativeInfinity;
        foreach (var logit in logits)
        {
            if (float.IsNaN(logit))
                throw new RunFailedException("The model gives logits that are not numbers (NaN): its weights or the hidden states are damaged.");
            largest = Math.Max(largest, logit);
        }
        if (!float.IsFinite(largest))
            throw new RunFailedException($"The model's largest logit is {largest}: its weights or the hidden states are damaged.");

        var least = options.TopK is { } k && k < logits.Length ? KthLargest(logits, k) : float.NegativeInfinity;
        var tokens = new List<int>(256);
        var weights = new double[logits.Length];
        var total = 0.0;
        for (var token = 0; token < logits.Length; token++)
            if (logits[token] >= least)
                total += weights[token] = Math.Exp(((double)logits[token] - largest) / options.Temperature);
        // What is below this share of the rest can be no part of the nucleus: all such tokens together weigh less than what top-p leaves out.
        var floor = Math.Max((1 - options.TopP) * total / logits.Length, double.Epsilon);
        for (var token = 0; token < logits.Length; token++)
            if (weights[token] >= floor)
                tokens.Add(token);
        var chosen = tokens.ToArray();
        var order = Array.ConvertAll(chosen, token => -weights[token]);
        Array.Sort(order, chosen, Comparer<double>.Default);
        SortEqual(chosen, weights);

        var count = 0;
        for (var sum = 0.0; count < chosen.Length && (count == 0 || options.TopP == 1 || sum < options.TopP * total); count++)
            sum += weights[chosen[count]];
        // The likeliest has weight 1.
        while (count > 1 && weights[chosen[count - 1]] < options.MinP)
            count--;
        var kept = 0.0;
        for (var i = 0; i < count; i++)
            kept += weights[chosen[i]];
        return (chosen[..count], Array.ConvertAll(chosen[..count], token => weights[token] / kept));
    }

    /// <summary>Draws one of the tokens that <see cref="Filter"/> leaves.</summary>
    /// <param name="logits">One for each token of the vocabulary.</param>
    /// <param name="options">Temperature and filters; with temperature 0 the likeliest token, the lowest number among equals.</param>
    /// <param name="uniform">A number from chance, in [0, 1).</param>
    /// <exception cref="RunFailedException">See <see cref="Filter"/>.</exception>
    public static int Draw(ReadOnlySpan<float> logits, GenerationOptions options, double uniform)
    {
        var (tokens, probabilities) = Filter(logits, options.IsGreedy ? options with { Temperature = 1, TopK = 1, TopP = 1, MinP = 1 } : options);
        if (options.IsGreedy)
            return tokens[0];
        for (var (i, sum) = (0, 0.0); i < tokens.Length; i++)
            if ((sum += probabilities[i]) > uniform)
                return tokens[i];
        return tokens[^1];
    }

    /// <summary>Makes tokens that occurred less likely, in place: positive logits are divided, negative ones multiplied.</summary>
    public static void Penalise(Span<float> logits, IEnumerable<int> occurred, double penalty)
    {
        foreach (var token in occurred.Distinct())
            logits[token] = (float)(logits[token] > 0 ? logits[token] / penalty : logits[token] * penalty);
    }

    private static float KthLargest(ReadOnlySpan<float> logits, int k)
    {
        // The k largest so far, the least of them on top.
        var heap = new PriorityQueue<float, float>(k + 1);
        foreach (var logit in logits)
            if (heap.Count < k)
                heap.Enqueue(logit, logit);
            else if (logit > heap.Peek())
                heap.DequeueEnqueue(logit, logit);
        return heap.Peek();
    }

    // Array.Sort leaves equals in no order; a draw must not depend on it.
    private static void SortEqual(int[] tokens, double[] weights)
    {
        for (var start = 0; start < tokens.Length;)
        {
            var end = start + 1;
            while (end < tokens.Length && weights[tokens[end]] == weights[tokens[start]])
                end++;
            if (end - start > 1)
                Array.Sort(tokens, start, end - start);
            start = end;
        }
    }
}

/// <summary>Numbers from chance for the choice of tokens: SplitMix64 (Steele et al. 2014), the same on every machine.</summary>
/// <param name="seed">Any number.</param>
public sealed class TokenChance(ulong seed)
{
    private readonly SplitMix64 random = new(seed);

    /// <summary>The next number, in [0, 1).</summary>
    public double Next() => random.NextUnit();
}
