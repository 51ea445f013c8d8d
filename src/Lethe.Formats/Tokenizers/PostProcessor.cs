namespace Lethe.Formats.Tokenizers;

/// <summary>What is put around the ids of a text.</summary>
/// <param name="Parts">Ids, and null where the text's own ids go.</param>
/// <remarks>huggingface/tokenizers at 3ba8ad0, processors/. Templates for pairs of texts are kept in the file and not used.</remarks>
internal sealed record PostProcessor(IReadOnlyList<int[]?> Parts)
{
    private static readonly PostProcessor Nothing = new([null]);

    public static PostProcessor Read(JsonField? field) => field is { } given ? new PostProcessor(ReadParts(given, 0)) : Nothing;

    private static IReadOnlyList<int[]?> ReadParts(JsonField field, int depth)
    {
        switch (field.Kind())
        {
            case "ByteLevel":
                // Moves offsets only.
                return Nothing.Parts;
            case "TemplateProcessing":
                return Template(field);
            case "RobertaProcessing" or "BertProcessing":
                return [[Token(field.Get("cls"))], null, [Token(field.Get("sep"))]];
            case "Sequence" when depth < 8:
                IReadOnlyList<int[]?> parts = Nothing.Parts;
                foreach (var inner in field.Get("processors").Items())
                    parts = [.. ReadParts(inner, depth + 1).SelectMany(part => part is null ? parts : [part])];
                // Each processor may double the text; a short file must not fill the memory.
                return parts.Count <= 1000 ? parts : throw field.Refuse($"puts {parts.Count} parts around a text; at most 1000 are allowed.");
            case var kind:
                throw field.Refuse(kind == "Sequence" ? "nests Sequences more than 8 deep."
                    : $"has the type '{kind}', which Lethe does not support; it knows Sequence, ByteLevel, TemplateProcessing, RobertaProcessing and BertProcessing.");
        }
    }

    private static IReadOnlyList<int[]?> Template(JsonField field)
    {
        var ids = new Dictionary<string, int[]>(StringComparer.Ordinal);
        foreach (var (name, token) in field.Get("special_tokens").Members())
            ids.Add(name, [.. token.Get("ids").Items().Select(id => id.Count(Tokenizer.MaxId))]);
        var parts = new List<int[]?>();
        foreach (var item in field.Get("single").Items())
        {
            if (item.Find("Sequence") is { } sequence)
            {
                if (sequence.Get("id").Text() is not "A")
                    throw sequence.Get("id").Refuse("must be A in the template of a single text.");
                parts.Add(null);
                continue;
            }
            var id = item.Get("SpecialToken").Get("id");
            parts.Add(ids.GetValueOrDefault(id.Text()) ?? throw id.Refuse($"is '{id.Text()}', which special_tokens lacks."));
        }
        return parts.Count(part => part is null) == 1 ? parts : throw field.Get("single").Refuse("must hold the sequence A exactly once.");
    }

    private static int Token(JsonField pair)
    {
        var items = pair.Items().Take(3).ToArray();
        return items.Length == 2 ? items[1].Count(Tokenizer.MaxId) : throw pair.Refuse("must be a token and its id.");
    }

    /// <summary>The ids with what belongs around them.</summary>
    public int[] Apply(List<int> ids)
    {
        var all = new List<int>(ids.Count + 4);
        foreach (var part in Parts)
            all.AddRange(part ?? (IEnumerable<int>)ids);
        return [.. all];
    }
}
