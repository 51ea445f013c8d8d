using System.Globalization;
using System.Text.RegularExpressions;
using Lethe.Runs.Plans;
using Lethe.Torch;

namespace Lethe.Runs;

/// <summary>One point of a sweep: a plan of unlearning with the values of the grid in it.</summary>
/// <param name="Name">Name of its folder below the sweep's.</param>
/// <param name="Options">The varied keys with their values here.</param>
/// <param name="Plan">The plan.</param>
public sealed record SweepRun(string Name, IReadOnlyDictionary<string, object?> Options, Plan<UnlearnPlan> Plan)
{
    /// <summary>The values in words, such as "method.strength=0.5, seed 0".</summary>
    public string Words => string.Join(", ", Options.Select(option => $"{option.Key}={SweepPoints.Text(option.Value)}").Append($"seed {Plan.Value.Seed}"));
}

/// <summary>The points of a sweep: every combination of its grid with every seed, each read as a plan of its own before any of them runs.</summary>
public static partial class SweepPoints
{
    /// <summary>More points than anybody waits for: a grid that is larger has a mistake in it.</summary>
    public const int Most = 10_000;

    /// <summary>Reads the points in their order: the last key of the grid varies fastest, seeds faster still.</summary>
    /// <param name="sweep">The sweep.</param>
    /// <param name="overrides">Values laid over every point besides the sweep's own, as "path=value".</param>
    /// <param name="seed">The only seed, in place of the sweep's; null for the sweep's.</param>
    /// <exception cref="UsageException">A point is no plan, two are the same, or there are too many.</exception>
    public static IReadOnlyList<SweepRun> Of(Plan<SweepPlan> sweep, IReadOnlyList<string>? overrides = null, long? seed = null)
    {
        var plan = sweep.Value;
        var set = plan.Set.Select(entry => new PlanAssignment(entry.Key, entry.Value)).Concat((overrides ?? []).Select(PlanOverride.Parse)).ToList();
        if (set.FirstOrDefault(value => plan.Grid.ContainsKey(value.Path)) is { } varied)
            throw varied.Value.Place.Refuse($"'{varied.Path}' is what the grid of {sweep.Source} varies; change it there.");
        var size = plan.Grid.Values.Aggregate(Math.Max(1L, plan.Seeds.Count), (product, values) => Math.Min(Most + 1L, product * values.Count));
        if (size > Most)
            throw new UsageException($"{sweep.Source}: the grid has more than {Most} points; give it fewer values.");
        var file = PlanPaths.Resolve(plan.Plan, sweep.Source);
        IEnumerable<long?> seeds = seed is not null ? [seed] : plan.Seeds.Count > 0 ? plan.Seeds.Select(value => (long?)value) : [null];
        var points = new List<SweepRun>();
        foreach (var combination in Combinations([.. plan.Grid]))
            foreach (var repetition in seeds)
                points.Add(Point(file, set, combination, [], repetition));
        if (points.DistinctBy(point => point.Plan.Value.GetType()).Skip(1).Any())
            throw new UsageException($"{sweep.Source}: the grid mixes plans of different kinds, whose figures cannot be compared; sweep each kind on its own.");
        if (points.GroupBy(point => point.Plan.Digest).FirstOrDefault(group => group.Count() > 1) is { } same)
            throw new UsageException($"{sweep.Source}: the grid holds {same.First().Words} twice; list each value once.");
        return points;
    }

    /// <summary>Digest of a sweep with all that its points are: a changed plan underneath is another sweep.</summary>
    public static string Digest(Plan<SweepPlan> sweep, IReadOnlyList<SweepRun> points) =>
        CanonicalJson.Digest(new { sweep.Value.Title, points = points.Select(point => new[] { point.Name, point.Plan.Digest }) });

    /// <summary>A value of the grid as a plan would write it.</summary>
    internal static string Text(object? value) => Convert.ToString(value, CultureInfo.InvariantCulture) switch
    {
        "True" => "true",
        "False" => "false",
        var text => text ?? "",
    };

    /// <summary>A point: the plan with all values in it, and a name that its options, its seed and its digest make.</summary>
    /// <param name="file">The plan's file.</param>
    /// <param name="set">Values that many points share.</param>
    /// <param name="combination">The varied values.</param>
    /// <param name="over">Values laid over those.</param>
    /// <param name="seed">The seed; null for the plan's own.</param>
    /// <param name="prefix">What the name begins with.</param>
    internal static SweepRun Point(string file, IEnumerable<PlanAssignment> set, IReadOnlyList<PlanAssignment> combination, IEnumerable<PlanAssignment> over, long? seed, string prefix = "")
    {
        var values = set.Concat(combination).Concat(over);
        if (seed is { } given)
            values = values.Append(PlanOverride.Parse(string.Create(CultureInfo.InvariantCulture, $"seed={given}")));
        var plan = PlanReader.Read<UnlearnPlan>(file, values);
        var options = combination.ToDictionary(value => value.Path, value => Value(value.Value));
        // The last name of a path says enough; two keys that end alike are told apart by the digest.
        var name = string.Join('-', options.Select(option => $"{option.Key[(option.Key.LastIndexOf('.') + 1)..]}-{Short(combination.First(value => value.Path == option.Key).Value, option.Value)}").Append($"seed-{plan.Value.Seed}"));
        name = Unfit().Replace(prefix + name, "_");
        return new SweepRun($"{(name.Length > 80 ? name[..80] : name)}-{plan.Digest[..8]}", options, plan);
    }

    // Of a whole section its kind; what else it says the digest tells apart.
    private static string Short(PlanNode node, object? value) => node is PlanMap map && map.Find("kind")?.Value is PlanScalar kind ? kind.Text : Text(value);

    /// <summary>A value as it is shown and compared.</summary>
    internal static object? Value(PlanNode node) => node switch
    {
        PlanScalar { IsNothing: true } => null,
        PlanScalar { Quoted: true } scalar => scalar.Text,
        PlanScalar { Text: "true" or "false" } scalar => scalar.Text == "true",
        PlanScalar scalar when long.TryParse(scalar.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => whole,
        PlanScalar scalar when double.TryParse(scalar.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) => number,
        PlanScalar scalar => scalar.Text,
        // A whole section, such as a surrogate: its one-line JSON names it.
        _ => CanonicalJson.Of(node),
    };

    /// <summary>Every combination of a grid; the last key varies fastest. An empty grid has one combination, of nothing.</summary>
    internal static IEnumerable<IReadOnlyList<PlanAssignment>> Combinations(IReadOnlyList<KeyValuePair<string, IReadOnlyList<PlanNode>>> grid) =>
        grid.Aggregate((IEnumerable<IReadOnlyList<PlanAssignment>>)[[]],
            (begun, key) => begun.SelectMany(values => key.Value, (values, value) => (IReadOnlyList<PlanAssignment>)[.. values, new PlanAssignment(key.Key, value)]));

    [GeneratedRegex("[^A-Za-z0-9._-]+", RegexOptions.CultureInvariant)]
    private static partial Regex Unfit();
}
