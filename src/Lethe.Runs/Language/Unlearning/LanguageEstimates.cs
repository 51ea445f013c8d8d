using Lethe.Evaluation.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;
using Lethe.Unlearning.Language;

namespace Lethe.Runs.Language.Unlearning;

/// <summary>What a run on a language model is expected to take, at what was measured on two cores of a common server processor.</summary>
internal static class LanguageEstimates
{
    private const double FlopPerSecond = 60e9;

    public static RunEstimate Of(LanguageUnlearnPlan plan, LanguageCheckpoint checkpoint, LanguageMeasuring measuring, Device device)
    {
        var configuration = checkpoint.Configuration;
        var parameters = checkpoint.Weights.Names.Sum(name => checkpoint.Weights.Describe(name).Shape.Aggregate(1L, (product, size) => product * size));
        // What a token costs: the layers, and the head where it is scored; the embedding is a look-up.
        var token = 2.0 * parameters;
        var tests = new[] { measuring.Tests.Trained, measuring.Tests.Unseen, measuring.Tests.Retain, measuring.Tests.Kept, measuring.Tests.TrainedNames, measuring.Tests.UnseenNames }.OfType<KnowledgeTest>();
        // Characters of question and answers over three to a token.
        var asked = tests.Sum(test => test.Questions.Zip(test.Answers, (question, answers) => (question.Context.Length + answers.Sum(answer => answer.Length)) / 3.0).Sum());
        var measured = asked + (double)plan.Measure.PerplexityTexts * plan.Measure.PerplexityTokens;
        // Methods over hidden states never leave their slice, from the first edited layer to the last one read.
        double Layers(int first, int last) => Math.Min(1, (last - first + 1.0) / configuration.Layers);
        var slice = token * plan.Method switch
        {
            WholeModelOptions or ClosedFormEditOptions => 1,
            SubspaceProjectionOptions sspu => Layers(sspu.ResolvedLayers[0], sspu.Layers.Max()),
            RepresentationMisdirectionOptions rmu => Layers(rmu.ResolvedLayers[0], rmu.Layer),
            _ => Layers(0, 3),
        };
        var length = Math.Min(plan.Texts.Length, 40);
        var steps = 2.0 * ((plan.Method as LanguageUnlearningOptions)?.Steps ?? 50) * plan.Texts.Batch * length * 3 * slice;
        // What edited matrices read, of text to forget and of text to retain.
        var read = plan.Method is SubspaceProjectionOptions { InputEnergy: < 1 } confined ? 2.0 * confined.InputTexts * length * token * Layers(0, confined.ResolvedLayers[^1]) : 0;
        var models = plan.NeverKnew is null ? 2 : 3;
        var time = device == Device.Cpu ? TimeSpan.FromSeconds((models * measured * token + steps + read) / FlopPerSecond + 20) : (TimeSpan?)null;
        return new RunEstimate(time, (long)(1e9 + 1.5 * 4 * parameters), 8 * parameters + (64L << 20), "at about 60 GFLOP/s, nothing found in the cache");
    }
}
