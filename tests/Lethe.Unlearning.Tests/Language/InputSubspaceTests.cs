using Lethe.Models.Language;
using Lethe.Torch;
using Lethe.Unlearning.Language;
using Lethe.Unlearning.Language.Subspaces;

namespace Lethe.Unlearning.Tests.Language;

public sealed class InputSubspaceTests
{
    [TorchFact]
    public void The_directions_of_least_energy_are_taken_up_to_the_cut()
    {
        // Energies 10, 4, 1, 0.5, 0 along turned axes; 15.5 in all.
        using var random = new RandomStream(1);
        using var axes = OrthonormalBasis.Random(5, 5, random);
        Tensor Moments(params double[] energies) => (axes.Columns * Tensor.FromArray(energies)).Mm(axes.Columns.T());
        var held = Moments(10, 4, 1, 0.5, 0);
        var forget = Moments(1, 1, 2, 0, 4);
        using var tenth = InputSubspace.Cut(held, forget, 0.1, InputOrder.LowEnergy);
        Assert.Equal(3, tenth.Rank); // 1.5 / 15.5 = 9.7 %
        Assert.Equal(1.5 / 15.5, InputSubspace.Share(held, tenth), 1e-9);
        Assert.Equal(6.0 / 8, InputSubspace.Share(forget, tenth), 1e-9);
        using var all = InputSubspace.Cut(held, forget, 1, InputOrder.LowEnergy);
        Assert.Equal(5, all.Rank);
        Assert.Equal(1, InputSubspace.Share(forget, all), 1e-9);

        // By contrast: the axis without protected energy first, then 2/1, then 1/4; 0/0.5 comes last.
        using var contrast = InputSubspace.Cut(held, forget, 0.1, InputOrder.Contrast);
        Assert.Equal(2, contrast.Rank);
        Assert.Equal(6.0 / 8, InputSubspace.Share(forget, contrast), 1e-6);
        Assert.Equal(1 / 15.5, InputSubspace.Share(held, contrast), 1e-6);

        Assert.Contains("input subspace has rank 0", Assert.Throws<BadInputException>(() => InputSubspace.Cut(Moments(3, 3, 3, 3, 3), forget, 0.1, InputOrder.LowEnergy)).Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void Moments_are_those_of_counted_positions_with_the_untouched_weights()
    {
        using var model = Tiny.Model();
        string[] names = ["model.layers.1.mlp.down_proj.weight", "model.layers.2.self_attn.o_proj.weight", "model.layers.2.mlp.up_proj.weight"];
        using var cache = SliceCache.Of(model, new SliceOptions { Weights = names, Reads = [2] });
        MatrixPlace[] places = [.. names.Select(name => MatrixPlace.Of(model, name))];
        int[][] rows = [[3, 4, 5, 6, 7], [3, 9], [3, 8, 8]];
        var (batches, pairs) = (TextBatches.Of(rows, new TextBatchOptions { Rows = 2 }), TextBatches.Of(rows[1..]));
        // A moved weight does not show.
        cache.Put([.. cache.Originals.Select(original => original * 2.0)]);
        using var moments = InputMoments.Read(cache, batches.Batches, [new InputText("rows", batches.Batches, 2), new InputText("pairs", pairs.Batches, 0.5)]);
        cache.Put(cache.Originals);
        using var noGrad = Autograd.NoGrad();
        foreach (var place in places)
        {
            var seen = new List<Tensor>();
            foreach (var row in rows)
            {
                using var recorder = new SiteRecorder([place.Inputs]);
                model.Run(model.Embed(Tensor.FromArray(row.Select(token => (long)token).ToArray(), 1, row.Length)), 0, 3, new ForwardContext { Sites = recorder });
                seen.Add(place.Read(recorder.Values[place.Inputs]).Select(0, 0).Narrow(0, 1, row.Length - 1).To(DType.Float64));
            }
            Tensor Products(params Tensor[] of) => Tensor.Cat(of).T().Mm(Tensor.Cat(of)) / (double)of.Sum(one => one.Size(0));
            var (all, two) = (Products([.. seen]), Products(seen[1], seen[2]));
            var (forget, guarded) = moments.Of(place.Inputs);
            SubspaceTests.Near(all, forget, 1e-5 * all.Abs().Max().Item());
            var mixed = (all * 2.0 + two * 0.5) / 2.5;
            SubspaceTests.Near(mixed, guarded, 1e-5 * mixed.Abs().Max().Item());
        }
        Assert.Equal(3, moments.Sites.Count);
        Assert.Contains("layers.3.mlp_neurons was not looked at", Assert.Throws<BadInputException>(() => moments.Of(new Site(3, SiteKind.MlpNeurons))).Message, StringComparison.Ordinal);
        foreach (var refused in new InputText[][] { [], [new("rows", batches.Batches, 0)] })
            Assert.Contains("needs text to protect", Assert.Throws<UsageException>(() => InputMoments.Read(cache, batches.Batches, refused)).Message, StringComparison.Ordinal);
    }
}
