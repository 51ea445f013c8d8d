using Lethe.Torch;

namespace Lethe.Unlearning.Language;

/// <summary>The texts of a batch in one row without padding: what a model is given so that it computes nothing for padding.</summary>
/// <param name="Ids">Tokens, (1, N), int64.</param>
/// <param name="Positions">The place of each token within its text, (1, N), int64.</param>
/// <param name="Documents">The text of each token, (1, N), int64.</param>
/// <param name="From">Where in the row each place of (B · T) is found, and N at padding: (B · T), int64.</param>
/// <param name="Rows">B.</param>
/// <param name="Length">T.</param>
public sealed record TextsSideBySide(Tensor Ids, Tensor Positions, Tensor Documents, Tensor From, int Rows, int Length)
{
    internal static TextsSideBySide Of(long[] ids, long[] places, int rows, int length, Device device)
    {
        var from = new long[ids.Length];
        Array.Fill(from, places.Length);
        foreach (var (k, place) in places.Index())
            from[place] = k;
        Tensor Row(Func<long, long> value) => Tensor.FromArray([.. places.Select(value)], 1, places.Length).To(device);
        return new(Row(place => ids[place]), Row(place => place % length), Row(place => place / length), Tensor.FromArray(from, from.Length).To(device), rows, length);
    }

    /// <summary>Puts values of the row back to where the batch has them, (1, N, D) → (B, T, D), with 0 at padding; differentiable.</summary>
    public Tensor Spread(Tensor row)
    {
        using var scope = new TensorScope();
        var size = row.Size(-1);
        var padded = Tensor.Cat([row.View(-1, size), Tensor.Zeros([1, size], row.DType, row.Device)]);
        return scope.Keep(padded.IndexSelect(0, From).View(Rows, Length, size));
    }
}
