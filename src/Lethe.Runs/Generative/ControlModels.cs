using Lethe.Models.Generative;
using Lethe.Torch;

namespace Lethe.Runs.Generative;

/// <summary>Controls for relearning where no training without the class is asked for.</summary>
public static class ControlModels
{
    /// <summary>
    /// The base model with the weights that one condition alone reads drawn anew, as at the start of training. What the shared layers know of
    /// the class stays: the weakest of the controls, and named as what it is.
    /// </summary>
    public static ModelFile ResetOwnWeights(ModelFile original, int label, ulong seed)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        using var model = ConditionalVae.FromState(original.Tensors);
        using var random = new RandomStream(RandomStream.ChildSeed(seed, $"control {label}"));
        foreach (var (name, column) in model.OwnColumns(label))
        {
            var weight = model.TrainedParameters.First(entry => entry.Name == name).Tensor;
            var bound = 1 / Math.Sqrt(weight.Size(1));
            weight.Select(1, column).UniformInPlace(-bound, bound, random);
        }
        var tensors = model.StateDict();
        var digest = CanonicalJson.Digest(new { original.Sha256, label, seed, kind = "own weights reset" });
        return original with { Tensors = tensors, Sha256 = digest };
    }
}
