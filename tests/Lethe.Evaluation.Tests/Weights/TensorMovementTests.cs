using Lethe.Evaluation.Weights;
using Lethe.Torch;

namespace Lethe.Evaluation.Tests.Weights;

public sealed class TensorMovementTests
{
    [TorchFact]
    public void Each_tensor_has_its_norms()
    {
        var before = State(("w", [3, 4, 0, 0]), ("b", [1, 1]), ("zero", [0]));
        var after = State(("w", [3, 4, 3, -4]), ("b", [1, 1]), ("zero", [0.5f]));
        var moves = TensorMovement.Compare(before, after, State(("w", [1, 1, 2, 0.5f])));
        Assert.Equal(["b", "w", "zero"], moves.Select(move => move.Name));

        var w = moves[1];
        Assert.Equal(5, w.Norm, 12);
        Assert.Equal(1, w.Relative, 12);
        Assert.Equal(4, w.Largest, 12);
        Assert.Equal(2 * 9 + 0.5 * 16, w.FisherWeighted!.Value, 12);
        Assert.Equal([4L], w.Shape);

        Assert.Equal((0, 0, 0), (moves[0].Norm, moves[0].Relative, moves[0].Largest));
        Assert.Null(moves[0].FisherWeighted);
        Assert.Equal(double.PositiveInfinity, moves[2].Relative);
    }

    [TorchFact]
    public void Small_changes_of_large_weights_are_seen()
    {
        // In single precision, the square of the change would vanish beside the square of the weight.
        var move = Assert.Single(TensorMovement.Compare(State(("w", [1e4f])), State(("w", [1e4f + 0.0009765625f]))));
        Assert.Equal(0.0009765625, move.Norm, 15);
    }

    [TorchFact]
    public void Other_models_are_refused()
    {
        Assert.Contains("'b'", Assert.Throws<BadInputException>(() => TensorMovement.Compare(State(("a", [1])), State(("a", [1]), ("b", [1])))).Message, StringComparison.Ordinal);
        Assert.Contains("[2]", Assert.Throws<BadInputException>(() => TensorMovement.Compare(State(("a", [1])), State(("a", [1, 2])))).Message, StringComparison.Ordinal);
        Assert.Throws<RunFailedException>(() => TensorMovement.Compare(State(("a", [1])), State(("a", [float.NaN]))));
    }

    private static Dictionary<string, HostArray> State(params (string Name, float[] Values)[] tensors) =>
        tensors.ToDictionary(tensor => tensor.Name, tensor => Tensor.FromArray(tensor.Values, tensor.Values.Length).ToHost());
}
