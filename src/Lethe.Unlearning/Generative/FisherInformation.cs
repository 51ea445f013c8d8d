using Lethe.Torch;

namespace Lethe.Unlearning.Generative;

/// <summary>
/// The diagonal Fisher information of a generator's bound, apart for each condition: F_c = E over the model's own samples of c of (∂ −ELBO)².
/// Kept apart, one estimate serves every concept: forgetting chooses afterwards whose information protects the weights.
/// </summary>
/// <param name="Conditions">Conditions that the estimate covers; 0 for a matrix of somebody else's that is a mean over all of them.</param>
/// <param name="Samples">Samples behind the estimate, all conditions together.</param>
/// <param name="Seed">Seed that the samples were drawn with; null if unknown.</param>
/// <param name="Tensors">For each parameter (conditions, shape of the parameter), or (shape of the parameter) where <paramref name="Conditions"/> is 0.</param>
public sealed record FisherInformation(int Conditions, long Samples, ulong? Seed, IReadOnlyDictionary<string, HostArray> Tensors)
{
    /// <summary>
    /// The diagonal that anchors the weights: (1/C) [ Σ over protected F_c + w Σ over forgotten F_c ].
    /// </summary>
    /// <remarks>
    /// To second order, −log p(D_f | θ) takes the forgotten data's information out of the posterior, so what is left protects the
    /// retained conditions alone: w = 0. With w = 1 all weigh alike, which is the released code's matrix where all conditions are protected
    /// or forgotten. The larger w, the more the forgotten conditions hold the weights where they are.
    /// </remarks>
    /// <param name="protectedConditions">Conditions that must stay.</param>
    /// <param name="forgottenConditions">Conditions that go.</param>
    /// <param name="ownInformation">w, 0 or more.</param>
    /// <param name="parameters">The model's parameters, which give order, type and device.</param>
    /// <returns>One tensor for each parameter; the caller's scope owns them.</returns>
    /// <exception cref="UsageException">A total matrix cannot be weighed by condition.</exception>
    /// <exception cref="BadInputException">The matrix belongs to another model.</exception>
    public Tensor[] Diagonal(IReadOnlyList<int> protectedConditions, IReadOnlyList<int> forgottenConditions, double ownInformation, IReadOnlyList<(string Name, Tensor Tensor)> parameters)
    {
        if (Conditions == 0 && ownInformation != 1)
            throw new UsageException($"The Fisher matrix given is a mean over all conditions, which allows method.own_information 1 alone, not {ownInformation}; leave 'fisher.path' out to have it estimated apart for each condition.");
        if (Conditions > 0 && protectedConditions.Concat(forgottenConditions).FirstOrDefault(condition => condition >= Conditions, -1) is var missing and >= 0)
            throw new BadInputException($"The Fisher matrix covers the conditions 0 to {Conditions - 1}, and not {missing}; it belongs to another model.");
        var result = new Tensor[parameters.Count];
        for (var k = 0; k < result.Length; k++)
        {
            using var scope = new TensorScope();
            var (name, parameter) = parameters[k];
            var whole = Read(name, parameter);
            if (Conditions > 0)
            {
                var weights = new double[Conditions];
                foreach (var condition in protectedConditions) weights[condition] = 1.0 / Conditions;
                foreach (var condition in forgottenConditions) weights[condition] = ownInformation / Conditions;
                var sum = Tensor.Zeros(parameter.Shape.ToArray(), parameter.DType, parameter.Device);
                for (var condition = 0; condition < Conditions; condition++)
                    if (weights[condition] != 0)
                        sum.AddInPlace(whole.Select(0, condition), weights[condition]);
                whole = sum;
            }
            result[k] = scope.Keep(whole);
        }
        return result;
    }

    private Tensor Read(string name, Tensor parameter)
    {
        if (!Tensors.TryGetValue(name, out var array))
            throw new BadInputException($"The Fisher matrix has no tensor '{name}'; it belongs to another model.");
        long[] expected = Conditions == 0 ? parameter.Shape.ToArray() : [Conditions, .. parameter.Shape];
        if (!array.Shape.SequenceEqual(expected))
            throw new BadInputException($"The Fisher matrix's tensor '{name}' has shape [{string.Join(", ", array.Shape)}]; the model needs [{string.Join(", ", expected)}].");
        return Tensor.From(array).To(parameter.DType).To(parameter.Device);
    }
}
