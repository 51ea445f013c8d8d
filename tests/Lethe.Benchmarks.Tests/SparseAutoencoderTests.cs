using System.Text.Json;

namespace Lethe.Benchmarks.Tests;

public sealed class SparseAutoencoderTests
{
    [PeerFact]
    public async Task A_quick_run_trains_the_same_sites_on_both_sides()
    {
        var (code, output, error) = await SelectiveAmnesiaVaeTests.Run("sparse-autoencoder", "--quick", "--threads", "1", "--json");

        Assert.True(code == 0, error);
        var root = JsonDocument.Parse(output).RootElement;
        Assert.True(root.GetProperty("quick").GetBoolean());
        var rows = root.GetProperty("rows").EnumerateArray().ToArray();
        // On processors without bfloat16 instructions its line is left out.
        string[] sites = ["layers.2.residual_after", "layers.2.residual_after, Lethe's model with bfloat16 products", "layers.2.residual_after and layers.2.mlp_output", "layers.2.residual_after and layers.3.residual_after"];
        Assert.Equal(sites.Where(site => rows.Length == sites.Length || !site.Contains("bfloat16", StringComparison.Ordinal)), rows.Select(row => row.GetProperty("sites").GetString()));
        foreach (var row in rows)
        {
            Assert.True(row.GetProperty("ratio").GetDouble() > 0);
            var own = row.GetProperty("explained_variance").EnumerateArray().Select(value => value.GetDouble()).ToArray();
            var peer = row.GetProperty("peer_explained_variance").EnumerateArray().Select(value => value.GetDouble()).ToArray();
            Assert.Equal(peer.Length, own.Length);
            // Four steps from other random directions: both sides explain about as much. Other activations (another layer, first positions left in) would not come that near.
            Assert.All(own.Zip(peer), pair => Assert.InRange(pair.First - pair.Second, -0.1, 0.1));
        }
    }
}
