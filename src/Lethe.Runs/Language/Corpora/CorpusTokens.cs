using Lethe.Formats.Tokenizers;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.Language.Training;
using Lethe.Torch;

namespace Lethe.Runs.Language.Corpora;

/// <summary>How documents become tokens: a tokenizer and what it puts around a text.</summary>
/// <param name="Tokenizer">The tokenizer.</param>
/// <param name="Special">Its special tokens. A document begins with BOS if texts are to (AddBos), and ends with EOS if there is one.</param>
/// <param name="VocabularySize">Rows of the model's embedding; at least the tokenizer's own size.</param>
public sealed record DocumentTokens(Tokenizer Tokenizer, SpecialTokens Special, int VocabularySize)
{
    /// <summary>The token that every document begins with; null for none.</summary>
    public int? Begin => Special.AddBos ? Special.Bos : null;

    /// <summary>The ids of a document. Special tokens that its text spells out are tokens, as the tokenizer has them.</summary>
    public int[] Encode(string text)
    {
        var ids = Tokenizer.Encode(text);
        var (begin, end) = (Begin, Special.Eos);
        return [.. begin is { } first ? (int[])[first] : [], .. ids, .. end is { } last ? (int[])[last] : []];
    }
}

/// <summary>The stage that turns corpora into token ids: one file to learn from, one held out; kept in the cache under the digest of text, tokenizer and split.</summary>
public static class CorpusTokens
{
    /// <summary>The file that is learned from.</summary>
    public const string TrainFile = "train.tokens";

    /// <summary>The file that is held out; missing where nothing is.</summary>
    public const string ValidationFile = "validation.tokens";

    /// <summary>Runs the stage.</summary>
    /// <param name="runner">The run.</param>
    /// <param name="name">The stage's name.</param>
    /// <param name="tokens">How documents become tokens.</param>
    /// <param name="tokenizerDigest">What the tokenizer is known by: its artefact's content, or the digest of its file.</param>
    /// <param name="corpora">What is learned from.</param>
    /// <param name="share">Share of the documents that is held out; 0 for none.</param>
    /// <param name="held">Text that is held out in place of a share; null for none.</param>
    /// <exception cref="BadInputException">A document cannot be read, or nothing is left to learn from, or nothing is held out although something was to be.</exception>
    public static Artefact Run(StageRunner runner, string name, DocumentTokens tokens, string tokenizerDigest, CorpusReader corpora, double share, CorpusReader? held)
    {
        var inputs = new List<StageInput> { new("tokenizer", tokenizerDigest), new("corpora", corpora.Digest) };
        if (held is not null)
            inputs.Add(new("validation", held.Digest));
        var options = new { share = held is null ? share : 0, tokens.VocabularySize, tokens.Begin, End = tokens.Special.Eos };
        return runner.Run(new Stage { Name = name, Method = "corpus-tokens", Version = 1, Options = options, Inputs = inputs, Environment = new("none", "cpu", 1, "none") }, work =>
        {
            using var train = new TokenCorpusWriter(work.PathOf(TrainFile), tokens.VocabularySize, tokens.Begin);
            using var validation = held is not null || share > 0 ? new TokenCorpusWriter(work.PathOf(ValidationFile), tokens.VocabularySize, tokens.Begin) : null;
            var progress = new FileProgress(work, corpora.Files, held?.Files ?? []);
            foreach (var document in corpora.Read())
            {
                progress.At(document.File);
                if (held is null && document.IsHeldOut(share))
                    Add(validation!, tokens, document, 1);
                else
                    Add(train, tokens, document, document.Times);
            }
            foreach (var document in held?.Read() ?? [])
            {
                progress.At(document.File);
                Add(validation!, tokens, document, 1);
            }
            if (train.Documents == 0)
                throw new BadInputException($"{string.Join(", ", corpora.Files.Take(3))}: no document is left to learn from: the corpora hold none, or all of them are held out. Give more text, or a smaller validation.share.");
            if (validation is { Documents: 0 })
                throw new BadInputException($"{string.Join(", ", (held ?? corpora).Files.Take(3))}: no document is held out of {train.Documents}: give more documents (documents: paragraph divides files), a larger validation.share, or 0 to measure nothing.");
            train.Finish();
            validation?.Finish();
            work.Note($"{train.Documents:N0} documents, {train.Tokens:N0} tokens to learn from{(validation is null ? "" : $"; {validation.Documents:N0} documents, {validation.Tokens:N0} tokens held out")}");
        });
    }

    private static void Add(TokenCorpusWriter writer, DocumentTokens tokens, CorpusDocument document, int times)
    {
        if (times == 0)
            return;
        var ids = tokens.Encode(document.Text);
        // Bytes that the vocabulary has no token for leave nothing behind.
        if (ids.Length == 0)
            throw new BadInputException($"{document.File}, line {document.Line}: the tokenizer has no token for anything in this document.");
        for (var k = 0; k < times; k++)
            writer.Add(ids, document.Bytes);
    }

    // By bytes of the files that are behind: the number of documents is not known before.
    private sealed class FileProgress
    {
        private readonly StageWork work;
        private readonly Dictionary<string, long> behind = [];
        private readonly long total;
        private long documents;

        public FileProgress(StageWork work, IReadOnlyList<string> files, IReadOnlyList<string> held)
        {
            this.work = work;
            foreach (var file in files.Concat(held))
            {
                behind.TryAdd(file, total);
                total += new FileInfo(file).Length;
            }
        }

        public void At(string file)
        {
            if (documents++ % 256 == 0)
                work.Report(behind[file], Math.Max(1, total), "bytes read");
        }
    }
}
