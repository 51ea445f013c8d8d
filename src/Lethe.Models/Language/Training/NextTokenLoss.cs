using Lethe.Torch;

namespace Lethe.Models.Language.Training;

/// <summary>
/// Cross-entropy of the next token. Only the positions at which something is asked go through the head, and never more of them at once than <see cref="MostLogits"/> allows: logits of a whole
/// batch, B · T · V numbers, would take more memory than all the rest of a small model.
/// </summary>
public static class NextTokenLoss
{
    /// <summary>Logits that exist at once: 32 MiB of float32, and as much again for their logarithms and their gradient.</summary>
    public const long MostLogits = 8 << 20;

    /// <summary>Computes the loss of rows and adds its gradient to that of the model's parameters, <see cref="Tensor.Grad"/>.</summary>
    /// <param name="model">A whole model with trainable parameters.</param>
    /// <param name="rows">The rows; at least one position is asked.</param>
    /// <param name="divisor">What the sum is divided by before its gradient is taken, such as the number of positions asked in all rows of a step.</param>
    /// <param name="separate">Whether attention stays within a document, and positions begin anew with it.</param>
    /// <param name="mostLogits">Logits that may exist at once; one position's always may.</param>
    /// <returns>The sum of the losses over the positions asked, nats; not divided.</returns>
    public static double Backward(CausalLanguageModel model, TokenRows rows, double divisor, bool separate = false, long mostLogits = MostLogits)
    {
        using var scope = new TensorScope();
        var (hidden, targets) = Read(model, rows, separate);
        // Each piece is differentiated as soon as it is computed, down to the hidden states; the layers follow once.
        var pieces = new List<Tensor>();
        var sum = 0.0;
        foreach (var (first, count) in Pieces(model, hidden.Size(0), mostLogits))
        {
            using var piece = new TensorScope();
            var part = hidden.Narrow(0, first, count).Detach();
            part.RequiresGrad = true;
            var loss = model.Head(part).CrossEntropyLoss(targets.Narrow(0, first, count), Reduction.Sum);
            (loss / divisor).Backward();
            sum += loss.Item();
            pieces.Add(piece.Keep(part.Grad!));
        }
        hidden.Backward(pieces.Count == 1 ? pieces[0] : Tensor.Cat([.. pieces]));
        return sum;
    }

    /// <summary>The loss of rows, without gradients.</summary>
    /// <param name="model">A whole model.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="separate">Whether attention stays within a document, and positions begin anew with it.</param>
    /// <param name="mostLogits">Logits that may exist at once; one position's always may.</param>
    /// <returns>The sum of the losses over the positions asked, nats, and how many those are.</returns>
    public static (double Nats, long Asked) Measure(CausalLanguageModel model, TokenRows rows, bool separate = false, long mostLogits = MostLogits)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var asked = rows.Asked;
        if (asked == 0)
            return (0, 0);
        var (hidden, targets) = Read(model, rows, separate);
        var sum = 0.0;
        foreach (var (first, count) in Pieces(model, hidden.Size(0), mostLogits))
        {
            using var piece = new TensorScope();
            sum += model.Head(hidden.Narrow(0, first, count)).CrossEntropyLoss(targets.Narrow(0, first, count), Reduction.Sum).Item();
        }
        return (sum, asked);
    }

    /// <summary>
    /// Computes the loss of each row and adds to the parameters' <see cref="Tensor.Grad"/> the gradient of a function of them, whose slopes are told once the losses are known: Σ slope[r] · ∇ loss[r].
    /// </summary>
    /// <param name="model">A whole model with trainable parameters.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="slopes">Given each row's loss (the sum over its positions asked, nats) and how many positions those are, returns the slope of the function with respect to each row's loss.</param>
    /// <param name="mostLogits">Logits that may exist at once; one position's always may.</param>
    /// <returns>Each row's loss, nats, and its positions asked.</returns>
    public static (double[] Nats, long[] Asked) Backward(CausalLanguageModel model, TokenRows rows, Func<double[], long[], double[]> slopes, long mostLogits = MostLogits)
    {
        using var scope = new TensorScope();
        var (nats, asked) = (new double[rows.Rows], new long[rows.Rows]);
        var owners = Owners(rows);
        if (owners.Length == 0)
            return (nats, asked);
        var (hidden, targets) = Read(model, rows, false);
        var trained = HeadIsTrained(model, hidden);
        var pieces = new List<Tensor>();
        foreach (var (first, count) in Pieces(model, owners.Length, mostLogits))
        {
            using var piece = new TensorScope();
            // A position's loss depends on its own hidden state alone. So its gradient can be taken before its slope is known, unless the head collects one too.
            using var mode = trained ? Autograd.NoGrad() : Autograd.EnableGrad();
            var part = hidden.Narrow(0, first, count).Detach();
            part.RequiresGrad = !trained;
            var losses = model.Head(part).CrossEntropyLoss(targets.Narrow(0, first, count), Reduction.None);
            Add(losses, owners, first, nats, asked);
            if (!trained)
                pieces.Add(piece.Keep(Autograd.Grad([losses.Sum()], [part])[0]));
        }
        var slope = slopes(nats, asked);
        var weights = Tensor.FromArray(owners.Select(row => slope[row]).ToArray()).To(hidden.DType).To(model.Device); // (N)
        if (trained)
            foreach (var (first, count) in Pieces(model, owners.Length, mostLogits))
            {
                using var piece = new TensorScope();
                var part = hidden.Narrow(0, first, count).Detach();
                part.RequiresGrad = true;
                (model.Head(part).CrossEntropyLoss(targets.Narrow(0, first, count), Reduction.None) * weights.Narrow(0, first, count)).Sum().Backward();
                pieces.Add(piece.Keep(part.Grad!));
            }
        if (!hidden.RequiresGrad)
            return (nats, asked);
        var gradient = pieces.Count == 1 ? pieces[0] : Tensor.Cat([.. pieces]);
        hidden.Backward(trained ? gradient : gradient * weights.Unsqueeze(1));
        return (nats, asked);
    }

    /// <summary>The loss of each row, without gradients.</summary>
    /// <param name="model">A whole model.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="mostLogits">Logits that may exist at once; one position's always may.</param>
    /// <returns>Each row's loss (the sum over its positions asked, nats), and how many positions those are.</returns>
    public static (double[] Nats, long[] Asked) MeasureRows(CausalLanguageModel model, TokenRows rows, long mostLogits = MostLogits)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var (nats, asked) = (new double[rows.Rows], new long[rows.Rows]);
        var owners = Owners(rows);
        if (owners.Length == 0)
            return (nats, asked);
        var (hidden, targets) = Read(model, rows, false);
        foreach (var (first, count) in Pieces(model, owners.Length, mostLogits))
        {
            using var piece = new TensorScope();
            Add(model.Head(hidden.Narrow(0, first, count)).CrossEntropyLoss(targets.Narrow(0, first, count), Reduction.None), owners, first, nats, asked);
        }
        return (nats, asked);
    }

    /// <summary>The row of each position asked.</summary>
    private static int[] Owners(TokenRows rows) => [.. Enumerable.Range(0, rows.Targets.Length).Where(k => rows.Targets[k] >= 0).Select(k => k / rows.Length)];

    private static void Add(Tensor losses, int[] owners, long first, double[] nats, long[] asked)
    {
        foreach (var (k, loss) in losses.To(DType.Float64).ToArray<double>().Index())
        {
            nats[owners[first + k]] += loss;
            asked[owners[first + k]]++;
        }
    }

    private static bool HeadIsTrained(CausalLanguageModel model, Tensor hidden)
    {
        using var scope = new TensorScope();
        return model.Head(hidden.Narrow(0, 0, 1).Detach()).RequiresGrad;
    }

    /// <summary>What leaves the last layer at the positions asked, (N, D), and the tokens that follow them, (N).</summary>
    private static (Tensor Hidden, Tensor Targets) Read(CausalLanguageModel model, TokenRows rows, bool separate)
    {
        using var scope = new TensorScope();
        var places = Enumerable.Range(0, rows.Targets.Length).Where(k => rows.Targets[k] >= 0).ToArray();
        var hidden = Hidden(model, rows, separate, out var seen).Reshape(-1, model.HiddenSize);
        long[] asked = seen is null ? [.. places.Select(place => (long)place)] : [.. places.Select(place => (long)Array.BinarySearch(seen, place))];
        var targets = Tensor.FromArray(places.Select(k => rows.Targets[k]).ToArray()).To(model.Device);
        if (asked.Length < hidden.Size(0))
            hidden = hidden.IndexSelect(0, Tensor.FromArray(asked).To(model.Device));
        return (scope.Keep(hidden), scope.Keep(targets));
    }

    /// <summary>What leaves the last layer. Where rows are padded, their tokens go through the model side by side in one row, each row seeing itself alone, and <paramref name="seen"/> says which places of (B · T) those are.</summary>
    private static Tensor Hidden(CausalLanguageModel model, TokenRows rows, bool separate, out int[]? seen)
    {
        seen = rows.Lengths is { } lengths && lengths.Any(length => length < rows.Length) ? [.. Enumerable.Range(0, rows.Ids.Length).Where(place => place % rows.Length < lengths[place / rows.Length])] : null;
        if (seen is not { } places)
        {
            Tensor On(long[] values) => Tensor.FromArray(values, rows.Rows, rows.Length).To(model.Device);
            return model.Hidden(On(rows.Ids), separate ? new ForwardContext { Documents = On(rows.Documents), PositionIds = On(rows.Positions) } : null);
        }
        Tensor Row(Func<int, long> value) => Tensor.FromArray([.. places.Select(value)], 1, places.Length).To(model.Device);
        // A row has fewer documents than tokens.
        return model.Hidden(Row(place => rows.Ids[place]), new ForwardContext
        {
            Documents = Row(place => (long)(place / rows.Length) * rows.Length + (separate ? rows.Documents[place] : 0)),
            PositionIds = Row(place => separate ? rows.Positions[place] : place % rows.Length),
        });
    }

    private static IEnumerable<(long First, long Count)> Pieces(CausalLanguageModel model, long positions, long mostLogits)
    {
        var atOnce = Math.Max(1, mostLogits / model.Configuration.VocabularySize);
        for (var first = 0L; first < positions; first += atOnce)
            yield return (first, Math.Min(atOnce, positions - first));
    }
}
