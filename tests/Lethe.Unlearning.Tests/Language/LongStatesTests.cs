using Lethe.Torch;
using Lethe.Unlearning.Language;

namespace Lethe.Unlearning.Tests.Language;

/// <summary>Positions whose states are a hundred times as long as others decide neither scales nor losses.</summary>
public sealed class LongStatesTests
{
    [Fact]
    public void A_mean_square_is_that_of_the_states_that_are_not_long()
    {
        // Median 2; 260 is an outlier, 20 is just none.
        var scale = StateScale.Of([1, 2, 260, 2, 20], size: 4);
        Assert.Equal(2, scale.MedianNorm);
        Assert.Equal(20, scale.Longest);
        Assert.Equal((1 + 4 + 4 + 400) / 4.0 / 4, scale.MeanSquare, 1e-12);
    }

    [TorchFact]
    public void A_long_state_adds_nothing_to_a_loss_and_nothing_to_a_gradient()
    {
        using var scope = new TensorScope();
        // Two rows of three positions of two dimensions; the second position of the first row is long, all of the second row are.
        float[] values = [1, 0, 300, 400, 0, 2, 500, 0, 0, 500, 300, 400];
        var states = Tensor.FromArray(values, 2, 3, 2);
        states.RequiresGrad = true;
        var mask = HiddenDifference.WithoutLong(Tensor.Ones([2, 3]), states, longest: 10);
        Assert.Equal([1f, 0, 1, 0, 0, 0], mask.ToArray<float>());
        var loss = HiddenDifference.MeanSquare(states, Tensor.Zeros([2]), mask, PositionMean.Masked);
        // Row 1: the mean of 1/2 and 4/2; row 2 counts nothing; then the mean over both.
        Assert.Equal((0.5 + 2) / 2 / 2, loss.Item(), 1e-6);
        // By hand: 2 h / (2 dimensions · 2 positions · 2 rows).
        Assert.Equal([0.25f, 0, 0, 0, 0, 0.5f, 0, 0, 0, 0, 0, 0], Autograd.Grad([loss], [states])[0].ToArray<float>());
    }

    [TorchFact]
    public void A_state_too_far_from_the_target_is_not_steered()
    {
        using var scope = new TensorScope();
        // Distances from (0, 4): 5, 3 and 500.
        var loss = HiddenDifference.MeanSquare(Tensor.FromArray([3f, 0, 0, 1, 300, 404], 1, 3, 2), Tensor.FromArray([0f, 4], 2), Tensor.Ones([1, 3]), PositionMean.Masked, new StateScale(1, 1).FarthestFrom(4));
        Assert.Equal((25 + 9) / 2.0 / 2, loss.Item(), 1e-6);
    }

    [TorchFact]
    public void No_longest_counts_all()
    {
        using var scope = new TensorScope();
        var mask = Tensor.FromArray([1f, 0f], 1, 2);
        Assert.Equal([1f, 0f], HiddenDifference.WithoutLong(mask, Tensor.Full([1, 2, 3], 1e20), double.PositiveInfinity).ToArray<float>());
    }

    [TorchTheory]
    [InlineData(PaddingSide.Right)]
    [InlineData(PaddingSide.Left)]
    public void Positions_count_from_a_share_of_each_text(PaddingSide side)
    {
        using var scope = new TensorScope();
        var options = new TextBatchOptions { Padding = side, Length = 8, Rows = 2 };
        var batch = new TextBatch([new([1, 2, 3, 4, 5, 6], 0), new([1, 2, 3], 1)], options);
        var mask = batch.Mask(DType.Float32, Device.Cpu, 0.5).ToArray<float>();
        // Of six tokens the last three; of three, whose first never counts, those after the first.
        float[] expected = side == PaddingSide.Right ? [0, 0, 0, 1, 1, 1, 0, 1, 1, 0, 0, 0] : [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1];
        Assert.Equal(expected, mask);
    }
}
