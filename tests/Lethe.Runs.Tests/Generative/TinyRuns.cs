using Lethe.Runs.Generative;
using Lethe.Runs.Plans;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs.Tests.Generative;

/// <summary>A tiny data set, and one finished run on it: what the tests of the pipeline start from. Models and judge come from its cache.</summary>
public sealed class TinyRuns : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public TinyRuns()
    {
        TinyData.WriteBars(folder.Path, train: 400, test: 200);
        (First, FirstPaths) = Engine.Run(() => Run("first"));
    }

    /// <summary>The result of the finished run: the label 3 into noise.</summary>
    public ImageUnlearnResult First { get; }

    public RunPaths FirstPaths { get; }

    public string this[params string[] parts] => folder[parts];

    /// <summary>The plan, with more laid over it.</summary>
    public Plan<UnlearnPlan> Plan(params string[] overrides) => PlanReader.Parse<UnlearnPlan>(TinyData.UnlearnPlan(folder.Path), folder["plan.yaml"], overrides);

    /// <summary>Runs the plan in a folder below runs/; every run shares one cache.</summary>
    public (ImageUnlearnResult Result, RunPaths Paths) Run(string name, params string[] overrides) => Run(Plan(overrides), name);

    public (ImageUnlearnResult Result, RunPaths Paths) Run(Plan<UnlearnPlan> plan, string name, IProgressSink? progress = null)
    {
        var (result, paths) = UnlearnPipeline.Run(plan, new RunContext
        {
            RunFolder = folder["runs", name],
            CacheFolder = folder["cache"],
            Progress = progress ?? SilentProgress.Instance,
        });
        return ((ImageUnlearnResult)result, paths);
    }

    public void Dispose() => folder.Dispose();
}
