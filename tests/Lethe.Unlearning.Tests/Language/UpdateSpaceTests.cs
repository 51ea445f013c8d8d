using Lethe.Torch;
using Lethe.Unlearning.Language;

namespace Lethe.Unlearning.Tests.Language;

public sealed class UpdateSpaceTests
{
    [TorchFact]
    public void A_free_update_has_the_weights_gradient()
    {
        var weight = UpdateSpaceCheck.Weight(1, 4, 5);
        using var space = new FreeUpdate(weight);
        UpdateSpaceCheck.Verify(space, weight);
    }

    [TorchFact]
    public void A_low_rank_update_carries_the_weights_gradient_over()
    {
        var weight = UpdateSpaceCheck.Weight(2, 5, 7);
        using var space = new LowRankUpdate(weight, rank: 3, alpha: 5, seed: 4);
        UpdateSpaceCheck.Verify(space, weight);
        // Its rank is what was asked for.
        var singular = space.Change().Svd()[1].ToArray<double>();
        Assert.Equal(3, singular.Count(value => value > 1e-10 * singular[0]));
    }

    [TorchFact]
    public void A_low_rank_update_starts_from_its_seed_and_the_weights_name()
    {
        var weight = UpdateSpaceCheck.Weight(2, 5, 7);
        double[] A(EditedWeight of, ulong seed)
        {
            using var space = new LowRankUpdate(of, 2, 4, seed);
            return space.Parameters[0].Value.ToArray<double>();
        }
        Assert.Equal(A(weight, 1), A(weight, 1));
        Assert.NotEqual(A(weight, 1), A(weight, 2));
        Assert.NotEqual(A(weight, 1), A(weight with { Name = "model.layers.1.mlp.down_proj.weight" }, 1));
    }

    [TorchFact]
    public void A_rank_that_does_not_fit_is_refused()
    {
        Assert.Contains("1 to 5", Assert.Throws<UsageException>(() => new LowRankUpdate(UpdateSpaceCheck.Weight(1, 5, 7), 6, 1, 0)).Message);
        Assert.Contains("needs a matrix", Assert.Throws<UsageException>(() => new LowRankUpdate(UpdateSpaceCheck.Weight(1, 5), 1, 1, 0)).Message);
    }
}
