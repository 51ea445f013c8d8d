using Lethe.Models.Generative;
using Lethe.Torch;

namespace Lethe.Unlearning.Generative;

/// <summary>
/// The first stage of <see cref="SelectiveAmnesia"/>: Adam on the columns that the forgotten conditions alone read, and on nothing else. No
/// other condition's images change by a bit.
/// </summary>
internal sealed class OwnColumnStage : IDisposable
{
    private readonly IConditionalLikelihood model;
    private readonly ForgettingBatch batch;
    private readonly (Tensor Parameter, Tensor Column, long Index)[] own;
    private readonly Tensor[] copies; // contiguous twins of the columns; what the optimizer moves
    private readonly Adam optimizer;

    public OwnColumnStage(IConditionalLikelihood model, IReadOnlyList<ForgetTarget> targets, SelectiveAmnesiaOptions options)
    {
        this.model = model;
        own = [.. Columns(model, targets)];
        foreach (var (_, column, _) in own)
            TensorScope.Detach(column);
        // Without replay its rows are free for surrogates.
        batch = new ForgettingBatch(targets, options.ForgetBatch + options.ReplayBatch, options.GenerationLatents, model);
        copies = [.. own.Select(entry => TensorScope.Detach(entry.Column.Clone()))];
        optimizer = new Adam(copies.Select((copy, k) => ($"column{k}", copy)), options.ColumnLearningRate);
    }

    /// <summary>The columns of all concepts as views of their parameters; the caller's scope owns them.</summary>
    public static IEnumerable<(Tensor Parameter, Tensor Column, long Index)> Columns(IConditionalLikelihood model, IReadOnlyList<ForgetTarget> targets) =>
        from target in targets
        from column in model.OwnColumns(target.Condition)
        let parameter = model.TrainedParameters.First(entry => entry.Name == column.Parameter).Tensor
        select (parameter, parameter.Detach().Select(1, column.Column), column.Column);

    /// <summary>One step; returns the surrogates' mean bound, nats an image.</summary>
    public double Advance(RandomStream random)
    {
        var (images, latents) = batch.Draw(random);
        var bound = SelectiveAmnesia.Bound(model, images, batch.Conditions, latents, batch.DivergenceWeights, random).Mean();
        Tensor[] parameters = [.. own.Select(entry => entry.Parameter).Distinct()];
        var gradients = Autograd.Grad([bound], parameters);
        using var noGrad = Autograd.NoGrad();
        optimizer.Step([.. own.Select(entry => gradients[Array.IndexOf(parameters, entry.Parameter)].Select(1, entry.Index).Contiguous())]);
        for (var k = 0; k < own.Length; k++)
            own[k].Column.CopyInPlace(copies[k]);
        return bound.Item();
    }

    public void Save(StateWriter state, string prefix)
    {
        for (var k = 0; k < copies.Length; k++)
            state.Add($"{prefix}copy{k}", copies[k].ToHost());
        optimizer.Save(state, prefix + "optimizer.");
    }

    public void Load(StateReader state, string prefix)
    {
        for (var k = 0; k < copies.Length; k++)
            copies[k].CopyInPlace(Tensor.From(state.Array($"{prefix}copy{k}", copies[k])));
        optimizer.Load(state, prefix + "optimizer.");
    }

    public void Dispose()
    {
        batch.Dispose();
        optimizer.Dispose();
        foreach (var tensor in copies.Concat(own.Select(entry => entry.Column)))
            tensor.Dispose();
    }
}
