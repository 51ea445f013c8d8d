using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.Language.Training;
using Lethe.Torch;

namespace Lethe.Models.Tests.Language.Training;

public sealed class LanguageTrainingTests
{
    private static readonly LanguageModelConfiguration Tiny = new()
    {
        ModelType = "llama", VocabularySize = 30, HiddenSize = 16, IntermediateSize = 24, Layers = 2, Heads = 4, KeyValueHeads = 2, MaximumPositions = 32, TieEmbeddings = true,
    };

    [TorchTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void Loss_and_gradients_in_pieces_are_those_of_all_logits_at_once(bool tied)
    {
        using var scope = new TensorScope();
        using var model = Model(Tiny with { TieEmbeddings = tied });
        using var corpus = Corpus();
        var rows = new PackedRows(corpus, 8, seed: 1).Take(0, 4);

        // One position more than fits, so that the last piece is another size.
        var sum = NextTokenLoss.Backward(model, rows, rows.Asked, mostLogits: 30 * 5);
        var pieces = model.NamedParameters().Select(entry => entry.Tensor.Grad!.ToArray<float>()).ToArray();

        var logits = model.Logits(Tensor.FromArray(rows.Ids, 4, 8)).View(-1, 30);
        var asked = Enumerable.Range(0, 32).Where(k => rows.Targets[k] >= 0).ToArray();
        var loss = logits.IndexSelect(0, Tensor.FromArray(asked.Select(k => (long)k).ToArray())).CrossEntropyLoss(Tensor.FromArray(asked.Select(k => rows.Targets[k]).ToArray()));
        var gradients = Autograd.Grad([loss], model.Parameters());
        Assert.Equal(loss.Item(), sum / rows.Asked, 1e-5);
        foreach (var ((name, _), (piece, whole)) in model.NamedParameters().Zip(pieces.Zip(gradients)))
            foreach (var (a, b) in piece.Zip(whole.ToArray<float>()))
                Assert.True(Math.Abs(a - b) < 1e-6 + 1e-4 * Math.Abs(b), $"{name}: {a} and {b}");
        var (nats, count) = NextTokenLoss.Measure(model, rows, mostLogits: 30 * 7);
        Assert.Equal((sum, (long)asked.Length), (nats, count), (x, y) => Math.Abs(x.Item1 - y.Item1) < 1e-3 && x.Item2 == y.Item2);
    }

    [TorchFact]
    public void Documents_kept_apart_give_the_logits_that_each_gives_alone()
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        using var model = Model(Tiny);
        long[] first = [3, 4, 5], second = [6, 7, 8, 9, 10];

        var together = model.Logits(Tensor.FromArray((long[])[.. first, .. second], 1, 8), new ForwardContext
        {
            Documents = Tensor.FromArray(new long[] { 0, 0, 0, 1, 1, 1, 1, 1 }, 1, 8),
            PositionIds = Tensor.FromArray(new long[] { 0, 1, 2, 0, 1, 2, 3, 4 }, 1, 8),
        }).ToArray<float>();

        float[] alone = [.. model.Logits(Tensor.FromArray(first, 1, 3)).ToArray<float>(), .. model.Logits(Tensor.FromArray(second, 1, 5)).ToArray<float>()];
        Assert.All(alone.Zip(together), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        // And not those of one text.
        var mixed = model.Logits(Tensor.FromArray((long[])[.. first, .. second], 1, 8)).ToArray<float>();
        Assert.Contains(alone.Zip(mixed), pair => Math.Abs(pair.First - pair.Second) > 1e-3);
    }

    [TorchFact]
    public void A_tiny_model_learns_its_corpus_and_weights_decay_in_matrices_alone()
    {
        using var model = Model(Tiny);
        using var corpus = Corpus();
        using var training = new LanguageTraining(model, corpus, corpus, Options with { Steps = 120, Average = 0, Patience = 0, WeightDecay = 0.1 }, 4);
        double first = double.NaN, last = double.NaN;
        while (!training.Finished)
        {
            last = training.Advance()[0].Value;
            if (training.Step == 1)
                first = last;
        }
        // ln 30 = 3.4 at first; the corpus counts upwards, so each token follows from the one before.
        Assert.InRange(first, 3.2, 3.7);
        Assert.InRange(last, 0, 1);
        Assert.Equal([0, 5, 10], training.Readings.Take(3).Select(reading => reading.Step));
        Assert.True(training.Readings[^1].Loss < 1);
        Assert.Equal(120 * 4 * 8, training.TokensSeen);
    }

    [TorchFact]
    public void Training_resumed_from_a_checkpoint_equals_training_undisturbed_bit_for_bit()
    {
        byte[] Train(int interruptAt)
        {
            using var corpus = Corpus();
            var state = new StateWriter();
            if (interruptAt > 0)
            {
                using var model = Model(Tiny);
                using var training = new LanguageTraining(model, corpus, corpus, Options, 4);
                while (training.Step < interruptAt)
                    training.Advance();
                training.Save(state);
            }
            using var final = Model(Tiny);
            using var rest = new LanguageTraining(final, corpus, corpus, Options, 4);
            if (interruptAt > 0)
                rest.Load(new StateReader(state.Tensors, state.Values));
            var values = new List<byte>();
            while (!rest.Finished)
                foreach (var (_, value) in rest.Advance())
                    if (rest.Step > 13)
                        values.AddRange(BitConverter.GetBytes(value));
            rest.Finish();
            foreach (var reading in rest.Readings)
                values.AddRange(BitConverter.GetBytes(reading.Loss));
            return [.. values, .. final.NamedParameters().SelectMany(entry => entry.Tensor.ToHost().Bytes.ToArray())];
        }

        var undisturbed = Train(0);

        Assert.Equal(undisturbed, Train(13));
        Assert.Equal(undisturbed, Train(5));
    }

    [TorchFact]
    public void Gradients_added_up_over_parts_of_a_step_are_those_of_the_step()
    {
        double[] Losses(int? atOnce)
        {
            using var model = Model(Tiny);
            using var corpus = Corpus();
            using var training = new LanguageTraining(model, corpus, null, Options with { RowsAtOnce = atOnce, Patience = 0, SeparateDocuments = true }, 4);
            return [.. Enumerable.Range(0, 6).Select(_ => training.Advance()[0].Value)];
        }

        Assert.All(Losses(null).Zip(Losses(3)), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    [TorchFact]
    public void Training_stops_where_the_validation_loss_no_longer_falls_and_takes_the_best_weights()
    {
        using var model = Model(Tiny);
        using var corpus = Corpus();
        // Held-out text that goes the other way: what is learned makes it worse.
        using var held = TokenCorpus.From(Enumerable.Range(0, 6).Select(k => Enumerable.Range(3, 20).Reverse().ToArray()), 30);
        using var training = new LanguageTraining(model, corpus, held, Options with { Steps = 500, Patience = 3, Average = 0 }, 4);
        while (!training.Finished)
            training.Advance();
        training.Finish();

        Assert.Contains("3 measurements", training.StopReason, StringComparison.Ordinal);
        Assert.True(training.Step < 500);
        var best = training.Readings.MinBy(reading => reading.Loss)!;
        Assert.Equal(best, training.Best);
        Assert.Equal(best.Step + 15, training.Step);
        var (nats, asked) = NextTokenLoss.Measure(model, new PackedRows(held, 8, null).Take(0, Options.ValidationRows));
        Assert.Equal(best.Loss, nats / asked, 1e-4);
    }

    [TorchFact]
    public void Steps_leave_no_tensor_behind()
    {
        using var model = Model(Tiny);
        using var corpus = Corpus();
        using var training = new LanguageTraining(model, corpus, corpus, Options with { RowsAtOnce = 3, SeparateDocuments = true }, 4);
        while (training.Step < 6)
            training.Advance();
        var live = Tensor.Live;
        while (!training.Finished)
            training.Advance();
        Assert.Equal(live, Tensor.Live);
    }

    [TorchFact]
    public void A_loss_that_is_not_finite_stops_and_names_the_step()
    {
        using var model = Model(Tiny);
        using var corpus = Corpus();
        using var training = new LanguageTraining(model, corpus, null, Options with { Patience = 0 }, 4);
        training.Advance();
        using (Autograd.NoGrad())
            model.NamedParameters().First().Tensor.FillInPlace(double.NaN);

        Assert.Contains("at step 1", Assert.Throws<RunFailedException>(training.Advance).Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void A_row_longer_than_the_context_and_patience_without_text_are_refused()
    {
        using var model = Model(Tiny);
        using var corpus = Corpus();

        Assert.Contains("32 positions", Assert.Throws<UsageException>(() => new LanguageTraining(model, corpus, null, Options with { Length = 33, Patience = 0 }, 0)).Message, StringComparison.Ordinal);
        Assert.Contains("patience", Assert.Throws<UsageException>(() => new LanguageTraining(model, corpus, null, Options, 0)).Message, StringComparison.Ordinal);
    }

    // Averages, early stopping, several validations and epochs: all that a checkpoint has to hold.
    private static LanguageTrainingOptions Options => new()
    {
        Steps = 24, Length = 8, Batch = 4, LearningRate = 0.01, WarmUp = 4, WeightDecay = 0.1, Average = 0.9, ValidateEvery = 5, ValidationRows = 6, Patience = 50,
    };

    private static CausalLanguageModel Model(LanguageModelConfiguration configuration)
    {
        using var random = new RandomStream(7);
        return CausalLanguageModel.Initialise(configuration, random);
    }

    // BOS 1, then numbers that go up, then EOS 2.
    private static TokenCorpus Corpus() => TokenCorpus.From(Enumerable.Range(0, 12).Select(k => (int[])[1, .. Enumerable.Range(3 + k, 6 + k % 5), 2]), 30, bos: 1);
}
