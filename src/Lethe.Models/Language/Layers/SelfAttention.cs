using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;

namespace Lethe.Models.Language.Layers;

/// <summary>Attention with q_proj, k_proj, v_proj and o_proj, as Llama and those after it have it; Qwen3 normalises queries and keys by head.</summary>
internal sealed class SelfAttention : ModelPart
{
    private readonly LanguageModelConfiguration configuration;
    private readonly JoinedProjection project;
    private readonly Projection output;
    private readonly RmsScale? queryNorm, keyNorm;
    private readonly RotaryEmbedding rotary;
    private readonly int layer;
    private readonly int? window;

    public SelfAttention(LanguageModelConfiguration c, int layer, RotaryEmbedding rotary, bool headNorms, ParameterSource source, string prefix) : base(source, prefix)
    {
        (configuration, this.layer, this.rotary, window) = (c, layer, rotary, c.WindowOf(layer));
        long queries = (long)c.Heads * c.HeadSize, shared = (long)c.KeyValueHeads * c.HeadSize;
        project = LoadJoined(["q_proj", "k_proj", "v_proj"], c.HiddenSize, [queries, shared, shared], c.AttentionBias);
        output = LoadProjection("o_proj", queries, c.HiddenSize, c.AttentionOutputBias, ParameterRole.ResidualMatrix);
        if (!headNorms)
            return;
        queryNorm = new(Load("q_norm.weight", [c.HeadSize], ParameterRole.Factor), c.NormEpsilon);
        keyNorm = new(Load("k_norm.weight", [c.HeadSize], ParameterRole.Factor), c.NormEpsilon);
    }

    /// <summary>(B, T, D) → (B, T, D).</summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        var (query, key, value) = Project(x, pass);
        (key, value) = (key.Transpose(1, 2), value.Transpose(1, 2));
        if (pass.Cache is { } cache)
            (key, value) = cache.Append(layer, key, value);
        var mixed = GroupedAttention.Attend(query, key, value, configuration.QueryScale, configuration.AttentionSoftCap, window, pass);
        return pass.Visit(layer, SiteKind.AttentionOutput, output.Forward(pass.Visit(layer, SiteKind.Heads, mixed)));
    }

    /// <summary>Queries, keys and values, (B, T, heads, size), the first two turned to their positions.</summary>
    private (Tensor Query, Tensor Key, Tensor Value) Project(Tensor x, ForwardPass pass)
    {
        var (rows, count, size) = (x.Size(0), x.Size(1), (long)configuration.HeadSize);
        long heads = configuration.Heads, shared = configuration.KeyValueHeads;
        if (queryNorm is null && project.Joined(x) is { } joined)
        {
            // Queries and keys lie side by side and are turned together.
            var all = joined.View(rows, count, heads + 2 * shared, size);
            var turned = rotary.Turn(all.Narrow(2, 0, heads + shared), pass.Cosines!, pass.Sines!);
            return (turned.Narrow(2, 0, heads), turned.Narrow(2, heads, shared), all.Narrow(2, heads + shared, shared));
        }
        var parts = project.Forward(x);
        var (query, key) = (parts[0].View(rows, count, heads, size), parts[1].View(rows, count, shared, size));
        if (queryNorm is not null)
            (query, key) = (queryNorm.Forward(query), keyNorm!.Forward(key));
        return (rotary.Turn(query, pass.Cosines!, pass.Sines!), rotary.Turn(key, pass.Cosines!, pass.Sines!), parts[2].View(rows, count, shared, size));
    }
}
