using Lethe.Evaluation.Statistics;

namespace Lethe.Runs.Language.Studies;

/// <summary>Pairs of one side of a topic, trained or unseen: what each scored, averaged over seeds. Methods that are compared share the design, so that a draw is the same entities for all.</summary>
/// <param name="Before">Swaps before.</param>
/// <param name="After">Swaps after.</param>
/// <param name="Floor">What can be scored without the knowledge.</param>
/// <param name="MarginBefore">Margins before, nats.</param>
/// <param name="MarginAfter">Margins after, nats.</param>
internal sealed record SideSamples(ClusteredSample Before, ClusteredSample After, ClusteredSample Floor, ClusteredSample MarginBefore, ClusteredSample MarginAfter);

/// <summary>All that one method's runs on one topic say item by item.</summary>
/// <param name="Topic">The topic, by its name in the study.</param>
/// <param name="Neighbours">The nearest of the topics that had to stay.</param>
/// <param name="Trained">Trained entities in unseen words.</param>
/// <param name="Unseen">Unseen entities; null where there are too few.</param>
/// <param name="RetainBefore">Swaps of the topics that had to stay, before.</param>
/// <param name="RetainAfter">The same after.</param>
internal sealed record StudySamples(string Topic, IReadOnlyList<string> Neighbours, SideSamples Trained, SideSamples? Unseen, ClusteredSample RetainBefore, ClusteredSample RetainAfter);
