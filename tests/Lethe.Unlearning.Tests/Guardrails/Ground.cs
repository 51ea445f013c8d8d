using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.SparseAutoencoders;
using Lethe.Torch;
using Lethe.Unlearning.Guardrails;

namespace Lethe.Unlearning.Tests.Guardrails;

/// <summary>
/// A tiny Llama, and an autoencoder of what enters its first layer whose latent j fires on one token alone: there z_j = 0.1 ‖e‖ for the token's embedding e. Latent 2 fires on token 7, latent 4 on token 9, latent 5 on
/// both; latents 0, 1 and 3 never do. Firing is therefore known without running anything.
/// </summary>
internal sealed class Ground : IDisposable
{
    public const int A = 7, B = 9, Quiet = 30;

    private readonly LanguageCheckpoint checkpoint = LanguageCheckpoint.Open(Repository.Fixture("language", "llama"));

    public Ground(string architecture = ReluAutoencoder.Name)
    {
        Model = checkpoint.Load();
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var a = Embedding(A);
        var b = Embedding(B);
        var size = Model.HiddenSize;
        var (encoder, bias) = (Tensor.Zeros([size, 6]), Tensor.Full([6], -1.0));
        foreach (var (latent, direction) in new[] { (2, a), (4, b) })
        {
            encoder.Select(1, latent).CopyInPlace(direction / direction.Norm());
            bias.Narrow(0, latent, 1).FillInPlace(-0.9 * direction.Norm().Item());
        }
        using var random = new RandomStream(3);
        var decoder = Tensor.Randn([6, size], random);
        var arrays = new Dictionary<string, HostArray> { ["W_enc"] = encoder.ToHost(), ["W_dec"] = decoder.ToHost(), ["b_enc"] = bias.ToHost(), ["b_dec"] = Tensor.Zeros([size]).ToHost() };
        if (architecture == JumpReluAutoencoder.Name)
            arrays["threshold"] = Tensor.Zeros([6]).ToHost();
        Sae = Architectures.Create(new SparseAutoencoderConfiguration
        {
            Architecture = architecture,
            InputSize = size,
            Width = 6,
            Active = architecture == TopKAutoencoder.Name ? 2 : 0,
            SubtractDecoderBias = false,
            Site = new SaeSite("layers.0.residual_before", 0),
        }, arrays, "test");
        (LevelA, LevelB) = (0.1 * a.Norm().Item(), 0.1 * b.Norm().Item());
    }

    public CausalLanguageModel Model { get; }

    public SparseAutoencoder Sae { get; }

    /// <summary>What latent 2 is at token A.</summary>
    public double LevelA { get; }

    /// <summary>What latent 4 is at token B.</summary>
    public double LevelB { get; }

    public Tensor Embedding(int token) => Model.Embed(Tensor.Full([1, 1], token, DType.Int64)).View(-1);

    public Guardrail Guardrail(GuardrailOptions options, double? threshold = null, double rate = 0.01) =>
        Unlearning.Guardrails.Guardrail.Create(Sae, [2, 4], options, new GuardrailCalibration { Threshold = threshold, FiringRate = rate, Positions = 1_000_000, MeanActive = [LevelA, LevelB] });

    /// <summary>Ids of texts: 'a' and 'b' fire, '-' does not, ' ' is padding. (B, T) and its mask; null where nothing is padding.</summary>
    public static (Tensor Ids, Tensor? Mask) Texts(params string[] rows)
    {
        long[] ids = [.. rows.SelectMany(row => row).Select(letter => letter switch { 'a' => (long)A, 'b' => B, ' ' => 0, _ => Quiet })];
        long[] mask = [.. rows.SelectMany(row => row).Select(letter => letter == ' ' ? 0L : 1)];
        return (Tensor.FromArray(ids, rows.Length, rows[0].Length), mask.Contains(0) ? Tensor.FromArray(mask, rows.Length, rows[0].Length) : null);
    }

    /// <summary>What a guardrail makes of texts: the readings, and the values that enter layer 0 before and after it.</summary>
    public (GuardrailReading Reading, Tensor Before, Tensor After) Run(Guardrail guardrail, params string[] rows)
    {
        GuardrailReading? reading = null;
        guardrail.Observer = found => reading = found;
        var (ids, mask) = Texts(rows);
        using var recorder = new SiteRecorder([guardrail.Site]);
        Model.Guard = guardrail;
        Model.Run(Model.Embed(ids), 0, 1, new ForwardContext { AttentionMask = mask, Sites = recorder });
        Model.Guard = null;
        return (reading!, Model.Embed(ids), recorder.Values[guardrail.Site].Clone());
    }

    /// <summary>Which positions of a row were edited, '!' each.</summary>
    public static string Edits(GuardrailReading reading, int row = 0) =>
        string.Concat(Enumerable.Range(0, reading.Edited.GetLength(1)).Select(k => reading.Edited[row, k] ? '!' : reading.Counted[row, k] ? '.' : ' '));

    public static double[] Statistics(GuardrailReading reading, int row = 0) => [.. Enumerable.Range(0, reading.Statistic.GetLength(1)).Select(k => reading.Statistic[row, k])];

    public void Dispose()
    {
        Sae.Dispose();
        Model.Dispose();
        checkpoint.Dispose();
    }
}
