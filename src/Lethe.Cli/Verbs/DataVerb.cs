using Lethe.Cli.Frame;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe data</c>: the data sets of this machine.</summary>
public sealed class DataVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "data";

    /// <inheritdoc/>
    public override string Summary => "Which data sets are here, and are they whole? Texts and questions to try things on.";

    /// <inheritdoc/>
    public override string Description => "Finds the data sets that plans name, reads them through, and writes made-up records and words of WordNet to try forgetting on. Fetches nothing.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples => [.. Verbs.SelectMany(verb => verb.Examples)];

    /// <inheritdoc/>
    public override IReadOnlyList<Verb> Verbs { get; } = [new DataListVerb(), new DataCheckVerb(), new DataRecordsVerb(), new DataWordNetVerb()];
}
