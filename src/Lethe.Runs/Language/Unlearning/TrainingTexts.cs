using Lethe.Evaluation.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Runs.Language.Corpora;
using Lethe.Runs.Language.Topics;
using Lethe.Torch;
using Lethe.Unlearning.Language;

namespace Lethe.Runs.Language.Unlearning;

/// <summary>What forgetting reads, as tokens: text to forget, text to retain, and the guard's.</summary>
internal sealed class TrainingTexts
{
    private readonly CorpusReader? corpora;
    private readonly Ground ground;
    private readonly LanguageUnlearnPlan plan;

    /// <summary>Reads and tokenizes.</summary>
    /// <exception cref="UsageException">Texts are longer than the model reads, or the guard has nothing to read.</exception>
    /// <exception cref="BadInputException">Forget and retain text are the same, or text of perplexity is trained on.</exception>
    public TrainingTexts(LanguageUnlearnPlan plan, Ground ground, LanguageCheckpoint checkpoint, HashSet<string> measured, string planFile)
    {
        (this.plan, this.ground) = (plan, ground);
        var positions = checkpoint.Configuration.MaximumPositions;
        if (plan.Texts.Length > positions)
            throw new UsageException($"{planFile}: texts.length is {plan.Texts.Length}; the model has {positions} positions.");
        var encoding = LanguageMeasuring.EncodingOf(checkpoint);
        // A token is at most a few dozen characters; what is cut off is not encoded.
        int[] Encode(string text) => [.. encoding.Encode(text.Length > 32 * plan.Texts.Length ? text[..(32 * plan.Texts.Length)] : text).Take(plan.Texts.Length)];
        var forgotten = ground.ForgetTexts.Select(text => text.Text).ToHashSet(StringComparer.Ordinal);
        var forget = ground.ForgetTexts.Select(text => (Ids: Encode(text.Text), text.Entity)).Where(text => Counts(text.Ids)).ToArray();
        Forget = [.. forget.Select(text => text.Ids)];
        ForgetRows = [.. forget.Select(text => new TextRow(text.Ids, Group: EntityName.Draw(0, "group", text.Entity)))];
        var retain = ground.RetainTexts.SelectMany(text => Enumerable.Repeat(Encode(text.Text), ground.Neighbours.Contains(text.Topic) ? plan.Texts.Neighbours : 1)).Where(Counts).ToList();
        var guard = new List<int[]>();
        corpora = plan.Retain.Count > 0 ? new CorpusReader(plan.Retain, planFile, "retain") : null;
        foreach (var document in corpora?.Read() ?? [])
        {
            if (forgotten.Contains(document.Text))
                throw new BadInputException($"{document.File}, line {document.Line}: this document is among the texts to forget, so that forget and retain text are the same there. Take it out of 'retain'.");
            if (measured.Contains(document.Text))
                throw new BadInputException($"{document.File}, line {document.Line}: perplexity is measured on this document, so that it must not be trained on. Give 'retain' and 'measure.perplexity' different text.");
            if (plan.Guard is { } held && document.IsHeldOut(held.Share))
            {
                if (guard.Count < held.Texts && Encode(document.Text) is var read && Counts(read))
                    guard.Add(read);
            }
            else if (Encode(document.Text) is var ids && Counts(ids))
            {
                retain.AddRange(Enumerable.Repeat(ids, document.Times));
            }
        }
        if (plan.Guard is not null && guard.Count == 0)
            throw new UsageException($"{planFile}: the guard has nothing to read: 'retain' names no text, or too little for guard.share. Name text there, or turn the guard off with guard: null.");
        (Retain, Guard) = (retain, guard);
        if (Forget.Count == 0 || Retain.Count == 0)
            throw new BadInputException($"{planFile}: the texts to {(Forget.Count == 0 ? "forget" : "retain")} have no more than a token each.");
    }

    /// <summary>Text to forget.</summary>
    public IReadOnlyList<int[]> Forget { get; }

    /// <summary>The same with the entity that each text is about for its group.</summary>
    public IReadOnlyList<TextRow> ForgetRows { get; }

    /// <summary>Text that must stay.</summary>
    public IReadOnlyList<int[]> Retain { get; }

    /// <summary>Text that the guard reads; empty where there is no guard.</summary>
    public IReadOnlyList<int[]> Guard { get; }

    /// <summary>Tokens that are read of a text at most.</summary>
    public int Length => plan.Texts.Length;

    /// <summary>How texts become batches.</summary>
    public TextBatchOptions BatchOptions(SpecialTokens special) => new() { Rows = plan.Texts.Batch, Length = plan.Texts.Length, PadToken = special.Pad ?? special.Eos ?? 0 };

    /// <summary>
    /// The texts to forget as prompts with their continuation: a text goes on from the entity's name, or ends with it where nothing follows. A text whose prompt is a single token is left out: an edit reads none at the first position.
    /// </summary>
    /// <exception cref="BadInputException">No text names its entity with something before or behind it.</exception>
    public IReadOnlyList<TextRow> Prompts(RequestEncoding encoding)
    {
        var rows = new List<TextRow>();
        foreach (var text in ground.ForgetTexts)
        {
            var at = text.Text.IndexOf(text.Entity, StringComparison.OrdinalIgnoreCase);
            var cut = at < 0 ? -1 : text.Text[(at + text.Entity.Length)..].Trim().Length > 1 ? at + text.Entity.Length : at;
            if (cut <= 0)
                continue;
            var pair = encoding.Pair(text.Text[..cut], text.Text[cut..]);
            if (pair.Context.Length > 1 && pair.Continuation.Length > 0 && pair.Context.Length < plan.Texts.Length)
                rows.Add(new TextRow([.. pair.Context, .. pair.Continuation], pair.Context.Length));
        }
        return rows.Count > 0 ? rows : throw new BadInputException("No text to forget names its entity with words before or behind it that make a prompt of two tokens to go on from; word ground.families.statements so.");
    }

    /// <summary>What stages are told of it.</summary>
    public IReadOnlyList<StageInput> Inputs => [new("ground", ground.Digest), new("retain", corpora?.Digest ?? "none")];

    /// <summary>What of the plan decides it.</summary>
    public object Options => new { plan.Texts, plan.Guard };

    // The first token is not trained on, since it sees nothing but itself: headings of a token teach nothing.
    private static bool Counts(int[] ids) => ids.Length >= 2;
}
