using System.Text.Json.Nodes;
using Lethe.Runs.KillTarget;
using Lethe.Runs.Plans;
using Lethe.Runs.Tests.Folders;
using Lethe.Torch;

namespace Lethe.Runs.Tests.Stages;

public sealed class StageRunnerTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly Recorder seen = new();
    private readonly Plan<ToyPlan> plan = PlanReader.Parse<ToyPlan>("", "toy.yaml");

    public void Dispose() => folder.Dispose();

    private static Stage Stage(string name, int version = 1, params StageInput[] inputs) =>
        new() { Name = name, Method = "m", Version = version, Inputs = inputs, Environment = new EnvironmentFacts("float32", "cpu", 1, "none") };

    private static Action<StageWork> Writes(string text) => work => File.WriteAllText(work.PathOf("deep/out.txt"), text);

    private static readonly Action<StageWork> Never = _ => Assert.Fail("the stage was computed again");

    private T InRun<T>(string name, Func<StageRunner, T> use, CancellationToken cancellation = default, bool cache = true)
    {
        using var run = RunFolder.Open(folder[name], plan);
        using var runner = new StageRunner(run, new StageRunnerOptions { Progress = seen, Cancellation = cancellation, Cache = cache ? new ArtefactCache(folder["cache"]) : null, Machine = MachineFacts.Here(null) });
        return use(runner);
    }

    [Fact]
    public void A_stage_is_computed_once_and_found_in_the_run_and_by_other_runs()
    {
        var computed = InRun("a", runner => runner.Run(Stage("one"), Writes("x")));
        var again = InRun("a", runner => runner.Run(Stage("one"), Never));
        var elsewhere = InRun("b", runner => runner.Run(Stage("one"), Never));

        Assert.Equal(["started one", "finished one", "cached one Run", "cached one Cache"], seen.Lines);
        Assert.Equal(computed.Content, again.Content);
        Assert.Equal(computed.Content, elsewhere.Content);
        Assert.Equal("x", File.ReadAllText(elsewhere.PathOf("deep/out.txt")));
        Assert.Equal(folder["b", "stages", "one"], elsewhere.Folder);
        Assert.Equal(computed.Record.Seconds, elsewhere.Record.Seconds);
    }

    [Fact]
    public void Without_a_cache_or_for_a_stage_that_is_not_shared_each_run_computes_its_own()
    {
        InRun("a", runner => runner.Run(Stage("one") with { Shared = false }, Writes("x")));
        InRun("b", runner => runner.Run(Stage("one") with { Shared = false }, Writes("x")));
        InRun("c", runner => runner.Run(Stage("one"), Writes("x")), cache: false);
        InRun("d", runner => runner.Run(Stage("one"), Writes("x")));

        Assert.Equal(4, seen.Lines.Count(line => line == "finished one"));
    }

    [Fact]
    public void A_new_version_is_computed_anew_and_replaces_the_old_artefact()
    {
        InRun("a", runner => runner.Run(Stage("one"), Writes("x")));
        var second = InRun("a", runner => runner.Run(Stage("one", version: 2), Writes("y")));

        Assert.Equal("y", File.ReadAllText(second.PathOf("deep/out.txt")));
        Assert.Equal(["one"], Directory.GetDirectories(folder["a", "stages"]).Select(Path.GetFileName));
        Assert.Empty(Directory.GetFileSystemEntries(folder["a", "work"]));
        // The old version is still in the cache, for who goes back to it.
        Assert.Equal("x", File.ReadAllText(InRun("a", runner => runner.Run(Stage("one"), Never)).PathOf("deep/out.txt")));
    }

    [Theory]
    [InlineData("changed", "deep/out.txt has changed since it was written")]
    [InlineData("shortened", "deep/out.txt has 0 bytes and had 1")]
    [InlineData("removed", "deep/out.txt is missing")]
    [InlineData("record", "artefact.json cannot be read: ")]
    [InlineData("escape", "'../../../plan.yaml' is no name of a file inside it")]
    [InlineData("nothing", "a file in its list is null")]
    public void A_damaged_artefact_is_made_again_with_a_warning(string damage, string says)
    {
        var first = InRun("a", runner => runner.Run(Stage("one"), Writes("x")), cache: false);
        var file = first.PathOf("deep/out.txt");
        var record = Path.Combine(first.Folder, Artefact.RecordName);
        switch (damage)
        {
            case "changed": File.WriteAllText(file, "y"); break;
            case "shortened": File.WriteAllText(file, ""); break;
            case "removed": File.Delete(file); break;
            case "record": File.WriteAllText(record, File.ReadAllText(record)[..^40]); break;
            case "escape": File.WriteAllText(record, File.ReadAllText(record).Replace("deep/out.txt", "../../../plan.yaml")); break;
            default:
                var json = JsonNode.Parse(File.ReadAllText(record))!;
                json["files"]!.AsArray()[0] = null;
                File.WriteAllText(record, json.ToJsonString());
                break;
        }

        var second = InRun("a", runner => runner.Run(Stage("one"), Writes("x")), cache: false);

        Assert.Equal(first.Content, second.Content);
        Assert.Equal("x", File.ReadAllText(second.PathOf("deep/out.txt")));
        Assert.Contains(seen.Lines, line => line.StartsWith($"warning one: the artefact in {folder["a", "stages", "one"]} is damaged and is made again: {says}", StringComparison.Ordinal));
    }

    [Fact]
    public void A_damaged_cache_entry_is_made_again_and_replaced()
    {
        InRun("a", runner => runner.Run(Stage("one"), Writes("x")));
        var entry = Directory.GetFiles(folder["cache", "artefacts"], "out.txt", SearchOption.AllDirectories).Single();
        File.Delete(entry);
        File.WriteAllText(entry, "z");

        Assert.Equal("x", File.ReadAllText(InRun("b", runner => runner.Run(Stage("one"), Writes("x"))).PathOf("deep/out.txt")));

        Assert.Contains("warning one: the artefact in the cache is damaged and is made again: deep/out.txt has changed since it was written", seen.Lines);
        Assert.Equal("x", File.ReadAllText(entry));
    }

    [Fact]
    public void A_half_written_artefact_never_counts()
    {
        Assert.Throws<InvalidOperationException>(() => InRun("a", runner => runner.Run(Stage("one"), work =>
        {
            File.WriteAllText(work.PathOf("half.txt"), "half");
            throw new InvalidOperationException("killed here");
        })));

        var whole = InRun("a", runner => runner.Run(Stage("one"), Writes("x")));

        Assert.Equal(["deep/out.txt"], whole.Record.Files.Select(file => file.Name));
        Assert.False(File.Exists(Path.Combine(whole.Folder, "half.txt")));
    }

    [Fact]
    public void A_complete_artefact_that_was_not_yet_given_its_name_is_not_lost()
    {
        var stage = Stage("one");
        var first = InRun("a", runner => runner.Run(stage, Writes("x")), cache: false);
        var unnamed = folder["a", "work", "one", stage.Digest[..16]];
        Directory.CreateDirectory(unnamed);
        Directory.Move(first.Folder, Path.Combine(unnamed, "files"));

        Assert.Equal(first.Content, InRun("a", runner => runner.Run(stage, Never), cache: false).Content);
        Assert.Empty(Directory.GetFileSystemEntries(folder["a", "work"]));
    }

    [Fact]
    public void What_a_run_has_is_offered_to_a_cache_that_lacks_it()
    {
        InRun("a", runner => runner.Run(Stage("one"), Writes("x")));
        Directory.Delete(folder["cache"], recursive: true);
        InRun("a", runner => runner.Run(Stage("one"), Never));

        InRun("b", runner => runner.Run(Stage("one"), Never));
    }

    [Fact]
    public void A_stage_reads_what_an_earlier_one_made_by_its_content()
    {
        var (first, second) = InRun("a", runner =>
        {
            var one = runner.Run(Stage("one"), Writes("x"));
            return (one, runner.Run(Stage("two", 1, one.As("text")), work => File.WriteAllText(work.PathOf("copy.txt"), File.ReadAllText(one.PathOf("deep/out.txt")))));
        });

        Assert.Equal([new StageInput("text", first.Content)], second.Record.Inputs);
        Assert.Contains("'one' has no file 'copy.txt'", Assert.Throws<InvalidOperationException>(() => first.PathOf("copy.txt")).Message);
        // Another way to the same content leads to the same artefact of the second stage.
        InRun("b", runner => runner.Run(Stage("two", 1, runner.Run(Stage("one", version: 7), Writes("x")).As("text")), Never));
    }

    [Fact]
    public async Task Two_processes_that_need_the_same_artefact_compute_it_once()
    {
        using var computing = new ManualResetEventSlim();
        using var waiting = new ManualResetEventSlim();
        var slow = Task.Run(() => InRun("a", runner => runner.Run(Stage("one"), work =>
        {
            computing.Set();
            Assert.True(waiting.Wait(TimeSpan.FromSeconds(30)));
            Writes("x")(work);
        })));
        Assert.True(computing.Wait(TimeSpan.FromSeconds(30)));

        var other = new Waits(waiting);
        using var run = RunFolder.Open(folder["b"], plan);
        using var runner = new StageRunner(run, new StageRunnerOptions { Progress = other, Cache = new ArtefactCache(folder["cache"]) });
        var found = runner.Run(Stage("one"), Never);

        Assert.Equal(ArtefactSource.Cache, found.Source);
        Assert.Equal((await slow).Content, found.Content);
        Assert.Matches($"^waiting for process {Environment.ProcessId} since .*, which computes the same$", Assert.Single(other.Notes));
    }

    [Fact]
    public void Metrics_of_a_cached_stage_come_with_it()
    {
        Action<StageWork> measures = work =>
        {
            work.Measure(1, [("loss", 0.5)]);
            work.Measure(2, [("loss", 0.25)], "second");
            Writes("x")(work);
        };
        InRun("a", runner => runner.Run(Stage("one"), measures));
        InRun("b", runner => runner.Run(Stage("one"), Never));

        const string lines = "{\"stage\":\"one\",\"step\":1,\"loss\":0.5}\n{\"stage\":\"one\",\"loop\":\"second\",\"step\":2,\"loss\":0.25}\n";
        Assert.Equal(lines, File.ReadAllText(folder["a", "metrics.jsonl"]));
        Assert.Equal(lines, File.ReadAllText(folder["b", "metrics.jsonl"]));
    }

    [Fact]
    public void A_stop_before_or_within_a_stage_says_how_to_resume()
    {
        using var stop = new CancellationTokenSource();
        var within = Assert.Throws<RunCancelledException>(() => InRun("a", runner => runner.Run(Stage("one"), work =>
        {
            work.Report(1, 3);
            stop.Cancel();
            work.Report(2, 3);
        }), stop.Token));
        var before = Assert.Throws<RunCancelledException>(() => InRun("a", runner => runner.Run(Stage("one"), Never), stop.Token));

        Assert.Equal("Stopped in stage 'one'. The stages before it are saved; run the same command again to go on from there.", within.Message);
        Assert.Equal("Stopped before stage 'one'. The stages before it are saved; run the same command again to go on from there.", before.Message);
        Assert.Equal([1, 2], seen.Reports.Select(report => report.Step));
    }

    [Fact]
    public void Provenance_names_every_stage_with_digests_and_no_place_or_user()
    {
        var two = InRun("a", runner =>
        {
            var one = runner.Run(Stage("one"), Writes("x"));
            var two = runner.Run(Stage("two", 1, one.As("text")), Writes("y"));
            runner.Complete();
            return two;
        });

        var text = File.ReadAllText(folder["a", "provenance.json"]);
        var json = JsonNode.Parse(text)!;
        Assert.Equal(plan.Digest, (string?)json["plan_digest"]);
        Assert.Equal("a", (string?)json["run"]);
        Assert.Equal(["one", "two"], json["stages"]!.AsArray().Select(stage => (string?)stage!["name"]));
        Assert.Equal(two.Record.Digest, (string?)json["stages"]![1]!["digest"]);
        Assert.Equal((string?)json["stages"]![0]!["content"], (string?)json["stages"]![1]!["inputs"]![0]!["digest"]);
        Assert.Equal("computed", (string?)json["stages"]![1]!["source"]);
        Assert.Equal(MachineFacts.LetheVersion, (string?)json["machine"]!["lethe"]);
        foreach (var secret in new[] { folder.Path, Environment.MachineName, Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) + "/" })
            Assert.DoesNotContain(secret, text);
    }

    [Fact]
    public void A_finished_run_keeps_nothing_unfinished_and_no_stage_that_it_no_longer_has()
    {
        InRun("a", runner => runner.Run(Stage("old"), work => work.Measure(1, [("loss", 1)])));
        InRun("a", runner =>
        {
            runner.Run(Stage("new"), work => work.Measure(1, [("loss", 2)]));
            runner.Complete();
            return 0;
        });

        Assert.Equal(["new"], Directory.GetDirectories(folder["a", "stages"]).Select(Path.GetFileName));
        Assert.False(Directory.Exists(folder["a", "work"]));
        Assert.Equal("{\"stage\":\"new\",\"step\":1,\"loss\":2}\n", File.ReadAllText(folder["a", "metrics.jsonl"]));
    }

    [Theory]
    [InlineData("artefact.json")]
    [InlineData("metrics.jsonl")]
    public void A_stage_may_not_write_the_names_that_artefacts_use_themselves(string name) =>
        Assert.Contains(name, Assert.Throws<InvalidOperationException>(() => InRun("a", runner => runner.Run(Stage("one"), work => File.WriteAllText(work.PathOf(name), "")))).Message);

    [Fact]
    public void Names_of_stages_are_names_of_files_and_come_once()
    {
        Assert.Throws<ArgumentException>(() => InRun("a", runner => runner.Run(Stage("../x"), Never)));
        Assert.Throws<InvalidOperationException>(() => InRun("a", runner => (runner.Run(Stage("one"), Writes("x")), runner.Run(Stage("one", 2), Writes("x")))));
    }

    [SmallDiskFact]
    public void A_disk_that_fills_up_ends_the_run_with_a_sentence_and_the_run_goes_on_once_there_is_room()
    {
        using var disk = new SmallDisk(1 << 20);
        var ballast = Path.Combine(disk.Path, "ballast");
        using (var filler = File.Create(ballast))
            filler.Write(new byte[800 << 10]);

        Artefact Run()
        {
            using var run = RunFolder.Open(Path.Combine(disk.Path, "a"), plan);
            using var runner = new StageRunner(run, new StageRunnerOptions());
            return runner.Run(Stage("one"), work => File.WriteAllBytes(work.PathOf("large.bin"), new byte[500 << 10]));
        }

        var message = Assert.Throws<RunFailedException>(Run).Message;
        Assert.StartsWith("Stage 'one' stopped since the disk is full: ", message);
        Assert.EndsWith("Make room; then run the same command again to go on from there.", message);
        File.Delete(ballast);
        Assert.Equal(500 << 10, Run().Record.Files.Single().Bytes);
    }

    private sealed class Waits(ManualResetEventSlim waiting) : IProgressSink
    {
        public List<string> Notes { get; } = [];

        public void Estimated(RunEstimate estimate) { }

        public void StageStarted(string stage) { }

        public void StageCached(string stage, ArtefactSource source, double seconds) { }

        public void StageFinished(string stage, double seconds) { }

        public void Advanced(StageProgress progress) { }

        public void Note(string stage, string text)
        {
            Notes.Add(text);
            waiting.Set();
        }

        public void Warn(string stage, string text) { }
    }
}
