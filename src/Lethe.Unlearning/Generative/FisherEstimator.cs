using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Lethe.Models.Generative;
using Lethe.Torch;

namespace Lethe.Unlearning.Generative;

/// <summary>How the Fisher information is estimated.</summary>
public sealed record FisherOptions
{
    /// <summary>Samples in all, spread evenly over the conditions. The paper's code draws 50,000.</summary>
    [Description("Samples in all, spread evenly over the conditions; the paper's code draws 50,000")]
    [Range(1, 10_000_000)]
    public long Samples { get; init; } = 50_000;

    /// <summary>Samples in one pass. Memory grows with it; 500 keeps the largest layer's activations in the cache of a common processor.</summary>
    [Description("Samples in one pass; memory grows with it")]
    [Range(1, 65_536)]
    public int Batch { get; init; } = 500;

    /// <summary>
    /// Estimates of the bound that are summed before squaring: 1 for a VAE, as in the paper's code; every time step for a diffusion model.
    /// </summary>
    [Description("Draws of the bound's noise for each sample, summed before squaring; 1 as in the paper's code")]
    [Range(1, 100_000)]
    public int Draws { get; init; } = 1;

    /// <summary>
    /// "auto" takes the closed form where the model consists of linear layers and one draw is asked for, else one backward pass a sample.
    /// </summary>
    [Description("closed_form for models of linear layers, per_sample for all; auto chooses")]
    public FisherPath Path { get; init; } = FisherPath.Auto;
}

/// <summary>Ways to the same numbers.</summary>
public enum FisherPath
{
    /// <summary>The closed form where it applies.</summary>
    Auto,
    /// <summary>From layer inputs and gradients of one batched pass.</summary>
    ClosedForm,
    /// <summary>One backward pass for each sample.</summary>
    PerSample,
}

/// <summary>
/// Estimates the Fisher information of the bound over the model's own samples (Selective Amnesia, arXiv 2305.10120, section 3.1;
/// clear-nus/selective-amnesia, vae/calculate_fim.py): F_c = (1/n) Σ (∂ −ELBO(x_n, c))², x_n ~ p(x | θ*, c).
/// </summary>
/// <remarks>
/// Closed form: where a linear layer with input a (B, in) is used once a sample and δ (B, out) is the gradient of the summed bound at its
/// pre-activation, the gradient of sample n is δ_n a_nᵀ, so Σ_n of its square is (δ∘δ)ᵀ (a∘a). One batched pass gives what the released
/// code takes from passes of one image; gradients of weights are never formed.
/// </remarks>
public sealed class FisherEstimator : ITrainingLoop, IDisposable
{
    private readonly IConditionalLikelihood model;
    private readonly FisherOptions options;
    private readonly RandomStream random;
    private readonly Tensor[] sums; // one for each parameter: (conditions, shape)
    private readonly bool closedForm;

    /// <summary>Prepares an estimate; nothing is computed yet.</summary>
    /// <param name="model">The trained model; its parameters are left as they are.</param>
    /// <param name="options">How.</param>
    /// <param name="seed">Decides the samples and the noise.</param>
    /// <exception cref="UsageException">The closed form is asked for and the model has none, or there are fewer samples than conditions.</exception>
    public FisherEstimator(IConditionalLikelihood model, FisherOptions options, ulong seed)
    {
        if (options.Samples < model.Conditions)
            throw new UsageException($"fisher.samples is {options.Samples}; every one of the {model.Conditions} conditions needs at least one.");
        closedForm = options.Path switch
        {
            FisherPath.PerSample => false,
            FisherPath.Auto => model is ILinearLayers && options.Draws == 1,
            _ => model is ILinearLayers && options.Draws == 1
                ? true
                : throw new UsageException("fisher.path is 'closed_form', which needs a model of linear layers and fisher.draws 1; 'auto' and 'per_sample' always work."),
        };
        this.model = model;
        this.options = options;
        Seed = seed;
        random = new RandomStream(RandomStream.ChildSeed(seed, "fisher"), model.TrainedParameters[0].Tensor.Device);
        sums = [.. model.TrainedParameters.Select(entry => TensorScope.Detach(
            Tensor.Zeros([model.Conditions, .. entry.Tensor.Shape], entry.Tensor.DType, entry.Tensor.Device)))];
    }

    /// <summary>What decides samples and noise.</summary>
    public ulong Seed { get; }

    /// <inheritdoc/>
    public long Step { get; private set; }

    /// <inheritdoc/>
    public long TotalSteps => Enumerable.Range(0, model.Conditions).Sum(BatchesOf);

    /// <inheritdoc/>
    public bool Finished => Step >= TotalSteps;

    /// <inheritdoc/>
    public string? StopReason => null;

    /// <inheritdoc/>
    /// <remarks>Measures "samples", those done so far.</remarks>
    public IReadOnlyList<(string Name, double Value)> Advance()
    {
        var (condition, batch) = Position();
        using var scope = new TensorScope();
        var conditions = Tensor.Full([batch], condition, DType.Int64, random.Device);
        var images = model.Sample(conditions, random);
        if (closedForm)
            AddClosedForm((ILinearLayers)model, images, conditions, model.DrawNoise(batch, random), condition);
        else
            AddPerSample(images, condition);
        Step++;
        return [("samples", SamplesDone())];
    }

    /// <summary>Adds the squared gradients of a batch of one condition by the closed form.</summary>
    internal void AddClosedForm(ILinearLayers layered, Tensor images, Tensor conditions, Tensor[] noise, int condition)
    {
        using var scope = new TensorScope();
        using var frozen = new FrozenWeights(model);
        var (bound, layers) = layered.Trace(images, conditions, noise);
        var gradients = Autograd.Grad([bound.Sum()], [.. layers.Select(layer => layer.PreActivation)]);
        using var noGrad = Autograd.NoGrad();
        for (var k = 0; k < layers.Count; k++)
        {
            var squared = gradients[k].SquareInPlace(); // (B, out); this gradient is ours alone
            var input = layers[k].Input.Detach().Square(); // (B, in)
            Sum(layers[k].Weight, condition).AddmmInPlace(squared.T(), input);
            Sum(layers[k].Bias, condition).AddInPlace(squared.Sum(0));
        }
    }

    /// <summary>Adds the squared gradient of one image, its draws summed first.</summary>
    internal void AddSample(Tensor image, int condition, Tensor[] noise)
    {
        using var scope = new TensorScope();
        var bound = model.NegativeElbo(
            image.Expand([options.Draws, .. model.ImageShape]), Tensor.Full([options.Draws], condition, DType.Int64, image.Device), noise).Sum();
        var gradients = Autograd.Grad([bound], [.. model.TrainedParameters.Select(entry => entry.Tensor)]);
        using var noGrad = Autograd.NoGrad();
        for (var k = 0; k < gradients.Length; k++)
            sums[k].Select(0, condition).AddcmulInPlace(gradients[k], gradients[k]);
    }

    /// <summary>The estimate: sums divided by the samples of each condition.</summary>
    /// <exception cref="InvalidOperationException">The estimate is not finished.</exception>
    public FisherInformation Result()
    {
        if (!Finished)
            throw new InvalidOperationException($"The estimate has done {Step} of {TotalSteps} steps.");
        using var scope = new TensorScope();
        var counts = Tensor.FromArray(Enumerable.Range(0, model.Conditions).Select(condition => (double)SamplesOf(condition)).ToArray());
        var tensors = new Dictionary<string, HostArray>();
        for (var k = 0; k < sums.Length; k++)
        {
            var (name, parameter) = model.TrainedParameters[k];
            long[] broadcast = [model.Conditions, .. Enumerable.Repeat(1L, parameter.Dimensions)];
            tensors.Add(name, sums[k].Div(counts.To(sums[k].DType).To(sums[k].Device).View(broadcast)).ToHost());
        }
        return new FisherInformation(model.Conditions, options.Samples, Seed, tensors);
    }

    /// <inheritdoc/>
    public void Save(StateWriter state)
    {
        state.Add("step", Step);
        state.Add("random", random.State());
        for (var k = 0; k < sums.Length; k++)
            state.Add("sums." + model.TrainedParameters[k].Name, sums[k].ToHost());
    }

    /// <inheritdoc/>
    public void Load(StateReader state)
    {
        using var scope = new TensorScope();
        for (var k = 0; k < sums.Length; k++)
            sums[k].CopyInPlace(Tensor.From(state.Array("sums." + model.TrainedParameters[k].Name, sums[k])));
        random.Restore(state.Array("random"));
        Step = state.Integer("step");
    }

    /// <summary>Frees the sums and the random stream.</summary>
    public void Dispose()
    {
        random.Dispose();
        foreach (var sum in sums)
            sum.Dispose();
    }

    private void AddPerSample(Tensor images, int condition)
    {
        for (var n = 0L; n < images.Size(0); n++)
            AddSample(images.Select(0, n), condition, model.DrawNoise(options.Draws, random));
    }

    private Tensor Sum(string parameter, int condition)
    {
        for (var k = 0; k < sums.Length; k++)
            if (model.TrainedParameters[k].Name == parameter)
                return sums[k].Select(0, condition);
        throw new InvalidOperationException($"The model traces a layer with parameter '{parameter}', which it does not train.");
    }

    // Conditions take turns of their batches in order; the remainder of the division goes to the first conditions.
    private long SamplesOf(int condition) => options.Samples / model.Conditions + (condition < options.Samples % model.Conditions ? 1 : 0);

    private long BatchesOf(int condition) => (SamplesOf(condition) + options.Batch - 1) / options.Batch;

    private long SamplesDone()
    {
        var (left, done) = (Step, 0L);
        for (var condition = 0; condition < model.Conditions && left > 0; condition++)
        {
            done += Math.Min(left * options.Batch, SamplesOf(condition));
            left -= BatchesOf(condition);
        }
        return done;
    }

    private (int Condition, long Batch) Position()
    {
        var left = Step;
        for (var condition = 0; condition < model.Conditions; condition++)
        {
            if (left < BatchesOf(condition))
                return (condition, Math.Min(options.Batch, SamplesOf(condition) - left * options.Batch));
            left -= BatchesOf(condition);
        }
        throw new InvalidOperationException($"The estimate is finished after {TotalSteps} steps.");
    }

    /// <summary>
    /// Weights collect no gradient while this is open, so that autograd does not compute what the closed form makes superfluous; biases do,
    /// which keeps every pre-activation in the graph.
    /// </summary>
    private readonly struct FrozenWeights : IDisposable
    {
        private readonly Tensor[] weights;

        public FrozenWeights(IConditionalLikelihood model)
        {
            weights = [.. model.TrainedParameters.Select(entry => entry.Tensor).Where(tensor => tensor.Dimensions > 1 && tensor.RequiresGrad)];
            foreach (var weight in weights)
                weight.RequiresGrad = false;
        }

        public void Dispose()
        {
            foreach (var weight in weights)
                weight.RequiresGrad = true;
        }
    }
}
