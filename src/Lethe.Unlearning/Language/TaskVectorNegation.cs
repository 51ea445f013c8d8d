using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;

namespace Lethe.Unlearning.Language;

/// <summary>
/// Task-vector negation (Ilharco et al., ICLR 2023, arXiv 2212.04089) of a model that was fine-tuned elsewhere: θ = θ₀ − scale (θ_tuned − θ₀). <see cref="TaskVectorNegationOptions"/> does the fine-tuning too.
/// </summary>
public static class TaskVectorNegation
{
    /// <summary>The negated weights by name, in the original's types: what is handed to LanguageCheckpoint.Save. Tensors that the tuning left as they were are not among them.</summary>
    /// <param name="original">The model as it was.</param>
    /// <param name="tuned">The same model fine-tuned on what is to be forgotten.</param>
    /// <param name="scale">How far to go the opposite way; 0 or more.</param>
    /// <param name="patterns">Names of the tensors that take part, where * stands for any characters; none: all.</param>
    /// <exception cref="BadInputException">The tuned model lacks a tensor, or has it in another shape.</exception>
    /// <exception cref="UsageException">The scale is negative or not finite, or a pattern fits no name.</exception>
    public static IReadOnlyDictionary<string, HostArray> Negate(IWeightSource original, IWeightSource tuned, double scale, params IReadOnlyList<string> patterns)
    {
        if (!(scale >= 0 && double.IsFinite(scale)))
            throw new UsageException(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"The scale of a task vector is {scale}; it must be 0 or more."));
        using var noGrad = Autograd.NoGrad();
        var changed = new Dictionary<string, HostArray>(StringComparer.Ordinal);
        foreach (var name in patterns.Count == 0 ? original.Names : NamePatterns.Choose(original.Names, patterns))
        {
            var (shape, stored) = original.Describe(name);
            if (!stored.IsFloatingPoint())
                continue;
            if (!tuned.Contains(name))
                throw new BadInputException($"{tuned.Where(tuned.Names.First())}: has no tensor '{name}', which {original.Where(name)} has; the two are not the same model.");
            if (!tuned.Describe(name).Shape.SequenceEqual(shape))
                throw new BadInputException($"{tuned.Where(name)}: tensor '{name}' is [{string.Join(", ", tuned.Describe(name).Shape)}], in {original.Where(name)} it is [{string.Join(", ", shape)}]; the two are not the same model.");
            using var scope = new TensorScope();
            var before = Tensor.From(original.Read(name)).To(DType.Float64);
            var vector = Tensor.From(tuned.Read(name)).To(DType.Float64) - before;
            if (vector.Ne(0).Any().Item() != 0)
                changed.Add(name, before.Sub(vector * scale).To(stored).ToHost());
        }
        return changed;
    }
}
