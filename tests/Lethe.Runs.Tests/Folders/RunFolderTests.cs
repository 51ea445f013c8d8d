using Lethe.Runs.Plans;
using Lethe.Runs.Tests.Plans;
using Lethe.Torch;

namespace Lethe.Runs.Tests.Folders;

public sealed class RunFolderTests
{
    private sealed class Machine(long free, long memory = long.MaxValue) : IMachine
    {
        public string? Asked { get; private set; }

        public long Memory => memory;

        public long FreeDisk(string folder)
        {
            Asked = folder;
            return free;
        }
    }

    private static Plan<TestPlan> Plan(params string[] overrides) => PlanReader.Parse<TestPlan>("title: t", "p.yaml", overrides);

    private static string Refused(Action open) => Assert.Throws<UsageException>(open).Message;

    [Fact]
    public void A_new_folder_holds_the_resolved_plan_and_opens_again_for_the_same_plan()
    {
        using var folder = new TemporaryFolder();
        using (var run = RunFolder.Open(folder["runs", "a"], Plan("strength=0.1")))
        {
            Assert.Equal("a", run.Paths.Id);
            Assert.Equal(Plan("strength=0.1").Resolved, File.ReadAllText(run.Paths.Plan));
            run.WriteResult(new { SomeValue = 1.5 });
            Assert.Equal("{\n  \"some_value\": 1.5\n}", File.ReadAllText(run.Paths.Result));
        }
        RunFolder.Open(folder["runs", "a"], Plan("strength=0.1")).Dispose();
    }

    [Fact]
    public void A_folder_that_another_run_holds_is_refused_with_its_process()
    {
        using var folder = new TemporaryFolder();
        using var first = RunFolder.Open(folder["a"], Plan());

        Assert.Equal($"{folder["a"]} is in use by {FileLock.Holder(first.Paths.Lock)}; wait for it, or choose another run folder.", Refused(() => RunFolder.Open(folder["a"], Plan())));
        Assert.Contains($"process {Environment.ProcessId} since ", FileLock.Holder(first.Paths.Lock));
    }

    [Fact]
    public void A_folder_of_another_plan_is_refused_with_the_keys_that_differ_and_stays_as_it_is()
    {
        using var folder = new TemporaryFolder();
        RunFolder.Open(folder["a"], Plan("strength=0.1")).Dispose();

        Assert.Equal($"{folder["a"]} holds a run of another plan: seed is 1 there and 2 here, strength is 0.1 there and 0.5 here. Choose another run folder, or remove this one.", Refused(() => RunFolder.Open(folder["a"], Plan("seed=2"))));
        RunFolder.Open(folder["a"], Plan("strength=0.1")).Dispose();
    }

    [Fact]
    public void A_folder_that_is_no_run_is_refused()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["thesis.txt"], "mine");
        File.WriteAllText(folder["file"], "");

        Assert.Contains($"{folder.Path} is no run folder: it holds ", Refused(() => RunFolder.Open(folder.Path, Plan())));
        Assert.StartsWith($"{folder["file"]} cannot be used as a run folder: ", Refused(() => RunFolder.Open(folder["file"], Plan())));
    }

    [Fact]
    public void A_folder_that_was_abandoned_before_its_plan_was_written_is_taken_over()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["lock"], []);
        File.WriteAllText(folder["lock.holder"], "process 1 since long ago");
        File.WriteAllText(folder[".plan.yaml.0123.lethe-tmp"], "half a pl");

        RunFolder.Open(folder.Path, Plan()).Dispose();

        Assert.Equal(["lock", "plan.yaml"], Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Too_little_free_disk_is_refused_before_anything_is_written()
    {
        using var folder = new TemporaryFolder();
        var machine = new Machine(free: 5 << 20);

        Assert.Equal($"{folder["runs", "a"]} needs about 6 MiB and its disk has 5 MiB free; make room, or choose a folder on another disk.", Refused(() => RunFolder.Open(folder["runs", "a"], Plan(), 6 << 20, machine)));

        Assert.Equal(folder.Path, machine.Asked);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
        RunFolder.Open(folder["runs", "a"], Plan(), 5 << 20, machine).Dispose();
    }

    [Fact]
    public void What_an_earlier_attempt_wrote_counts_towards_the_space_that_is_needed()
    {
        using var folder = new TemporaryFolder();
        RunFolder.Open(folder["a"], Plan()).Dispose();
        File.WriteAllBytes(folder["a", "stages.bin"], new byte[1 << 20]);

        RunFolder.Open(folder["a"], Plan(), 2 << 20, new Machine(free: 1 << 20)).Dispose();
    }

    [SmallDiskFact]
    public void A_real_small_disk_is_refused()
    {
        using var disk = new SmallDisk(1 << 20);

        Assert.Matches("needs about 2 MiB and its disk has .* free", Refused(() => RunFolder.Open(Path.Combine(disk.Path, "a"), Plan(), 2 << 20)));

        RunFolder.Open(Path.Combine(disk.Path, "a"), Plan(), 1 << 19).Dispose();
    }

    [SmallDiskFact]
    public void A_read_only_disk_is_refused_also_where_the_run_exists()
    {
        using var disk = new SmallDisk(1 << 20);
        RunFolder.Open(Path.Combine(disk.Path, "old"), Plan()).Dispose();
        disk.MakeReadOnly();

        foreach (var name in new[] { "old", "new" })
        {
            var message = Refused(() => RunFolder.Open(Path.Combine(disk.Path, name), Plan()));
            Assert.StartsWith($"{Path.Combine(disk.Path, name)} cannot be used as a run folder: ", message);
            Assert.EndsWith("Choose another folder, or give yourself permission to write there.", message);
        }
    }

    [UnprivilegedFact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void A_folder_without_permission_to_write_is_refused()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["a"], UnixFileMode.UserRead | UnixFileMode.UserExecute);

        Assert.StartsWith($"{folder["a"]} cannot be used as a run folder: ", Refused(() => RunFolder.Open(folder["a"], Plan())));
        Assert.StartsWith($"{folder["a", "b"]} cannot be used as a run folder: ", Refused(() => RunFolder.Open(folder["a", "b"], Plan())));
    }

    [Fact]
    public void The_same_plan_gives_the_same_name()
    {
        Assert.Matches("^forget-0-[0-9a-f]{8}$", RunFolder.NameFor("plans/forget-0.yaml", Plan()));
        Assert.Equal(RunFolder.NameFor("forget-0.yaml", Plan()), RunFolder.NameFor("plans/forget-0.yaml", Plan("seed=1")));
        Assert.NotEqual(RunFolder.NameFor("forget-0.yaml", Plan()), RunFolder.NameFor("forget-0.yaml", Plan("seed=2")));
    }

    [Fact]
    public void An_estimate_is_shown_and_refused_where_memory_or_disk_do_not_suffice()
    {
        using var folder = new TemporaryFolder();
        var seen = new Recorder();
        var estimate = new RunEstimate(TimeSpan.FromSeconds(200), 3L << 30, 1 << 20, "a trial of 20 steps");

        Preflight.Check(estimate, folder["a"], new Machine(1 << 20, 3L << 30), seen);

        Assert.Equal(["expected: about 3 min 20 s, 3 GiB of memory, 1 MiB of disk (a trial of 20 steps)"], seen.Lines);
        Assert.StartsWith("this run needs about 3 GiB of memory and the machine gives 2 GiB;", Refused(() => Preflight.Check(estimate, folder["a"], new Machine(1 << 20, 2L << 30), seen)));
        Assert.Contains("needs about 1 MiB and its disk has 1023 KiB free", Refused(() => Preflight.Check(estimate, folder["a"], new Machine((1 << 20) - 1024, 3L << 30), seen)));
    }

    [Theory]
    [InlineData(0, "0 bytes")]
    [InlineData(1023, "1023 bytes")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(200L << 20, "200 MiB")]
    [InlineData(5L << 40, "5 TiB")]
    public void Sizes_are_written_for_people(long bytes, string words) => Assert.Equal(words, ByteSize.Words(bytes));
}

/// <summary>A test of file permissions, which bind everybody but root.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class UnprivilegedFactAttribute : FactAttribute
{
    public UnprivilegedFactAttribute()
    {
        if (Environment.IsPrivilegedProcess)
            Skip = "root may write anywhere; the read-only disk stands in for it";
    }
}
