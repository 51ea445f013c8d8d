using System.Text.Json;
using Lethe.Evaluation.Language;
using Lethe.Runs.Language.Topics;
using Lethe.Runs.Language.Unlearning;
using Lethe.Runs.Plans;
using Lethe.Runs.Results;

namespace Lethe.Runs.Language.Studies;

/// <summary>Knows how far a study is: which runs come next, what they found, and what is to be written of it.</summary>
/// <param name="study">The study.</param>
/// <param name="points">Its runs.</param>
/// <param name="runs">What became of them.</param>
internal sealed class StudyBuilder(StudyPlan study, StudyPoints points, StudyRuns runs)
{
    private readonly UtilityBound bound = new();
    private readonly IReadOnlyList<Tuned> tuned = [.. points.Configurations.Select(own => new Tuned(own))];
    private readonly Dictionary<string, Choice> chosen = [];
    private string? strongest;

    /// <summary>The runs of a round: what is left of every method's configurations, with every seed.</summary>
    public IReadOnlyList<StudyRun> Round(int round) => [.. Left().SelectMany(own => study.Tune.Seeds.Select(seed => points.Tune(own.Plan, round, seed)))];

    /// <summary>Reads a round that is done, and drops configurations unless it was the last.</summary>
    public void Finish(int round)
    {
        foreach (var own in Left())
            own.Rounds.Add(Reading([.. study.Tune.Seeds.Select(seed => points.Tune(own.Plan, round, seed))]));
        if (round == study.Tune.Rounds.Count - 1)
            return;
        foreach (var method in study.Methods)
        {
            var left = Left().Where(own => own.Plan.Method == method).ToArray();
            var kept = StudyHalving.Kept([.. left.Select(Utility)], study.Tune.Rounds[round].Keep, bound);
            foreach (var own in left.Where(own => !kept.Contains(own.Plan.Name)))
                own.Fell = round + 1;
        }
    }

    /// <summary>Chooses a configuration of each method, and the strongest baseline.</summary>
    /// <param name="warn">Told of methods that have none within the bound.</param>
    public void Choose(Action<string> warn)
    {
        foreach (var method in study.Methods)
        {
            chosen[method.Name] = StudyHalving.Choose([.. Left().Where(own => own.Plan.Method == method).Select(Utility)], bound);
            if (!chosen[method.Name].WithinBound)
                warn($"{method.Name} has no configuration within the bound on '{points.TuneTopic}'; the one that costs least is reported: {chosen[method.Name].Name}.");
        }
        strongest = StudyHalving.Strongest([.. study.Methods.Where(method => method is { Proposed: false, Control: false }).Select(method => StudyHalving.Utility(method.Name, ChosenOf(method).Rounds[^1]))], bound);
    }

    /// <summary>The runs that are reported.</summary>
    public IEnumerable<StudyRun> Reported() => study.Report.Topics.SelectMany(topic => study.Report.Seeds.SelectMany(seed => study.Methods.Where(IsReported).Select(method => points.Report(ChosenOf(method).Plan, topic, seed))));

    /// <summary>The runs of the table of single options.</summary>
    public IEnumerable<StudyRun> Sensitivity() => SensitivityRows().SelectMany(row => row.Runs);

    /// <summary>The study so far.</summary>
    public StudyResult Result() => new()
    {
        Title = study.Title,
        Bound = bound,
        Tuning = new StudyTuning(points.TuneTopic, Part(), study.Tune.Seeds, [.. study.Tune.Rounds.SkipLast(1).Select(round => round.Keep)]),
        Methods = [.. study.Methods.OrderBy(method => method.Proposed ? 0 : method.Control ? 2 : 1).Select(Method)],
        StrongestBaseline = strongest,
        Run = tuned.SelectMany(own => own.Rounds.Count == 0 ? [] : study.Tune.Seeds.Select(seed => points.Tune(own.Plan, 0, seed))).Select(runs.Result).OfType<LanguageUnlearnResult>().FirstOrDefault()?.Run,
    };

    /// <summary>The whole study; all its runs are done.</summary>
    /// <param name="readings">Reads what they asked.</param>
    public StudyResult Complete(StudyReadings readings)
    {
        var samples = study.Methods.Where(IsReported).ToDictionary(method => method.Name, method => study.Report.Topics.Select(topic => Samples(readings, method, topic)).ToArray());
        var result = Result();
        result = result with { Methods = [.. result.Methods.Select(method => method.Reported ? WithTopics(method, samples[method.Name]) : method)] };
        var proposed = result.Methods[0];
        StudyComparison[] comparisons = [.. result.Methods.Skip(1).Where(other => other.Reported).Select(other =>
            samples[proposed.Name].Concat(samples[other.Name]).Any(own => own is null)
                ? new StudyComparison(other.Name, other.Role, other.Name == strongest, null, 1, null, null, [])
                : StudyStatistics.Compare(samples[proposed.Name]!, samples[other.Name]!, other.Name, other.Role, other.Name == strongest))];
        return result with
        {
            Comparisons = comparisons,
            Goals = StudyGoalRules.Of(proposed, comparisons.Single(comparison => comparison.Strongest)),
            Sensitivity = study.Sensitivity is null ? null : SensitivityResult(),
        };
    }

    private bool IsReported(StudyMethodPlan method) => study.Report.Baselines == ReportedBaselines.All || method.Proposed || method.Control || method.Name == strongest;

    private IEnumerable<Tuned> Left() => tuned.Where(own => own.Fell is null);

    private static UtilityFigures Utility(Tuned own) => StudyHalving.Utility(own.Plan.Name, own.Rounds[^1]);

    private Tuned ChosenOf(StudyMethodPlan method) => tuned.First(own => own.Plan.Method == method && own.Plan.Name == chosen[method.Name].Name);

    private string Part() => ((LanguageUnlearnPlan)points.Tune(points.Configurations[0], study.Tune.Rounds.Count - 1, study.Tune.Seeds[0]).Run.Plan.Value).Measure.Part == GroundPart.Test ? "test" : "validation";

    private StudyReading Reading(IReadOnlyList<StudyRun> of)
    {
        var found = of.Select(runs.Result).ToArray();
        var figures = found.All(result => result is not null) ? StudyFigures.Of(found!, bound) : null;
        return new StudyReading(figures, EqualUtility.Choose([figures?.Utility("") ?? new UtilityFigures("", double.NaN, double.NaN, double.NaN, double.NaN)], bound).Verdicts[0].Broken,
            [.. of.Select(runs.Failure).OfType<string>().Distinct()], [.. of.Select(run => run.Run.Name)]);
    }

    private StudyMethodResult Method(StudyMethodPlan method)
    {
        var own = tuned.Where(configuration => configuration.Plan.Method == method).ToArray();
        var choice = chosen.GetValueOrDefault(method.Name);
        var done = own.SelectMany(configuration => Enumerable.Range(0, configuration.Rounds.Count).SelectMany(round => study.Tune.Seeds.Select(seed => points.Tune(configuration.Plan, round, seed)))).DistinctBy(run => run.Run.Name).ToArray();
        var (seconds, tokens) = runs.Cost(done);
        var options = ((LanguageUnlearnPlan)points.Report(own[0].Plan, study.Report.Topics[0], study.Report.Seeds[0]).Run.Plan.Value).Method;
        return new StudyMethodResult
        {
            Name = method.Name,
            Kind = PlanKindAttribute.Of(typeof(Lethe.Unlearning.Language.LanguageMethodOptions)).First(kind => kind.Type == options.GetType()).Name,
            Role = method.Proposed ? "proposed" : method.Control ? "control" : "baseline",
            Configurations = [.. own.Select(configuration => new StudyConfiguration(configuration.Plan.Name, configuration.Plan.Options, configuration.Rounds, configuration.Fell, configuration.Plan.Name == choice?.Name))],
            Chosen = choice?.Name,
            WithinBound = choice?.WithinBound ?? false,
            Reported = IsReported(method),
            // A grid of whole sections varies everything in them.
            NotSearched = method.Grid.ContainsKey("method") ? new Dictionary<string, object?>()
                : PlanSection.Of(options.GetType()).Keys.Where(key => !method.Grid.ContainsKey($"method.{key.Name}")).ToDictionary(key => key.Name, key => (object?)JsonSerializer.SerializeToElement(key.Property.GetValue(options), ResultJson.Options)),
            Budget = new StudyBudget(own.Length, done.Length, Math.Round(seconds, 3), tokens),
        };
    }

    private StudySamples? Samples(StudyReadings readings, StudyMethodPlan method, StudyTopicPlan topic)
    {
        StudyRun[] of = [.. study.Report.Seeds.Select(seed => points.Report(ChosenOf(method).Plan, topic, seed))];
        return of.Any(run => runs.Result(run) is null) ? null : readings.Of(topic.Name, [.. of.Select(run => (run.Run.Plan, runs.PathsOf(run)))]);
    }

    private StudyMethodResult WithTopics(StudyMethodResult method, IReadOnlyList<StudySamples?> samples)
    {
        var plan = study.Methods.First(own => own.Name == method.Name);
        StudyTopicResult[] topics = [.. study.Report.Topics.Zip(samples, (topic, sample) =>
        {
            var of = study.Report.Seeds.Select(seed => (Seed: seed, Run: points.Report(ChosenOf(plan).Plan, topic, seed))).ToArray();
            return new StudyTopicResult
            {
                Topic = topic.Name,
                Reading = Reading([.. of.Select(own => own.Run)]),
                Trained = sample is null ? null : StudyStatistics.Side(sample.Trained),
                Unseen = sample?.Unseen is { } unseen ? StudyStatistics.Side(unseen) : null,
                Retain = sample is null ? null : StudyStatistics.Retain(sample),
                Seeds = [.. of.Select(own => new StudySeed(own.Seed, runs.Result(own.Run) is { } result ? StudyFigures.Of([result], bound) : null, own.Run.Run.Name))],
            };
        })];
        return method with { Topics = topics, Pooled = samples.Any(sample => sample is null) ? null : StudyStatistics.Pooled(samples!, [.. topics.Select(topic => topic.Reading.Figures!)]) };
    }

    private IReadOnlyList<(string? Path, object? Value, IReadOnlyList<StudyRun> Runs)> SensitivityRows() =>
        study.Sensitivity is { } plan ? [.. points.Sensitivity(ChosenOf(study.Methods.First(method => method.Name == plan.Method)).Plan)] : [];

    private StudySensitivity SensitivityResult()
    {
        var rows = SensitivityRows();
        return new StudySensitivity(study.Sensitivity!.Method, Reading(rows[0].Runs), [.. rows.Skip(1).Select(row => new StudySensitivityRow(row.Path!, row.Value, Reading(row.Runs)))]);
    }
}
