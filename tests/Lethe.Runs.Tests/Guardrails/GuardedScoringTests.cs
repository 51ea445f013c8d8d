using Lethe.Evaluation.Language;
using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.SparseAutoencoders;
using Lethe.Torch;
using Lethe.Unlearning.Guardrails;

namespace Lethe.Runs.Tests.Guardrails;

/// <summary>A guarded model is scored with shared beginnings as it is with whole sequences: what a gate knows lies in the cache that the beginnings share.</summary>
public sealed class GuardedScoringTests
{
    public static TheoryData<string> Kinds => new("dynamic", "stream", "latched", "window", "clamp");

    [TorchTheory, MemberData(nameof(Kinds))]
    public void Shared_beginnings_give_the_scores_of_whole_sequences(string kind)
    {
        using var checkpoint = LanguageCheckpoint.Open(Repository.Fixture("language", "llama"));
        using var model = checkpoint.Load();
        using var noGrad = Autograd.NoGrad();
        using var sae = Lively(model);
        using var guardrail = Guardrail.Create(sae, [1, 4, 9], kind switch
        {
            "dynamic" => new DynamicGuardrailOptions { Strength = 6 },
            "stream" => new StreamGuardrailOptions { Strength = 6 },
            "latched" => new StreamGuardrailOptions { Strength = 6, Latch = true },
            "window" => new StreamGuardrailOptions { Strength = 6, Statistic = StreamStatistic.Window, Window = 6 },
            _ => new ClampOptions { Strength = 6 },
        }, new GuardrailCalibration { Threshold = 0.45, FiringRate = 0.2, Positions = 1000 });
        var (edited, quiet) = (0, 0);
        guardrail.Observer = found => { edited += found.Edited.Cast<bool>().Count(at => at); quiet += found.Edited.Cast<bool>().Count(at => !at); };

        // Examples that all share, questions of unequal length, answers of unequal length and some that begin alike.
        int[] Ids(int seed, int count) => [.. Enumerable.Range(0, count).Select(k => 3 + (seed * 31 + k * k * 17 + k * 7) % 150)];
        var trunk = Ids(1, 12);
        IReadOnlyList<ScoredRequest>[] questions = [.. Enumerable.Range(0, 6).Select(q => (IReadOnlyList<ScoredRequest>)[.. Enumerable.Range(0, 3).Select(a =>
            new ScoredRequest([.. trunk, .. Ids(q + 2, 4 + q % 3)], [.. Ids(90 + q, a == 2 ? 1 : 2), .. Ids(50 + a, 1 + a)]))])];
        var plain = new LanguageScorer(model, new ScoringOptions { TrunkTokens = 8 }).Score(questions);
        model.Guard = new GuardrailStack([guardrail]);
        // Several batches, with a trunk and without.
        foreach (var options in new[] { new ScoringOptions { TrunkTokens = 8, BatchTokens = 20 }, new ScoringOptions { TrunkTokens = 1000 } })
        {
            var shared = new LanguageScorer(model, options).Score(questions);
            foreach (var (question, scores) in questions.Zip(shared))
                foreach (var (request, score) in question.Zip(scores))
                    // Sums of up to five float32 log-probabilities.
                    Assert.Equal(Whole(model, request), score.LogProbability, 1e-3);
        }
        Assert.True(edited > 0 && quiet > 0, $"{edited} positions edited, {quiet} not");
        var guarded = new LanguageScorer(model).Score(questions);
        Assert.Contains(plain.SelectMany(of => of).Zip(guarded.SelectMany(of => of)), pair => Math.Abs(pair.First.LogProbability - pair.Second.LogProbability) > 0.1);
    }

    // Every request by itself, without a cache.
    private static double Whole(CausalLanguageModel model, ScoredRequest request)
    {
        using var scope = new TensorScope();
        long[] all = [.. request.Context.Concat(request.Continuation).Select(id => (long)id)];
        var logits = model.Logits(Tensor.FromArray(all, 1, all.Length)).Select(0, 0).LogSoftmax(-1);
        return request.Continuation.Index().Sum(entry => logits.Select(0, request.Context.Length + entry.Index - 1).Select(0, entry.Item).Item());
    }

    private static SparseAutoencoder Lively(CausalLanguageModel model)
    {
        using var scope = new TensorScope();
        using var random = new RandomStream(11);
        var size = model.HiddenSize;
        return Architectures.Create(new SparseAutoencoderConfiguration { Architecture = ReluAutoencoder.Name, InputSize = size, Width = 12, SubtractDecoderBias = false, Site = new SaeSite("layers.1.residual_after", 1) }, new Dictionary<string, HostArray>
        {
            ["W_enc"] = (Tensor.Randn([size, 12], random) * 0.3).ToHost(),
            ["W_dec"] = (Tensor.Randn([12, size], random) * 0.3).ToHost(),
            ["b_enc"] = Tensor.Full([12], -0.5).ToHost(),
            ["b_dec"] = Tensor.Zeros([size]).ToHost(),
        }, "test");
    }
}
