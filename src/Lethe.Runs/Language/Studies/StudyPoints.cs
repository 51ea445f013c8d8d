using Lethe.Runs.Language.Unlearning;
using Lethe.Runs.Plans;
using Lethe.Torch;

namespace Lethe.Runs.Language.Studies;

/// <summary>A configuration of a method: one combination of its grid.</summary>
/// <param name="Method">The method.</param>
/// <param name="Name">Its varied values in words; "default" where nothing varies.</param>
/// <param name="Values">The varied values.</param>
internal sealed record StudyConfigurationPlan(StudyMethodPlan Method, string Name, IReadOnlyList<PlanAssignment> Values)
{
    /// <summary>The varied keys with their values here.</summary>
    public IReadOnlyDictionary<string, object?> Options => Values.ToDictionary(value => value.Path, value => SweepPoints.Value(value.Value));
}

/// <summary>A single run of a study.</summary>
/// <param name="Configuration">What is run.</param>
/// <param name="Topic">The topic, by its name in the study.</param>
/// <param name="Run">The plan, and the name of its folder.</param>
/// <param name="SingleOption">It is of the table of single options: a value there may not fit the others, such as a layer read below those edited, which only the run itself finds out.</param>
internal sealed record StudyRun(StudyConfigurationPlan Configuration, string Topic, SweepRun Run, bool SingleOption = false)
{
    /// <summary>The run in words.</summary>
    public string Words => $"{Topic}, {Configuration.Method.Name}, {Run.Words}";
}

/// <summary>The runs of a study: every one is read as a plan of its own, and all that can be is read before any of them runs.</summary>
internal sealed class StudyPoints
{
    /// <summary>More configurations than anybody waits for.</summary>
    private const int Most = 1_000;

    private readonly Plan<StudyPlan> study;
    private readonly string file;
    private readonly Dictionary<(string Method, string Configuration, string Where, long Seed), StudyRun> known = [];

    /// <summary>Reads the study.</summary>
    /// <exception cref="UsageException">A run is no plan of unlearning on a language model, two configurations are the same, or there are too many.</exception>
    public StudyPoints(Plan<StudyPlan> study)
    {
        this.study = study;
        file = PlanPaths.Resolve(study.Value.Plan, study.Source);
        foreach (var method in study.Value.Methods)
            if (method.Grid.Values.Aggregate(1L, (product, values) => Math.Min(Most + 1L, product * values.Count)) > Most)
                throw new UsageException($"{study.Source}: the grid of '{method.Name}' has more than {Most} combinations; give it fewer values.");
        Configurations = [.. study.Value.Methods.SelectMany(method => SweepPoints.Combinations([.. method.Grid]).Select(values => new StudyConfigurationPlan(method, NameOf(method, values), values)))];
        TuneTopic = Tune(Configurations[0], study.Value.Tune.Rounds.Count - 1, study.Value.Tune.Seeds[0]).Topic;
        Check();
    }

    /// <summary>All configurations, method by method.</summary>
    public IReadOnlyList<StudyConfigurationPlan> Configurations { get; }

    /// <summary>The topic of tuning.</summary>
    public string TuneTopic { get; }

    /// <summary>Digest of the study with all that its runs are: a changed plan underneath is another study.</summary>
    public string Digest => CanonicalJson.Digest(new
    {
        study.Value.Title,
        runs = Configurations.SelectMany(own => Enumerable.Range(0, study.Value.Tune.Rounds.Count).SelectMany(round => study.Value.Tune.Seeds.Select(seed => Tune(own, round, seed)))
            .Concat(study.Value.Report.Topics.SelectMany(topic => study.Value.Report.Seeds.Select(seed => Report(own, topic, seed))))).Select(run => run.Run.Plan.Digest),
        baselines = study.Value.Report.Baselines,
        sensitivity = study.Value.Sensitivity,
        keep = study.Value.Tune.Rounds.Select(round => round.Keep),
        roles = study.Value.Methods.Select(method => new { method.Name, method.Proposed, method.Control }),
    });

    /// <summary>A run of a round of tuning.</summary>
    public StudyRun Tune(StudyConfigurationPlan configuration, int round, long seed) =>
        Known(configuration, $"round {round}", seed, () => Of(configuration, null, [study.Value.Set, study.Value.Tune.Set], study.Value.Tune.Rounds[round].Set, seed));

    /// <summary>A run that is reported.</summary>
    public StudyRun Report(StudyConfigurationPlan configuration, StudyTopicPlan topic, long seed) =>
        Known(configuration, $"topic {topic.Name}", seed, () => Of(configuration, topic.Name, [study.Value.Set, study.Value.Report.Set, topic.Set], Nothing, seed));

    /// <summary>The runs of the table of single options: the chosen configuration first, with no key.</summary>
    public IEnumerable<(string? Path, object? Value, IReadOnlyList<StudyRun> Runs)> Sensitivity(StudyConfigurationPlan chosen)
    {
        if (study.Value.Sensitivity is not { } plan)
            yield break;
        IReadOnlyDictionary<string, PlanNode>[] set = [study.Value.Set, study.Value.Tune.Set, plan.Set];
        yield return (null, null, [.. plan.Seeds.Select(seed => Of(chosen, null, set, Nothing, seed))]);
        foreach (var (path, values) in plan.Keys)
            foreach (var value in values)
                yield return (path, SweepPoints.Value(value), [.. plan.Seeds.Select(seed => Of(chosen, null, set, new Dictionary<string, PlanNode> { [path] = value }, seed, passOver: false))]);
    }

    private static readonly IReadOnlyDictionary<string, PlanNode> Nothing = new Dictionary<string, PlanNode>();

    // A study has hundreds of runs, and reading each once is enough.
    private StudyRun Known(StudyConfigurationPlan configuration, string where, long seed, Func<StudyRun> read)
    {
        var key = (configuration.Method.Name, configuration.Name, where, seed);
        if (!known.TryGetValue(key, out var run))
            known.Add(key, run = read());
        return run;
    }

    private StudyRun Of(StudyConfigurationPlan configuration, string? topic, IEnumerable<IReadOnlyDictionary<string, PlanNode>> sets, IReadOnlyDictionary<string, PlanNode> over, long seed, bool passOver = true)
    {
        PlanAssignment[] set = [.. sets.Append(configuration.Method.Set).SelectMany(values => values.OrderBy(value => value.Key, StringComparer.Ordinal)).Select(value => new PlanAssignment(value.Key, value.Value))];
        IEnumerable<PlanAssignment> laid = over.Select(value => new PlanAssignment(value.Key, value.Value));
        // Not every method has steps or a learning rate, and a round says them for all.
        if (passOver && over.Keys.Any(IsMethodKey))
        {
            var known = PlanSection.Of(Language(PlanReader.Read<UnlearnPlan>(file, set.Concat(configuration.Values))).Method.GetType()).Names.ToHashSet();
            laid = laid.Where(value => !IsMethodKey(value.Path) || known.Contains(value.Path.Split('.')[1]));
        }
        // The plan's own topic names the run where the study does not.
        topic ??= Language(PlanReader.Read<UnlearnPlan>(file, set)).Ground.Forget;
        var run = SweepPoints.Point(file, set, configuration.Values, laid, seed, $"{topic}-{configuration.Method.Name}-");
        _ = Language(run.Plan);
        return new StudyRun(configuration, topic, run, SingleOption: !passOver);
    }

    private LanguageUnlearnPlan Language(Plan<UnlearnPlan> plan) => plan.Value as LanguageUnlearnPlan
        ?? throw new UsageException($"{study.Source}: {study.Value.Plan} is no plan of unlearning on a language model (kind: language); only those can be compared.");

    private void Check()
    {
        var tuned = Configurations.Select(own => Tune(own, study.Value.Tune.Rounds.Count - 1, study.Value.Tune.Seeds[0])).ToArray();
        if (tuned.GroupBy(run => (run.Configuration.Method.Name, run.Run.Plan.Digest)).FirstOrDefault(group => group.Count() > 1) is { } same)
            throw new UsageException($"{study.Source}: the grid of '{same.Key.Name}' holds {same.First().Configuration.Name} twice; list each value once.");
        foreach (var round in Enumerable.Range(0, study.Value.Tune.Rounds.Count))
        {
            var runs = Configurations.Select(own => Tune(own, round, study.Value.Tune.Seeds[0])).ToArray();
            // A key that no method has is a slip of the pen.
            foreach (var key in study.Value.Tune.Rounds[round].Set.Keys.Where(IsMethodKey))
                if (!runs.Any(run => PlanSection.Of(Language(run.Run.Plan).Method.GetType()).Names.Contains(key.Split('.')[1])))
                    throw new UsageException($"{study.Source}: 'tune.rounds.{round}.set.{key}' is a key that no method of the study has.");
        }
        var forgotten = Language(tuned[0].Run.Plan).Ground.Forget;
        foreach (var topic in study.Value.Report.Topics)
        {
            foreach (var own in Configurations)
                if (Language(Report(own, topic, study.Value.Report.Seeds[0]).Run.Plan) is { } plan && plan.Ground.Forget == forgotten)
                    throw new UsageException($"{study.Source}: '{topic.Name}' forgets '{forgotten}', the topic of tuning; what options were chosen on is not reported.");
        }
        foreach (var own in Configurations.Where(own => own.Method.Name == study.Value.Sensitivity?.Method))
            _ = Sensitivity(own).Count();
    }

    private static bool IsMethodKey(string path) => path.StartsWith("method.", StringComparison.Ordinal);

    private static string NameOf(StudyMethodPlan method, IReadOnlyList<PlanAssignment> values) => values.Count == 0
        ? "default"
        : string.Join(", ", values.Select(value => value.Value is PlanMap map
            ? Differing(map, method.Grid[value.Path])
            : $"{value.Path[(value.Path.LastIndexOf('.') + 1)..]} {SweepPoints.Text(SweepPoints.Value(value.Value))}"));

    // Of a whole section, such as a method, the keys by which it differs from the other sections in its place; of one that differs by what it leaves out, all but the kind.
    private static string Differing(PlanMap map, IReadOnlyList<PlanNode> others)
    {
        var differing = map.Entries.Where(entry => others.Any(other => (other as PlanMap)?.Find(entry.Key) is not { } there || CanonicalJson.Of(there.Value) != CanonicalJson.Of(entry.Value))).ToArray();
        if (differing.Length == 0)
            differing = [.. map.Entries.Where(entry => entry.Key != "kind")];
        return differing.Length == 0 ? "default" : string.Join(", ", differing.Select(entry => $"{entry.Key} {SweepPoints.Text(SweepPoints.Value(entry.Value))}"));
    }
}
