using System.Security.Cryptography;
using Lethe.Formats.Tokenizers;
using Lethe.Models.Language.Checkpoints;
using Lethe.Runs.Language.Corpora;
using Lethe.Torch;

namespace Lethe.Runs.Language.Training;

/// <summary>The tokenizer of a model that begins with random weights: trained on the corpora, or taken from a file.</summary>
internal static class TokenizerStage
{
    private const string Begin = "<|begin_of_text|>", End = "<|end_of_text|>", FileName = "tokenizer.json";

    /// <summary>Reads the tokenizer that a plan names.</summary>
    /// <param name="plan">What names it.</param>
    /// <param name="planFile">The plan's file.</param>
    /// <param name="runsFolder">Where the run lies of a plan that trains it.</param>
    /// <exception cref="BadInputException">There is none, or it lacks a token that is named.</exception>
    /// <exception cref="UsageException">A tokenizer.json is given without the token that ends a document.</exception>
    public static DocumentTokens Read(TokenizerPathPlan plan, string planFile, string runsFolder)
    {
        var path = TrainedPlans.Locate(plan.Path, planFile, runsFolder);
        Tokenizer tokenizer;
        SpecialTokens special;
        if (path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            if (plan.End is null)
                throw new UsageException($"{planFile}: a tokenizer.json says of no token that it ends a text; name it by model.tokenizer.end, or give the model's folder as model.tokenizer.path.");
            (tokenizer, special) = (Tokenizer.FromJsonFile(path), new SpecialTokens());
        }
        else
        {
            using var checkpoint = LanguageCheckpoint.Open(LanguageModelPath.Find(path) ?? path);
            (tokenizer, special) = (checkpoint.Tokenizer, checkpoint.Special);
        }
        int Id(string token, string key) => tokenizer.IdOf(token) ?? throw new BadInputException($"{path}: the tokenizer has no token '{token}', which model.tokenizer.{key} names.");
        if (plan.Begin is { } begin)
            special = special with { Bos = Id(begin, "begin"), AddBos = true, Texts = With(special, "bos_token", begin) };
        if (plan.End is { } end)
            special = special with { Eos = Id(end, "end"), Stop = [Id(end, "end")], Texts = With(special, "eos_token", end) };
        return new DocumentTokens(tokenizer, special, tokenizer.VocabularySize);
    }

    /// <summary>What a tokenizer and its special tokens are known by.</summary>
    public static string Digest(DocumentTokens tokens) => CanonicalJson.Digest(new { tokenizer = Convert.ToHexStringLower(SHA256.HashData(tokens.Tokenizer.Json.Span)), tokens.VocabularySize });

    /// <summary>Trains a tokenizer on what is not held out.</summary>
    public static DocumentTokens Train(StageRunner runner, TrainedTokenizerPlan plan, CorpusReader corpora, double share)
    {
        var artefact = runner.Run(new Stage
        {
            Name = "tokenizer",
            Method = "byte-pair-training",
            Version = 1,
            Options = new { plan, share, special = new[] { Begin, End } },
            Inputs = [new("corpora", corpora.Digest)],
            Environment = new("none", "cpu", 1, "none"),
        }, work =>
        {
            var documents = 0L;
            IEnumerable<string> Texts()
            {
                foreach (var document in corpora.Read())
                {
                    if (documents++ % 256 == 0)
                        work.ThrowIfCancelled();
                    if (!document.IsHeldOut(share))
                        yield return document.Text;
                }
            }
            var tokenizer = BytePairTraining.Train(Texts(), new BytePairTrainingOptions
            {
                VocabularySize = plan.Vocabulary,
                MinimumFrequency = plan.MinimumFrequency,
                SpecialTokens = [Begin, End],
                Before = Begin,
                Cut = plan.Cut,
            });
            if (tokenizer.VocabularySize < plan.Vocabulary)
                work.Note($"{tokenizer.VocabularySize} tokens of {plan.Vocabulary}: the text has no more pairs");
            tokenizer.Save(work.PathOf(FileName));
        });
        var trained = Tokenizer.FromJsonFile(artefact.PathOf(FileName));
        return new DocumentTokens(trained, new SpecialTokens
        {
            Bos = trained.IdOf(Begin),
            Eos = trained.IdOf(End),
            Stop = [trained.IdOf(End)!.Value],
            AddBos = true,
            Texts = new Dictionary<string, string> { ["bos_token"] = Begin, ["eos_token"] = End },
        }, trained.VocabularySize);
    }

    private static Dictionary<string, string> With(SpecialTokens special, string name, string token) => new(special.Texts, StringComparer.Ordinal) { [name] = token };
}
