using System.Runtime.InteropServices;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.Language.Families;
using Lethe.Models.Language.Layers;
using Lethe.Torch;

namespace Lethe.Models.Language;

/// <summary>
/// A decoder-only language model: an embedding, an ordered list of layers of which any slice can be run, or loaded, without the rest, and a head. Each family is
/// one file; parameters have the names of Hugging Face's checkpoints. Models compute on the torch thread.
/// </summary>
/// <remarks>
/// Weights are kept in the type that was asked for. On the CPU 16-bit types are for storage: hidden states are float32, and each matrix is widened as
/// it is used. Parameters are frozen unless they were asked for as trainable.
/// </remarks>
public abstract class CausalLanguageModel : ModelPart
{
    private readonly IWeightSource? weights;
    private readonly Device device;
    private DecoderLayer[] layers = [];
    private Tensor? embedding;
    private string embeddingName = "";
    private Projection? head;

    private protected CausalLanguageModel(ModelBuild build) : base(build.Source, "")
    {
        (Configuration, weights, FromLayer, ToLayer, HasHead) = (build.Configuration, build.Weights, build.FromLayer, build.ToLayer, build.Head);
        device = build.Source.Device;
        StorageType = build.Source.Type;
        ComputeType = device.Kind == "cpu" && StorageType is DType.Float16 or DType.BFloat16 ? DType.Float32 : StorageType;
        if (build.Configuration.ModelType != "gpt2")
            Rotary = Part("rotary", new RotaryEmbedding(build.Configuration, ComputeType, device));
    }

    /// <summary>Shape and constants.</summary>
    public LanguageModelConfiguration Configuration { get; }

    /// <summary>Layers of the whole model, loaded or not.</summary>
    public int LayerCount => Configuration.Layers;

    /// <summary>Width of the residual stream.</summary>
    public long HiddenSize => Configuration.HiddenSize;

    /// <summary>The first layer that is loaded.</summary>
    public int FromLayer { get; }

    /// <summary>One past the last layer that is loaded.</summary>
    public int ToLayer { get; }

    /// <summary>Whether the final norm and the head are loaded.</summary>
    public bool HasHead { get; }

    /// <summary>Whether the whole embedding is in memory; otherwise each row is read from the checkpoint when it is needed, and the checkpoint must stay open.</summary>
    public bool HasEmbedding => embedding is not null;

    /// <summary>The type in which weights are kept.</summary>
    public DType StorageType { get; }

    /// <summary>The type of hidden states and logits.</summary>
    public DType ComputeType { get; }

    /// <summary>Where the model computes.</summary>
    public Device Device => device;

    /// <summary>
    /// Who sees, and changes, values in every forward, whoever calls it: guardrails. It comes before a call's own <see cref="ForwardContext.Sites"/>. Null: nobody. The model does not
    /// own it. Set it before a cache is filled: one that remembers refuses a cache whose beginning it did not see.
    /// </summary>
    public ISiteVisitor? Guard { get; set; }

    private protected RotaryEmbedding? Rotary { get; }

    /// <summary>Loads a model, or a slice of one.</summary>
    /// <param name="configuration">Its shape; the model_type decides the family.</param>
    /// <param name="weights">Its weights. The model does not own them, but reads embedding rows from them as long as it lives, unless the whole embedding is loaded (<see cref="HasEmbedding"/>).</param>
    /// <param name="options">Which layers, whether the head, type, device, what is trainable.</param>
    /// <exception cref="BadInputException">The family is unknown, or a tensor is missing or of another shape; the message names the file and the tensor.</exception>
    /// <exception cref="UsageException">The layers asked for are not there, or a trainable parameter is not among what is loaded.</exception>
    public static CausalLanguageModel Create(LanguageModelConfiguration configuration, IWeightSource weights, LoadOptions options)
    {
        var to = options.ToLayer ?? configuration.Layers;
        if (options.FromLayer < 0 || to > configuration.Layers || options.FromLayer > to)
            throw new UsageException($"Layers {options.FromLayer} to {to - 1} were asked for; the model has layers 0 to {configuration.Layers - 1}.");
        if (options.RoundedProducts && options.Device.Kind == "cpu" && (options.DType != DType.BFloat16 || !Engine.HasBfloat16Products))
            throw new UsageException(options.DType != DType.BFloat16
                ? $"Rounded products need weights in bfloat16, not {options.DType}."
                : "This processor has no instructions for products of bfloat16 (AVX-512 BF16 or AMX), which would be slow without them; use float32.");
        if (!options.DType.IsFloatingPoint())
            throw new UsageException($"A model cannot be loaded as {options.DType}; float32, bfloat16, float16 and float64 are possible.");
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var model = LanguageModelFamilies.Make(new(configuration, new CheckpointParameters(configuration, weights, options), weights, options.FromLayer, to, options.Head));
        var there = model.NamedParameters().Select(entry => entry.Name).ToHashSet(StringComparer.Ordinal);
        if (options.TrainableParameters.FirstOrDefault(name => !there.Contains(name)) is not { } missing)
            return model;
        model.Dispose();
        throw new UsageException($"The model has no parameter '{missing}' among its layers {options.FromLayer} to {to - 1}; its parameters are named as in the checkpoint, for example {there.FirstOrDefault(name => name.Contains(".mlp.", StringComparison.Ordinal)) ?? there.FirstOrDefault()}.");
    }

    /// <summary>A model with random weights, all of them trainable, to train from scratch.</summary>
    /// <param name="configuration">Its shape.</param>
    /// <param name="random">Where initial values come from, and on which device.</param>
    /// <param name="type">Type of the weights.</param>
    /// <exception cref="BadInputException">The family is unknown.</exception>
    public static CausalLanguageModel Initialise(LanguageModelConfiguration configuration, RandomStream random, DType type = DType.Float32)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        return LanguageModelFamilies.Make(new(configuration, new RandomParameters(configuration, random, type), null, 0, configuration.Layers, true));
    }

    /// <summary>What enters layer 0: transformers' hidden_states[0].</summary>
    /// <param name="ids">Tokens, (B, T) whole numbers.</param>
    /// <param name="positions">Their positions, (B, T); null: 0 … T−1. Only GPT-2 adds them here.</param>
    /// <returns>(B, T, D).</returns>
    public Tensor Embed(Tensor ids, Tensor? positions = null)
    {
        if (ids.Dimensions != 2 || ids.DType != DType.Int64)
            throw new ArgumentException($"Tokens are (rows, tokens) of whole numbers (int64), not {ids.Describe()}.", nameof(ids));
        return Embed(Rows(ids), positions, 0);
    }

    /// <summary>Runs a slice of the layers.</summary>
    /// <param name="hidden">What enters layer <paramref name="from"/>, (B, T, D).</param>
    /// <param name="from">The first layer to run; at least <see cref="FromLayer"/>.</param>
    /// <param name="to">One past the last; at most <see cref="ToLayer"/>.</param>
    /// <param name="context">Padding, positions, cache, visitor; null: none of them.</param>
    /// <returns>What leaves layer to − 1, (B, T, D), before the final norm; the hidden itself if no layer was asked for.</returns>
    public Tensor Run(Tensor hidden, int from, int to, ForwardContext? context = null)
    {
        CheckLoaded(from, to);
        if (from == to)
            return hidden;
        using var run = new TensorScope();
        using var pass = new ForwardPass(hidden, from, context ?? ForwardContext.Empty, Rotary, Guard);
        return run.Keep(Forward(run, hidden, from, to, pass));
    }

    /// <summary>Runs a layer as far as its neurons; <see cref="Finish"/> goes on.</summary>
    /// <param name="hidden">What enters the layer, (B, T, D).</param>
    /// <param name="layer">The layer.</param>
    /// <param name="context">Padding, positions, visitor; null: none of them.</param>
    public LayerMiddle Begin(Tensor hidden, int layer, ForwardContext? context = null)
    {
        CheckLoaded(layer, layer + 1);
        using var scope = new TensorScope();
        using var pass = new ForwardPass(hidden, layer, context ?? ForwardContext.Empty, Rotary, Guard);
        return LayerMiddle.Of([.. layers[layer - FromLayer].Begin(hidden, pass).Tensors.Select(scope.Keep)]);
    }

    /// <summary>Goes on from the neurons of a layer: the same operators on the same numbers as <see cref="Run"/>.</summary>
    /// <param name="middle">What <see cref="Begin"/> gave.</param>
    /// <param name="layer">That layer.</param>
    /// <param name="to">One past the last layer to run; at most <see cref="ToLayer"/>.</param>
    /// <param name="context">Padding, positions, visitor; null: none of them.</param>
    /// <returns>What leaves layer to − 1, (B, T, D).</returns>
    public Tensor Finish(LayerMiddle middle, int layer, int to, ForwardContext? context = null)
    {
        CheckLoaded(layer, to);
        using var run = new TensorScope();
        using var pass = new ForwardPass(middle.Stream, layer, context ?? ForwardContext.Empty, Rotary, Guard);
        return run.Keep(Forward(run, layers[layer - FromLayer].Finish(middle, pass), layer + 1, to, pass));
    }

    /// <summary>Final norm, head and soft cap: (…, D) → (…, V). Give it only the positions whose logits are wanted.</summary>
    /// <exception cref="InvalidOperationException">The head is not loaded.</exception>
    public Tensor Head(Tensor hidden) => Unembed(Normalise(hidden));

    /// <summary>The final norm: (…, D) → (…, D). Of what leaves the last layer it gives transformers' last hidden state.</summary>
    /// <exception cref="InvalidOperationException">The head is not loaded.</exception>
    public abstract Tensor Normalise(Tensor hidden);

    /// <summary>Head and soft cap of hidden states that are normalised: (…, D) → (…, V).</summary>
    /// <exception cref="InvalidOperationException">The head is not loaded.</exception>
    public Tensor Unembed(Tensor normalised)
    {
        var logits = (head ?? throw NoHead()).Forward(normalised);
        return Configuration.FinalSoftCap is { } cap ? SoftCap.Apply(logits, cap) : logits;
    }

    /// <summary>Logits of every position: tokens (B, T) → (B, T, V).</summary>
    /// <exception cref="InvalidOperationException">Not all layers, or not the head, are loaded.</exception>
    public Tensor Logits(Tensor ids, ForwardContext? context = null)
    {
        using var scope = new TensorScope();
        return scope.Keep(Head(Hidden(ids, context)));
    }

    /// <summary>What leaves the last layer, before the final norm: tokens (B, T) → (B, T, D).</summary>
    /// <exception cref="InvalidOperationException">Not all layers are loaded.</exception>
    public Tensor Hidden(Tensor ids, ForwardContext? context = null)
    {
        if (FromLayer > 0 || ToLayer < LayerCount)
            throw new InvalidOperationException($"Layers {FromLayer} to {ToLayer - 1} of {LayerCount} are loaded; this needs all of them.");
        using var scope = new TensorScope();
        return scope.Keep(Run(Embed(Rows(ids), context?.PositionIds, context?.Cache?.Length ?? 0), 0, LayerCount, context));
    }

    /// <summary>Adds what is known of positions to embedded tokens (B, T, D).</summary>
    private protected virtual Tensor Place(Tensor embedded, Tensor? positions, long past) => embedded;

    private protected static InvalidOperationException NoHead() => new("The model was loaded without its final norm and head (LoadOptions.Head).");

    /// <summary>Loads the embedding if it is needed whole: for the head, to be trained, or because there is no file to read rows from.</summary>
    private protected void LoadEmbedding(string name)
    {
        embeddingName = name;
        if ((Configuration.TieEmbeddings && HasHead) || Source.IsTrainable(name) || weights is null)
            embedding = Load(name, [Configuration.VocabularySize, Configuration.HiddenSize], ParameterRole.Matrix);
    }

    private protected void LoadLayers(string prefix, Func<int, string, DecoderLayer> make) =>
        layers = [.. Enumerable.Range(FromLayer, ToLayer - FromLayer).Select(layer => Part($"{prefix}{layer}", make(layer, $"{prefix}{layer}.")))];

    /// <summary>Loads the head, or shares the embedding's matrix.</summary>
    private protected void LoadHead(string name)
    {
        if (HasHead)
            head = Configuration.TieEmbeddings ? new(embedding!, null) : new(Load(name, [Configuration.VocabularySize, Configuration.HiddenSize], ParameterRole.Matrix), null);
    }

    private Tensor Forward(TensorScope run, Tensor hidden, int from, int to, ForwardPass pass)
    {
        var current = hidden;
        for (var layer = from; layer < to; layer++)
        {
            using var scope = new TensorScope();
            var next = scope.Keep(layers[layer - FromLayer].Forward(current, pass));
            // Not all layers' results at once. One that a visitor took away, or put there, is none of this run's.
            if (current != next && run.Owns(current))
                current.Dispose();
            current = next;
        }
        return current;
    }

    private void CheckLoaded(int from, int to)
    {
        if (from < FromLayer || to > ToLayer || from > to)
            throw new ArgumentOutOfRangeException(nameof(from), $"{from} to {to}", $"layers {FromLayer} to {ToLayer} are loaded");
    }

    private Tensor Embed(Tensor ids, Tensor? positions, long past)
    {
        using var scope = new TensorScope();
        var rows = embedding is { } table ? table.Embedding(ids) : Gather(ids);
        return scope.Keep(Place(rows.To(ComputeType), positions, past));
    }

    // Reads the rows that are needed, each once, and nothing else of the matrix.
    private Tensor Gather(Tensor ids)
    {
        var flat = ids.To(Device.Cpu).ToArray<long>();
        var distinct = flat.Distinct().ToArray();
        foreach (var id in distinct)
            if (id < 0 || id >= Configuration.VocabularySize)
                throw new ArgumentOutOfRangeException(nameof(ids), id, $"the vocabulary has tokens 0 to {Configuration.VocabularySize - 1}");
        if (distinct.Length == 0)
            return Tensor.Zeros([ids.Size(0), ids.Size(1), HiddenSize], ComputeType, device);
        var (shape, _) = weights!.Describe(embeddingName);
        if (shape is not [var count, var width] || count != Configuration.VocabularySize || width != HiddenSize)
            throw new BadInputException($"{weights.Where(embeddingName)}: tensor '{embeddingName}' has the shape [{string.Join(", ", shape)}]; the configuration asks for [{Configuration.VocabularySize}, {HiddenSize}].");
        // Rounded to the type that the model is kept in, so that rows are the same whether the embedding is loaded or not.
        var rows = Tensor.From(weights.ReadRows(embeddingName, distinct)).To(StorageType).To(ComputeType);
        var place = distinct.Select((id, k) => (id, k)).ToDictionary(entry => entry.id, entry => (long)entry.k);
        return rows.Embedding(Tensor.FromArray([.. flat.Select(id => place[id])], ids.Shape)).To(device);
    }

    private Tensor Rows(Tensor ids) => ids.Device == device ? ids : ids.To(device);
}

/// <summary>What a model is made from.</summary>
internal sealed record ModelBuild(LanguageModelConfiguration Configuration, ParameterSource Source, IWeightSource? Weights, int FromLayer, int ToLayer, bool Head);
