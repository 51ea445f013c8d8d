namespace Lethe.Runs.Tests.Stages;

public sealed class StageTests
{
    private static readonly Stage Base = new()
    {
        Name = "fisher",
        Method = "fisher-closed-form",
        Version = 3,
        Options = new { samples = 50_000, seed = 1L },
        Inputs = [new StageInput("model", "aa"), new StageInput("data", "bb")],
        Environment = new EnvironmentFacts("float32", "cpu", 2, "1.13.1"),
    };

    [Fact]
    public void The_digest_changes_with_everything_that_the_artefact_depends_on()
    {
        Stage[] others =
        [
            Base,
            Base with { Name = "fisher-2" },
            Base with { Method = "fisher-per-sample" },
            Base with { Version = 4 },
            Base with { Options = new { samples = 50_001, seed = 1L } },
            Base with { Options = new { samples = 50_000, seed = 2L } },
            Base with { Options = null },
            Base with { Inputs = [new StageInput("model", "aa"), new StageInput("data", "bc")] },
            Base with { Inputs = [new StageInput("model", "bb"), new StageInput("data", "aa")] },
            Base with { Inputs = [new StageInput("model", "aa")] },
            Base with { Inputs = [new StageInput("weights", "aa"), new StageInput("data", "bb")] },
            Base with { Environment = Base.Environment with { ElementType = "float64" } },
            Base with { Environment = Base.Environment with { Device = "cuda:0" } },
            Base with { Environment = Base.Environment with { Threads = 1 } },
            Base with { Environment = Base.Environment with { Libtorch = "2.13.0" } },
        ];

        Assert.Equal(others.Length, others.Select(stage => stage.Digest).Distinct().Count());
    }

    [Fact]
    public void The_digest_is_the_same_for_the_same_stage_and_whether_it_is_shared()
    {
        Assert.Equal(Base.Digest, (Base with { Options = new Dictionary<string, object> { ["seed"] = 1, ["samples"] = 50_000 } }).Digest);
        Assert.Equal(Base.Digest, (Base with { Shared = false }).Digest);
        // Frozen, and what Python's json.dumps(sort_keys=True, separators=(',', ':')) gives: a change makes every artefact that anybody has computed worthless.
        Assert.Equal("b3f5edf597a5ec1d1cf847a0dbe4303c0e5fbdf47f0291c7bf08445e62454f12", Base.Digest);
    }
}
