namespace Lethe.Runs.Language.Topics;

/// <summary>Whether an entity's statements are trained on.</summary>
public enum GroundSide
{
    /// <summary>They are: its questions ask what was trained, in words that were not.</summary>
    Trained,
    /// <summary>They are not: its questions ask how far forgetting, or damage, spreads.</summary>
    Unseen,
}

/// <summary>What an entity's questions are for.</summary>
public enum GroundPart
{
    /// <summary>Choosing configurations.</summary>
    Validation,
    /// <summary>The figures that are reported; opened once.</summary>
    Test,
}

/// <summary>
/// Divides entities: an entity falls on one side and in one part with all that is said and asked of it, in whatever topics and families. Within each topic the shares are exact
/// but for rounding; which entities they are depends on names and seed alone.
/// </summary>
internal sealed class EntitySplit
{
    private readonly Dictionary<string, (GroundSide Side, GroundPart Part)> places = [];

    /// <summary>Divides.</summary>
    /// <param name="entities">Each entity's topics, and whether there is text of it to train on.</param>
    /// <param name="trained">Share that is trained, by topic.</param>
    /// <param name="plan">Share for validation, and the seed.</param>
    public EntitySplit(IEnumerable<(string Entity, string Topic, bool Stated)> entities, Func<string, double> trained, GroundSplitPlan plan)
    {
        var seed = (ulong)plan.Seed;
        // An entity of several topics is divided with the first of them.
        var homes = entities.GroupBy(item => item.Entity).Select(items => (Entity: items.Key, Topic: items.Select(item => item.Topic).Min(StringComparer.Ordinal)!, Stated: items.Any(item => item.Stated)));
        foreach (var topic in homes.GroupBy(item => item.Topic))
        {
            // What nothing is said of cannot be trained.
            var stated = Ordered(topic.Where(item => item.Stated).Select(item => item.Entity), seed, "trained");
            var count = Share(stated.Count, trained(topic.Key));
            foreach (var (side, members) in ((GroundSide, IEnumerable<string>)[])
                [(GroundSide.Trained, stated.Take(count)), (GroundSide.Unseen, stated.Skip(count).Concat(topic.Where(item => !item.Stated).Select(item => item.Entity)))])
            {
                var ordered = Ordered(members, seed, "validation");
                var validation = Share(ordered.Count, plan.Validation);
                for (var i = 0; i < ordered.Count; i++)
                    places.Add(ordered[i], (side, i < validation ? GroundPart.Validation : GroundPart.Test));
            }
        }
    }

    /// <summary>Where an entity falls.</summary>
    public (GroundSide Side, GroundPart Part) this[string entity] => places[entity];

    private static List<string> Ordered(IEnumerable<string> entities, ulong seed, string purpose) =>
        [.. entities.OrderBy(entity => EntityName.Draw(seed, purpose, entity)).ThenBy(entity => entity, StringComparer.Ordinal)];

    private static int Share(int count, double share) => (int)Math.Round(count * share, MidpointRounding.AwayFromZero);
}
