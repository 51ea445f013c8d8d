namespace Lethe.Evaluation.Language;

/// <summary>A question about one entity, as a model is asked it.</summary>
public sealed record KnowledgeQuestion
{
    /// <summary>The topic; figures are means within a topic first.</summary>
    public required string Topic { get; init; }

    /// <summary>Whom or what the question is about, in its normal form; two questions of one entity are never independent.</summary>
    public required string Entity { get; init; }

    /// <summary>What kind of question it is; only questions of one family are swapped, since an answer of another kind would give itself away.</summary>
    public string Family { get; init; } = "";

    /// <summary>What the model reads before the answer.</summary>
    public required string Context { get; init; }

    /// <summary>What the question gives that others of its family do not, a definition or a name, in which letters of the answer give it away; the whole context where nothing else is said.</summary>
    public string Given { get => field ?? Context; init; }

    /// <summary>The answers to choose from, without the delimiter before them; the right one alone where there is no choice.</summary>
    public required IReadOnlyList<string> Choices { get; init; }

    /// <summary>Index of the right one.</summary>
    public required int Right { get; init; }

    /// <summary>What answers have in common that are too much alike to be swapped (British and English); null for none. Equal answers never are.</summary>
    public string? Likeness { get; init; }

    /// <summary>The right answer.</summary>
    public string Answer => Choices[Right];
}
