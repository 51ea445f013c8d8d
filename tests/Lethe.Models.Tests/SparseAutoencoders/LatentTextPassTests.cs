using Lethe.Models.Language;
using Lethe.Models.SparseAutoencoders;
using Lethe.Models.SparseAutoencoders.Reading;
using Lethe.Models.Tests.Language;
using Lethe.Torch;

namespace Lethe.Models.Tests.SparseAutoencoders;

public sealed class LatentTextPassTests
{
    [TorchFact]
    public void Sums_by_text_and_corpus_are_those_of_each_text_read_alone()
    {
        using var loaded = Golden.Load("llama");
        using var low = Make(loaded.Model.HiddenSize, "layers.0.mlp_added");
        using var high = Make(loaded.Model.HiddenSize, "layers.1.residual_after");
        SparseAutoencoder[] saes = [low, high];
        var random = new Random(5);
        int[][] Texts(int count) => [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, random.Next(2, 20)).Select(_ => random.Next(3, 64)).ToArray())];
        LabelledTexts[] corpora = [new("forget", [.. Texts(5), [7]]), new("retain", Texts(8))];
        var told = new List<long>();
        // Two of the texts are longer than a piece; batches of a few texts each; of eight retain texts three are kept apart.
        using var pass = LatentTextPass.Read(loaded.Model, saes, corpora, apart: 3, length: 12, tokensAtOnce: 30, advanced: (done, _) => told.Add(done));
        Assert.Contains(corpora.SelectMany(corpus => corpus.Texts), text => text.Length > 12);
        Assert.True(told.Count > 3 && told[^1] == 13, string.Join(' ', told)); // the text of one token is never read
        for (var k = 0; k < saes.Length; k++)
            for (var c = 0; c < corpora.Length; c++)
            {
                var alone = corpora[c].Texts.Select(text => Latents(loaded.Model, saes[k], text)).ToArray();
                var all = Tensor.Cat([.. alone.OfType<Tensor>()]).To(DType.Float64);
                var reading = pass.Statistics(k, c);
                Assert.Equal(all.Size(0), reading.Activations);
                Near(all.Square().Sum(0L).ToArray<double>(), reading.SumOfSquares);
                var apart = pass.Texts(k, c);
                Assert.Equal(3, apart.Count);
                foreach (var (row, text) in (c == 0 ? new[] { 0, 2, 4 } : [0, 2, 5]).Index())
                {
                    Assert.Equal(alone[text]!.Size(0), apart.Tokens[row]);
                    Near(alone[text]!.Sum(0L).ToArray<float>().Select(value => (double)value), apart.Sum.Select(0, row).ToArray<float>().Select(value => (double)value));
                    Near(alone[text]!.Square().Sum(0L).ToArray<float>().Select(value => (double)value), apart.SumOfSquares.Select(0, row).ToArray<float>().Select(value => (double)value));
                    Near(alone[text]!.Ne(0.0).Sum(0L).ToArray<long>().Select(value => (double)value), apart.Active.Select(0, row).ToArray<float>().Select(value => (double)value));
                }
            }
        Assert.Contains("'forget' has no text of two tokens", Assert.Throws<BadInputException>(() => LatentTextPass.Read(loaded.Model, saes, [new("forget", [[3]])])).Message, StringComparison.Ordinal);
    }

    // Positions but the first of each piece of 12, (N, K); null where none counts.
    private static Tensor? Latents(CausalLanguageModel model, SparseAutoencoder sae, int[] text)
    {
        using var noGrad = Autograd.NoGrad();
        Tensor[] parts = [.. text.Chunk(12).Where(piece => piece.Length > 1).Select(piece =>
        {
            using var recorder = new SiteRecorder([Site.Parse(sae.Site!.Name)]);
            model.Hidden(Tensor.FromArray(piece.Select(token => (long)token).ToArray(), 1, piece.Length), new ForwardContext { Sites = recorder });
            return sae.Encode(recorder.Values.Values.Single()).Select(0, 0).Narrow(0, 1, piece.Length - 1);
        })];
        return parts.Length == 0 ? null : Tensor.Cat(parts);
    }

    // Other batch sizes round otherwise.
    private static void Near(IEnumerable<double> expected, IEnumerable<double> actual) => Assert.Equal(expected, actual, (a, b) => Math.Abs(a - b) < 1e-4 * Math.Max(1, Math.Abs(a)));

    private static SparseAutoencoder Make(long size, string site)
    {
        using var scope = new TensorScope();
        using var random = new RandomStream(4);
        return Architectures.Create(new SparseAutoencoderConfiguration { Architecture = ReluAutoencoder.Name, InputSize = size, Width = 10, Site = new SaeSite(site, Site.Parse(site).Layer) }, new Dictionary<string, HostArray>
        {
            ["W_enc"] = Tensor.Randn([size, 10], random).ToHost(),
            ["W_dec"] = Tensor.Randn([10, size], random).ToHost(),
            ["b_enc"] = Tensor.Zeros([10]).ToHost(),
            ["b_dec"] = Tensor.Zeros([size]).ToHost(),
        }, "a test");
    }
}
