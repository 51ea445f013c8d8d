using System.Globalization;
using System.Text;
using Lethe.Models.Language.Checkpoints;

namespace Lethe.Models.Tests.Language.Checkpoints;

/// <summary>Alone in the process while it runs: it measures its memory.</summary>
[CollectionDefinition(nameof(LargeCheckpointTests), DisableParallelization = true)]
public sealed class LargeCheckpoint;

[Collection(nameof(LargeCheckpointTests))]
public sealed class LargeCheckpointTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lethe-models-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Gemma-2-2B: 26 layers of width 2304, 256,000 tokens, bfloat16, 5.2 GB in one sparse file that takes no place on the disk.</summary>
    private void Gemma2()
    {
        File.WriteAllText(Path.Combine(folder, "config.json"), """{"model_type": "gemma2", "torch_dtype": "bfloat16"}""");
        var header = new StringBuilder("{\"__metadata__\":{\"format\":\"pt\"}");
        var offset = 0L;
        void Add(string name, params long[] shape)
        {
            var length = shape.Aggregate(2L, (product, size) => product * size);
            header.Append(CultureInfo.InvariantCulture, $",\"{name}\":{{\"dtype\":\"BF16\",\"shape\":[{string.Join(',', shape)}],\"data_offsets\":[{offset},{offset + length}]}}");
            offset += length;
        }
        Add("model.embed_tokens.weight", 256000, 2304);
        for (var layer = 0; layer < 26; layer++)
        {
            var prefix = string.Create(CultureInfo.InvariantCulture, $"model.layers.{layer}.");
            foreach (var norm in (string[])["input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"])
                Add($"{prefix}{norm}.weight", 2304);
            Add($"{prefix}self_attn.q_proj.weight", 2048, 2304);
            Add($"{prefix}self_attn.k_proj.weight", 1024, 2304);
            Add($"{prefix}self_attn.v_proj.weight", 1024, 2304);
            Add($"{prefix}self_attn.o_proj.weight", 2304, 2048);
            Add($"{prefix}mlp.gate_proj.weight", 9216, 2304);
            Add($"{prefix}mlp.up_proj.weight", 9216, 2304);
            Add($"{prefix}mlp.down_proj.weight", 2304, 9216);
        }
        Add("model.norm.weight", 2304);
        header.Append('}');
        var text = Encoding.UTF8.GetBytes(header.ToString().PadRight((header.Length + 7) / 8 * 8));
        using var file = File.Create(Path.Combine(folder, "model.safetensors"));
        file.Write(BitConverter.GetBytes((long)text.Length));
        file.Write(text);
        file.SetLength(8 + text.Length + offset);
        Assert.InRange(offset, 5_000_000_000, 5_400_000_000);
    }

    private static long Resident() => File.ReadLines("/proc/self/smaps_rollup").Where(line => line.StartsWith("Rss:", StringComparison.Ordinal)).Select(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024).Single();

    [Fact]
    public void Opening_a_large_model_touches_no_weights_and_reading_them_leaves_nothing_behind()
    {
        Gemma2();
        var before = Resident();
        using var open = LanguageCheckpoint.Open(folder);
        Assert.True(Resident() - before < 64 << 20, $"opening made {(Resident() - before) >> 20} MiB resident");
        Assert.Equal(1 + 26 * 11 + 1, open.Weights.Names.Count);
        // One row in a thousand of an embedding of 1.2 GB, and 0.4 GB of matrices through a buffer of 19 MB.
        long[] rows = [.. Enumerable.Range(0, 256).Select(i => i * 1000L)];
        Assert.Equal([256, 2304], open.Weights.ReadRows("model.embed_tokens.weight", rows).Shape);
        var buffer = new byte[4096 * 2304 * 2];
        for (var layer = 0; layer < 5; layer++)
            foreach (var part in (string[])["gate_proj", "up_proj"])
                for (var first = 0; first < 8192; first += 4096)
                    open.Weights.ReadRows(string.Create(CultureInfo.InvariantCulture, $"model.layers.{layer}.mlp.{part}.weight"), first, 4096, buffer);
        var grown = Resident() - before;
        // The buffer and the gathered rows; the pages read were 0.4 GB.
        Assert.True(grown < 160 << 20, $"{grown >> 20} MiB more are resident");
    }
}
