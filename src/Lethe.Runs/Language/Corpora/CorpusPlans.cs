using System.ComponentModel.DataAnnotations;
using Lethe.Formats.Tables;
using Lethe.Runs.Plans;

namespace Lethe.Runs.Language.Corpora;

/// <summary>Text that a model reads.</summary>
[PlanKind("text", typeof(TextCorpusPlan), "text files")]
[PlanKind("rows", typeof(RowsCorpusPlan), "files of rows (JSON Lines; .csv and .tsv with a header), of which a field or a template makes documents")]
public abstract record CorpusPlan
{
    /// <summary>Where.</summary>
    [PlanKey("A file or a folder, relative to the plan; ${shared} stands for LETHE_SHARED or the folder shared beside the checkout. Files may be compressed (.gz); of a folder all files of the kind are read, those in folders below it too, in the order of their names")]
    public required string Path { get; init; }

    /// <summary>How often each document is seen.</summary>
    [PlanKey("How often each training document stands in the corpus: 2 takes each twice, 0.5 takes half of them, chosen by their content")]
    [Range(0.001, 1000)]
    public double Weight { get; init; } = 1;

    /// <summary>The most documents.</summary>
    [PlanKey("The most documents that are taken, from the first on; null takes all")]
    [Range(1, int.MaxValue)]
    public int? Limit { get; init; }
}

/// <summary>Text files.</summary>
public sealed record TextCorpusPlan : CorpusPlan
{
    /// <summary>How a file is divided.</summary>
    [PlanKey("What a document is: the whole file, a paragraph (empty lines separate), or a line")]
    public TextDocuments Documents { get; init; } = TextDocuments.File;

    /// <summary>A line between documents.</summary>
    [PlanKey("A line that separates documents, such as <|endoftext|>, in place of documents; null for none")]
    [MinLength(1)]
    public string? Separator { get; init; }
}

/// <summary>Files of rows.</summary>
public sealed record RowsCorpusPlan : CorpusPlan, IPlanRules
{
    /// <summary>The field that is the document.</summary>
    [PlanKey("The field that holds the document; null where template says what a document is")]
    public string? Field { get; init; }

    /// <summary>What a row becomes.</summary>
    [PlanKey("What a row becomes, with {{field}} in places of its values, such as \"Q: {{question}}\\nA: {{choices[answer]}}\", as in the templates of tasks; null takes field")]
    public string? Template { get; init; }

    /// <inheritdoc/>
    public IEnumerable<PlanProblem> Problems()
    {
        if (Field is null == Template is null)
            yield return new("", "A corpus of rows needs either 'field', the name of the field that holds the document, or 'template', what a row becomes.");
    }
}

/// <summary>What is held out of training.</summary>
public sealed record ValidationPlan
{
    /// <summary>The share held out.</summary>
    [PlanKey("Share of the documents that is held out, chosen by their content, so that a document that stands twice is never on both sides")]
    [Range(0.0, 0.9)]
    public double Share { get; init; } = 0.05;

    /// <summary>Other text.</summary>
    [PlanKey("Other text that the loss is measured on, in place of a share; empty for none")]
    public IReadOnlyList<CorpusPlan> Corpora { get; init; } = [];
}
