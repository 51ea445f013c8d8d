using System.Globalization;
using Lethe.Torch;

namespace Lethe.Models.Language;

/// <summary>Where within a decoder layer a value can be read or changed.</summary>
public enum SiteKind
{
    /// <summary>The residual stream that enters the layer, (B, T, D); transformers' hidden_states[layer].</summary>
    ResidualBefore,
    /// <summary>What the heads give, side by side, before they are mixed by o_proj: (B, T, heads · head size).</summary>
    Heads,
    /// <summary>What o_proj gives, before a norm that may follow it (Gemma-2): (B, T, D).</summary>
    AttentionOutput,
    /// <summary>What attention adds to the residual stream, after such a norm; where there is none, the same as <see cref="AttentionOutput"/>.</summary>
    AttentionAdded,
    /// <summary>The residual stream between attention and MLP, (B, T, D); not there in layers whose attention and MLP run side by side (GPT-NeoX).</summary>
    ResidualMiddle,
    /// <summary>The neurons: what enters the MLP's last matrix, (B, T, width of the MLP).</summary>
    MlpNeurons,
    /// <summary>What the MLP's last matrix gives, before a norm that may follow it (Gemma-2): (B, T, D).</summary>
    MlpOutput,
    /// <summary>What the MLP adds to the residual stream, after such a norm; where there is none, the same as <see cref="MlpOutput"/>.</summary>
    MlpAdded,
    /// <summary>The residual stream that leaves the layer, (B, T, D); transformers' hidden_states[layer + 1], except for the last layer, where the library shows it after the final norm.</summary>
    ResidualAfter,
}

/// <summary>A place in a model: a layer and what of it.</summary>
/// <param name="Layer">From 0.</param>
/// <param name="Kind">What of the layer.</param>
public readonly record struct Site(int Layer, SiteKind Kind)
{
    private static readonly (SiteKind Kind, string Name, string Hook)[] Names =
    [
        (SiteKind.ResidualBefore, "residual_before", "hook_resid_pre"),
        (SiteKind.Heads, "heads", "attn.hook_z"),
        (SiteKind.AttentionOutput, "attention_output", ""),
        (SiteKind.AttentionAdded, "attention_added", "hook_attn_out"),
        (SiteKind.ResidualMiddle, "residual_middle", "hook_resid_mid"),
        (SiteKind.MlpNeurons, "mlp_neurons", "mlp.hook_post"),
        (SiteKind.MlpOutput, "mlp_output", ""),
        (SiteKind.MlpAdded, "mlp_added", "hook_mlp_out"),
        (SiteKind.ResidualAfter, "residual_after", "hook_resid_post"),
    ];

    /// <summary>The names of the kinds in the text form.</summary>
    public static IReadOnlyList<string> KindNames { get; } = [.. Names.Select(entry => entry.Name)];

    /// <summary>The name under which SAELens and TransformerLens know the site, for example "blocks.7.hook_resid_post"; null where they have none.</summary>
    /// <remarks>Their hook_attn_out and hook_mlp_out are after the norms that follow in Gemma-2.</remarks>
    public string? HookName
    {
        get
        {
            var kind = Kind;
            return Names.First(entry => entry.Kind == kind).Hook is { Length: > 0 } hook ? $"blocks.{Layer}.{hook}" : null;
        }
    }

    /// <summary>Reads "layers.7.residual_after", or a hook's name such as "blocks.7.hook_resid_post".</summary>
    /// <exception cref="UsageException">It is neither; the message names the kinds.</exception>
    public static Site Parse(string text)
    {
        var parts = text.Split('.', 3);
        if (parts.Length == 3 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var layer))
            foreach (var (kind, name, hook) in Names)
                if ((parts[0] == "layers" && parts[2] == name) || (parts[0] == "blocks" && hook.Length > 0 && parts[2] == hook))
                    return new Site(layer, kind);
        throw new UsageException($"'{text}' is no site of a language model; sites look like layers.7.residual_after, with one of {string.Join(", ", KindNames)}, or like blocks.7.hook_resid_post.");
    }

    /// <summary>The text form, for example "layers.7.residual_after".</summary>
    public override string ToString()
    {
        var kind = Kind;
        return $"layers.{Layer}.{Names.First(entry => entry.Kind == kind).Name}";
    }
}

/// <summary>Looks at, or changes, values inside of a model while it runs.</summary>
public interface ISiteVisitor
{
    /// <summary>Whether <see cref="Visit(Site, Tensor)"/> shall be called for a site.</summary>
    bool Wants(Site site);

    /// <summary>Is given the value at a site and returns the one that goes on: the same, or another of the same shape.</summary>
    /// <remarks>
    /// The value is freed soon after the call. To keep it, take a handle of one's own out of all scopes: <c>TensorScope.Detach(value.Detach())</c>,
    /// or <c>TensorScope.Detach(value.View(value.Shape.ToArray()))</c> where gradients shall flow through; <see cref="SiteRecorder"/> does so.
    /// </remarks>
    Tensor Visit(Site site, Tensor value);

    /// <summary>The same, told what is known of the positions; what models call. A visitor that needs to know overrides it, others are called without.</summary>
    Tensor Visit(Site site, Tensor value, SitePositions positions) => Visit(site, value);
}

/// <summary>Keeps the values of some sites of the last forward.</summary>
/// <param name="sites">Which.</param>
/// <param name="keepGraph">Whether gradients flow through what is kept; default: values only.</param>
public sealed class SiteRecorder(IEnumerable<Site> sites, bool keepGraph = false) : ISiteVisitor, IDisposable
{
    private readonly HashSet<Site> wanted = [.. sites];
    private readonly Dictionary<Site, Tensor> values = [];

    /// <summary>What was recorded; owned by the recorder, valid until the site is passed again or the recorder is disposed.</summary>
    public IReadOnlyDictionary<Site, Tensor> Values => values;

    /// <inheritdoc/>
    public bool Wants(Site site) => wanted.Contains(site);

    /// <inheritdoc/>
    public Tensor Visit(Site site, Tensor value)
    {
        if (values.Remove(site, out var before))
            before.Dispose();
        values[site] = TensorScope.Detach(keepGraph ? value.View(value.Shape.ToArray()) : value.Detach());
        return value;
    }

    /// <summary>Frees what was recorded.</summary>
    public void Dispose()
    {
        foreach (var value in values.Values)
            value.Dispose();
        values.Clear();
    }
}
