using Lethe.Models.Language;
using Lethe.Models.SparseAutoencoders;
using Lethe.Models.SparseAutoencoders.Reading;
using Lethe.Torch;

namespace Lethe.Unlearning.Guardrails;

/// <summary>
/// Edits latents of a sparse autoencoder while a language model runs. A position is edited where a chosen latent fires and the kind's <see cref="Gate"/> is open; there x becomes
/// x + decode(z′) − decode(z). All other positions stay the same to the bit. Set it, or several in a <see cref="GuardrailStack"/>, as <see cref="CausalLanguageModel.Guard"/>: generation, scoring and
/// whatever else runs the model then use it.
/// </summary>
/// <remarks>
/// A row's first token and padding are never edited and do not count: the first position's norm is many times the others', no autoencoder is trained on it, and released code that counts padding is right for one row at
/// a time only. What a gate knows of a row's past lies in the cache, and follows it.
/// </remarks>
public abstract class Guardrail : ISiteVisitor, IDisposable
{
    private readonly LatentSubset subset;
    private readonly int detecting;
    private readonly Gate gate;
    private readonly Tensor? units; // (k)

    private protected Guardrail(GuardrailParts parts)
    {
        (Options, Calibration, Latents, Site) = (parts.Options, parts.Calibration, parts.Latents, parts.Site);
        parts.Options.Validate();
        (detecting, gate) = (parts.Latents.Count, parts.Options.Gate(parts.Calibration));
        if (parts.Options.IsRelative)
        {
            if (parts.Calibration.MeanActive is not { } means || means.Count != detecting)
                throw new BadInputException($"The guardrail's values are in units of its latents' means, and {parts.Calibration.MeanActive?.Count ?? 0} of {detecting} means are known; calibrate it with text.");
            using var scope = new TensorScope();
            units = TensorScope.Detach(Tensor.FromArray([.. means.Select(mean => (float)mean)], detecting).To(parts.Sae.Encoder.DType).To(parts.Sae.Encoder.Device));
        }
        try
        {
            subset = new LatentSubset(parts.Sae, [.. parts.Latents, .. parts.Options is RefusalClampOptions { RefusalLatent: { } refusal } ? (long[])[refusal] : []]);
        }
        catch
        {
            units?.Dispose();
            throw;
        }
    }

    /// <summary>What it does.</summary>
    public GuardrailOptions Options { get; }

    /// <summary>What text told.</summary>
    public GuardrailCalibration Calibration { get; }

    /// <summary>The latents that it watches, by their numbers in the autoencoder.</summary>
    public IReadOnlyList<long> Latents { get; }

    /// <summary>Where it stands.</summary>
    public Site Site { get; }

    /// <summary>Is told, after each forward, what happened at each position; null: nobody.</summary>
    public Action<GuardrailReading>? Observer { get; set; }

    /// <summary>Makes a guardrail.</summary>
    /// <param name="sae">An autoencoder that knows its site. Where its latents compete (topk) it has to live as long as the guardrail; otherwise what is needed is copied.</param>
    /// <param name="latents">The latents that it watches, each once.</param>
    /// <param name="options">What it does.</param>
    /// <param name="calibration">What text told; <see cref="GuardrailCalibration.None"/> where the options need nothing of it.</param>
    /// <param name="direction">For a refusal without a refusal latent: what is added, (D); else null.</param>
    /// <exception cref="BadInputException">The autoencoder names no site of a language model; a latent is not there; something that the options need of text is not known; the direction has another size.</exception>
    /// <exception cref="UsageException">An option is out of range.</exception>
    public static Guardrail Create(SparseAutoencoder sae, IReadOnlyList<long> latents, GuardrailOptions options, GuardrailCalibration calibration, Tensor? direction = null)
    {
        if (sae.Site is not { Layer: not null } named)
            throw new BadInputException($"The autoencoder names {(sae.Site is null ? "no site" : $"the site '{sae.Site}', which is none of a language model")}; a site such as layers.7.residual_after is needed.");
        return options.Make(new GuardrailParts(sae, Site.Parse(named.Name), latents, options, calibration, direction));
    }

    /// <summary>Refuses a model that it was not made for.</summary>
    /// <param name="model">The model.</param>
    /// <exception cref="BadInputException">The model does not have the site, or activations of another size, or of another norm than those that calibration saw.</exception>
    public void Check(CausalLanguageModel model)
    {
        SpliceLoss.SiteOf(subset.Own, model);
        // A slice of the model that does not reach the site never asks the guardrail.
        if (Site.Layer >= model.ToLayer || model.FromLayer > 0)
            return;
        var (found, size) = GuardrailProbe.Read(model, Site);
        subset.Own.Check($"site {Site}", size);
        if (Calibration.Norm is { } norm && !(found / norm is >= 0.5 and <= 2))
            throw new BadInputException(FormattableString.Invariant($"The guardrail was calibrated on a model whose activations at {Site} have a mean norm of {norm:G4} on the probe; this model's have {found:G4}, and at most twice or half of it is allowed: it belongs to another model."));
    }

    /// <inheritdoc/>
    public bool Wants(Site site) => site == Site;

    /// <summary>Whole texts without padding, from their first token on.</summary>
    public Tensor Visit(Site site, Tensor value) => Visit(site, value, SitePositions.Whole((int)value.Size(0), (int)value.Size(1)));

    /// <inheritdoc/>
    public Tensor Visit(Site site, Tensor value, SitePositions positions)
    {
        if (positions.HasDocuments)
            throw new InvalidOperationException("A guardrail needs rows of one text each, not several documents in a row.");
        using var scope = new TensorScope();
        var (rows, count) = (positions.Rows, positions.Count);
        var x = value.Reshape(rows * (long)count, -1); // (N, D)
        var z = subset.Encode(x); // (N, k)
        var found = Follow(positions, Levels(z));
        Observer?.Invoke(found);
        var edited = Enumerable.Range(0, rows * count).Where(n => found.Edited[n / count, n % count]).Select(n => (long)n).ToArray();
        if (edited.Length == 0)
            return value;
        // The positions to edit alone go through the edit, so that the others keep every bit.
        var places = Tensor.FromArray(edited).To(value.Device);
        var (before, latents) = (x.IndexSelect(0, places), z.IndexSelect(0, places));
        var after = Edit(before, latents);
        return scope.Keep(x.Clone().IndexCopyInPlace(0, places, after).Reshape(value.Shape.ToArray()));
    }

    /// <summary>Frees its tensors.</summary>
    public virtual void Dispose()
    {
        subset.Dispose();
        units?.Dispose();
    }

    /// <summary>The activations of positions that are edited, (n, D), with their latents (n, k) → (n, D).</summary>
    private protected virtual Tensor Edit(Tensor x, Tensor z) => subset.Edit(x, z, Edited(z));

    /// <summary>The latents after the edit, (n, k) → (n, k).</summary>
    private protected abstract Tensor Edited(Tensor z);

    /// <summary>A value for each latent: the same for all, or in units of their means; (k) or (1).</summary>
    private protected Tensor Values(Tensor z, double value) => units is null ? Tensor.Full([1], value, z.DType, z.Device) : units * value;

    /// <summary>Latents in the options' unit.</summary>
    private protected Tensor InUnits(Tensor z) => units is null ? z : z / units;

    // The largest watched latent of each position, in the options' unit. Autograd need not know.
    private double[] Levels(Tensor z)
    {
        using var noGrad = Autograd.NoGrad();
        var watched = z.Size(-1) == detecting ? z : z.Narrow(1, 0, detecting);
        return InUnits(watched).Amax([-1]).To(DType.Float64).To(Device.Cpu).ToArray<double>();
    }

    private GuardrailReading Follow(SitePositions positions, double[] levels)
    {
        var (rows, count, past) = (positions.Rows, positions.Count, positions.Past);
        var memory = positions.Memory(this, gate.Fields);
        var found = new GuardrailReading(new double[rows, count], new double[rows, count], new bool[rows, count], new bool[rows, count]);
        for (var row = 0; row < rows; row++)
            for (var k = 0; k < count; k++)
            {
                var state = memory.At(row, past + k);
                state.Clear();
                if (past + k > 0)
                    memory.At(row, past + k - 1).CopyTo(state);
                if (!positions.IsToken(row, k) || positions.IsFirst(row, k))
                    continue;
                var level = levels[row * count + k];
                var open = gate.Next(state, level, out var statistic);
                (found.Counted[row, k], found.Level[row, k], found.Statistic[row, k], found.Edited[row, k]) = (true, level, statistic, open && level > 0);
            }
        return found;
    }
}

/// <summary>What a guardrail is made of.</summary>
internal sealed record GuardrailParts(SparseAutoencoder Sae, Site Site, IReadOnlyList<long> Latents, GuardrailOptions Options, GuardrailCalibration Calibration, Tensor? Direction);

/// <summary>What a guardrail saw and did in one forward; (rows, new positions) each.</summary>
/// <param name="Level">The largest of its latents, in the options' unit; 0 where the position does not count.</param>
/// <param name="Statistic">The gate's statistic; 0 where the position does not count.</param>
/// <param name="Counted">Whether the position counts: a token, and not its row's first.</param>
/// <param name="Edited">Whether it was edited.</param>
public sealed record GuardrailReading(double[,] Level, double[,] Statistic, bool[,] Counted, bool[,] Edited);
