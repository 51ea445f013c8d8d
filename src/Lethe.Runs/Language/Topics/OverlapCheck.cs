using System.Text.Json;
using Lethe.Evaluation.Language;
using Lethe.Formats.Tables;
using Lethe.Runs.Plans;
using Lethe.Torch;

namespace Lethe.Runs.Language.Topics;

/// <summary>A set of texts that was compared.</summary>
/// <param name="Name">forget, retain, validation, test; of a ground's test trained, unseen and retain.</param>
/// <param name="Texts">Its texts.</param>
/// <param name="Entities">Entities that they are about.</param>
public sealed record OverlapSet(string Name, int Texts, int Entities);

/// <summary>What a check of overlap found. Of the texts themselves it holds none.</summary>
public sealed record OverlapResult
{
    /// <summary>Version of this layout.</summary>
    public string Schema { get; init; } = "lethe.overlap/1";

    /// <summary>The plan or the file to forget.</summary>
    public required string Name { get; init; }

    /// <summary>What became of the files' rows; null where files were compared and no ground.</summary>
    public GroundCounts? Ground { get; init; }

    /// <summary>The sets.</summary>
    public required IReadOnlyList<OverlapSet> Sets { get; init; }

    /// <summary>What they have in common, two at a time.</summary>
    public required IReadOnlyList<TextOverlapPair> Pairs { get; init; }

    /// <summary>Whether forget and retain text are the same: every text of one stands in the other.</summary>
    public required bool Same { get; init; }
}

/// <summary>Compares the texts to forget, to retain and to test with, of a plan or of files.</summary>
public static class OverlapCheck
{
    /// <summary>The ground that a YAML file holds, under the key ground or as the whole file; null where it holds none, such as a task's file.</summary>
    /// <exception cref="UsageException">The file is not right.</exception>
    public static GroundPlan? Find(string path)
    {
        if (PlanParser.Parse(PlanReader.Text(path), path) is not PlanMap map || map.Find("task") is not null)
            return null;
        var node = map.Find("ground")?.Value ?? (map.Find("questions") is not null && map.Find("forget") is not null ? map : null);
        return node is null ? null : (GroundPlan)PlanBinder.Bind(node, typeof(GroundPlan));
    }

    /// <summary>Compares what a ground is made of. Counterfactuals hold sentences to forget by design and are left out of the retain text.</summary>
    /// <param name="ground">The ground.</param>
    /// <param name="name">Name of its file.</param>
    public static OverlapResult Of(Ground ground, string name)
    {
        static TextSet Texts(string name, IEnumerable<GroundText> texts) => new(name, [.. texts.Select(text => text.Text)], [.. texts.Select(text => text.Entity).Distinct()]);
        static TextSet Asked(string name, IEnumerable<KnowledgeQuestion> questions) => new(name, [.. questions.Select(question => $"{question.Context} {question.Answer}")], [.. questions.Select(question => question.Entity).Distinct()]);
        IEnumerable<KnowledgeQuestion> All(GroundPart part) => new[] { GroundSide.Trained, GroundSide.Unseen }.SelectMany(side => ground.Forget(part, side).Concat(ground.Retain(part, side)));
        var forget = Texts("forget", ground.ForgetTexts);
        var retain = Texts("retain", ground.RetainTexts.Where(text => text.Kind != GroundTextKind.Counterfactual));
        var validation = Asked("validation", All(GroundPart.Validation));
        var trained = Asked("test: trained", ground.Forget(GroundPart.Test, GroundSide.Trained));
        var unseen = Asked("test: unseen", ground.Forget(GroundPart.Test, GroundSide.Unseen));
        var kept = Asked("test: retain", ground.Retain(GroundPart.Test, GroundSide.Unseen));
        var test = Asked("test", All(GroundPart.Test));
        return Result(name, [forget, retain, validation, trained, unseen, kept],
            [(forget, retain), (forget, trained), (forget, unseen), (forget, kept), (retain, trained), (retain, unseen), (retain, kept), (validation, test)]) with { Ground = ground.Counts };
    }

    /// <summary>Compares files of rows: .jsonl, .json, .tsv, .csv or .txt, plain or .gz.</summary>
    /// <param name="forget">Texts to forget.</param>
    /// <param name="retain">Texts to retain; null for none.</param>
    /// <param name="test">Texts or questions to test with; null for none.</param>
    /// <exception cref="BadInputException">A file cannot be read, or a row is none.</exception>
    public static OverlapResult Of(string forget, string? retain, string? test)
    {
        (string Name, string? File)[] named = [("forget", forget), ("retain", retain), ("test", test)];
        TextSet[] sets = [.. named.Where(set => set.File is not null).Select(set => Rows(set.Name, set.File!))];
        return Result(forget, sets, [.. sets.SelectMany((first, at) => sets[(at + 1)..].Select(second => (first, second)))]);
    }

    private static OverlapResult Result(string name, IReadOnlyList<TextSet> sets, IReadOnlyList<(TextSet First, TextSet Second)> pairs) => new()
    {
        Name = name,
        Sets = [.. sets.Select(set => new OverlapSet(set.Name, set.Texts.Count, set.Entities.Count))],
        Pairs = [.. pairs.Select(pair => TextOverlap.Between(pair.First, pair.Second))],
        Same = sets.FirstOrDefault(set => set.Name == "retain") is { } retain && TextOverlap.Same(sets[0].Texts, retain.Texts),
    };

    /// <summary>A row's text is its question with the right answer, or all of its texts but topic and family; its entity what it calls entity, term or name, else the right answer of a choice.</summary>
    private static TextSet Rows(string name, string file)
    {
        var texts = new List<string>();
        var entities = new HashSet<string>(StringComparer.Ordinal);
        foreach (var row in GroundRows.Rows(file))
        {
            if (row.Problem is { } problem)
                throw GroundRows.Refuse(row, problem);
            var right = Right(row);
            var words = row.Value.EnumerateObject().Where(member => member.Value.ValueKind == JsonValueKind.String && member.Name is not ("topic" or "family")).Select(member => member.Value.GetString()!).Concat(right is null ? [] : [right]).ToArray();
            if (words.Length == 0)
                throw GroundRows.Refuse(row, "the row holds no text.");
            texts.Add(string.Join(' ', words));
            var entity = ((string[])["entity", "term", "name"]).Select(key => row.Value.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null).FirstOrDefault(value => value is not null) ?? right;
            if (entity is not null)
                entities.Add(EntityName.Normal(entity));
        }
        return texts.Count > 0 ? new TextSet(name, texts, [.. entities]) : throw new BadInputException($"{file}: the file has no rows.");
    }

    private static string? Right(TableRow row) =>
        row.Value.TryGetProperty("choices", out var choices) && choices.ValueKind == JsonValueKind.Array && row.Value.TryGetProperty("answer", out var answer) && answer.ValueKind == JsonValueKind.Number
        && answer.TryGetInt32(out var index) && index >= 0 && index < choices.GetArrayLength() && choices[index].ValueKind == JsonValueKind.String ? choices[index].GetString() : null;
}
