using Lethe.Runs.KillTarget;
using Lethe.Torch;

namespace Lethe.Runs.Tests.Training;

public sealed class TrainingDriverTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly ManualTime time = new();
    private readonly Recorder seen = new();

    public void Dispose() => folder.Dispose();

    private TrainingJob Job(string digest = "d1") => new("train", null, digest, folder["checkpoint.safetensors"], "run the same command again");

    private TrainingOutcome Drive(ITrainingLoop loop, TrainingDriverOptions? options = null, CancellationToken cancellation = default, TrainingJob? job = null)
    {
        using var metrics = new MetricsLog(folder["metrics.jsonl"], time);
        metrics.Begin("train");
        return new TrainingDriver(options ?? new TrainingDriverOptions(), metrics, seen, time).Drive(loop, job ?? Job(), cancellation);
    }

    private long Steps() => File.ReadLines(folder["metrics.jsonl"]).Count();

    [Fact]
    public void A_loop_stopped_anywhere_and_resumed_ends_as_one_that_was_not()
    {
        var whole = new ToyLoop(7, 50, 60);
        Drive(whole, new TrainingDriverOptions { SaveFinished = false });
        var lines = File.ReadAllText(folder["metrics.jsonl"]);

        for (var stopAt = 0; stopAt <= 60; stopAt += 7)
        {
            File.Delete(folder["metrics.jsonl"]);
            File.Delete(folder["checkpoint.safetensors"]);
            using var stop = new CancellationTokenSource();
            if (stopAt == 0)
                stop.Cancel();
            var stopped = Assert.Throws<RunCancelledException>(() => Drive(new ToyLoop(7, 50, 60, onStep: step => { if (step == stopAt) stop.Cancel(); }), cancellation: stop.Token));
            Assert.Equal($"Stopped at step {stopAt} of 60 of stage 'train'. The work so far is saved; run the same command again.", stopped.Message);
            Assert.Equal(stop.Token, stopped.CancellationToken);

            var resumed = new ToyLoop(7, 50, 60);
            Assert.Equal(stopAt, Drive(resumed).ResumedAt);

            Assert.Equal(whole.Bytes(), resumed.Bytes());
            Assert.Equal(lines, File.ReadAllText(folder["metrics.jsonl"]));
        }
    }

    [Fact]
    public void A_step_that_stops_while_it_waits_is_saved_like_a_stop_between_steps()
    {
        var whole = new ToyLoop(7, 50, 60);
        Drive(whole, new TrainingDriverOptions { SaveFinished = false });
        File.Delete(folder["metrics.jsonl"]);

        using var stop = new CancellationTokenSource();
        var stopped = Assert.Throws<RunCancelledException>(() => Drive(new ToyLoop(7, 50, 60) { WaitsAt = 21, Waits = () => throw new RunCancelledException("stopped in a step", stop.Token) }, cancellation: stop.Token));
        Assert.StartsWith("Stopped at step 21 of 60", stopped.Message);

        var resumed = new ToyLoop(7, 50, 60);
        Assert.Equal(21, Drive(resumed).ResumedAt);
        Assert.Equal(whole.Bytes(), resumed.Bytes());
    }

    [Fact]
    public void A_finished_loop_is_brought_back_and_not_run_again()
    {
        var whole = new ToyLoop(7, 50, 60, stopBelow: 3);
        var outcome = Drive(whole);
        Assert.InRange(outcome.Steps, 1, 59);

        var again = new ToyLoop(7, 50, 60, stopBelow: 3, onStep: _ => Assert.Fail("it ran again"));
        Assert.Equal(outcome with { ResumedAt = outcome.Steps }, Drive(again));
        Assert.Equal(whole.Bytes(), again.Bytes());
        Assert.Equal(outcome.Steps, Steps());
        Assert.Equal($"note train: stopped after {outcome.Steps} of 60 steps: the smoothed loss fell below 3", seen.Lines[0]);
    }

    [Fact]
    public void Checkpoints_come_at_their_interval()
    {
        var written = new List<long>();
        Drive(new ToyLoop(1, 10, 200, onStep: step =>
        {
            time.Move(TimeSpan.FromSeconds(1));
            // The step before may have saved: its checkpoint is seen now.
            if (File.Exists(folder["checkpoint.safetensors"]) && ReadStep() is var saved && (written.Count == 0 || written[^1] != saved))
                written.Add(saved);
        }));

        Assert.Equal([60, 120, 180], written);
        Assert.Equal(200, ReadStep());

        long ReadStep()
        {
            using var file = Formats.SafetensorsFile.Open(folder["checkpoint.safetensors"]);
            return long.Parse(file.Metadata["step"]);
        }
    }

    [Fact]
    public void Costly_checkpoints_take_at_most_their_share_of_the_time()
    {
        var loop = new Slow(new ToyLoop(1, 10, 2000), time, step: TimeSpan.FromSeconds(1), save: TimeSpan.FromSeconds(4));
        Drive(loop, new TrainingDriverOptions { SaveFinished = false });

        // The first after 60 s, when the cost is not known yet; then every 4 s / 2 % = 200 s.
        Assert.Equal([60, 260, 460, 660, 860, 1060, 1260, 1460, 1660, 1860], loop.Saves);
    }

    [Fact]
    public void A_value_that_is_not_finite_stops_the_run_names_the_step_and_keeps_the_last_good_checkpoint()
    {
        using var stop = new CancellationTokenSource();
        Assert.Throws<RunCancelledException>(() => Drive(new ToyLoop(7, 50, 60, onStep: step => { if (step == 20) stop.Cancel(); }), cancellation: stop.Token));
        var good = File.ReadAllBytes(folder["checkpoint.safetensors"]);

        var failed = Assert.Throws<RunFailedException>(() => Drive(new ToyLoop(7, 50, 60) { BreakAt = 31 }));

        Assert.Equal($"stage 'train': loss is NaN at step 31; try a smaller learning rate or strength. The last good checkpoint is kept in {folder["checkpoint.safetensors"]}.", failed.Message);
        Assert.Equal(good, File.ReadAllBytes(folder["checkpoint.safetensors"]));
        Assert.Equal(30, Steps());
        Assert.Equal(20, Drive(new ToyLoop(7, 50, 60)).ResumedAt);
    }

    [Fact]
    public void A_loop_that_finds_its_own_loss_not_finite_is_told_where_the_checkpoint_is()
    {
        var failed = Assert.Throws<RunFailedException>(() => Drive(new ToyLoop(7, 50, 60, onStep: step => { if (step == 5) throw new RunFailedException("The loss is NaN at step 5, first in encoder.0.weight."); })));
        Assert.Equal("The loss is NaN at step 5, first in encoder.0.weight. No checkpoint had been written yet.", failed.Message);
    }

    [Fact]
    public void A_checkpoint_of_another_digest_is_not_used()
    {
        Drive(new ToyLoop(7, 50, 60));
        Assert.Equal(0, Drive(new ToyLoop(7, 50, 60), job: Job("d2")).ResumedAt);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(100)]
    [InlineData(-9)]
    public void A_damaged_checkpoint_is_not_used_and_the_loop_begins_anew(int at)
    {
        var whole = new ToyLoop(7, 50, 60);
        Drive(whole);
        var bytes = File.ReadAllBytes(folder["checkpoint.safetensors"]);
        bytes[at < 0 ? bytes.Length + at : at] ^= 0x55;
        File.WriteAllBytes(folder["checkpoint.safetensors"], bytes);

        var again = new ToyLoop(7, 50, 60);
        Assert.Equal(0, Drive(again).ResumedAt);

        Assert.Equal(whole.Bytes(), again.Bytes());
        // Damage to the name of a metadata key looks like a checkpoint of another kind, which is passed over in silence.
        Assert.True(at == 100 || seen.Lines.Any(line => line.StartsWith("warning train: the checkpoint is damaged and is not used (", StringComparison.Ordinal)));
    }

    [Fact]
    public void Metrics_are_written_every_so_many_steps_and_at_the_last()
    {
        Drive(new ToyLoop(7, 50, 25), new TrainingDriverOptions { MetricsEvery = 10 });
        Assert.Equal([10, 20, 25], File.ReadLines(folder["metrics.jsonl"]).Select(line => System.Text.Json.Nodes.JsonNode.Parse(line)!["step"]!.GetValue<int>()));
    }

    [Fact]
    public void Progress_tells_rate_and_time_left_and_not_more_than_ten_times_a_second()
    {
        Drive(new ToyLoop(7, 5, 1000, onStep: _ => time.Move(TimeSpan.FromMilliseconds(10))));

        Assert.Equal(101, seen.Reports.Count);
        Assert.Equal(1, seen.Reports[0].Step);
        Assert.Equal((501, 100.0, 4.99), (seen.Reports[50].Step, seen.Reports[50].Rate!.Value, Math.Round(seen.Reports[50].Left!.Value.TotalSeconds, 6)));
        Assert.Equal((1000, 1000, TimeSpan.Zero), (seen.Reports[^1].Step, seen.Reports[^1].Total, seen.Reports[^1].Left));
        Assert.Equal("loss", seen.Reports[^1].Values[0].Name);
    }

    /// <summary>A loop whose steps and saves take time.</summary>
    private sealed class Slow(ITrainingLoop inner, ManualTime time, TimeSpan step, TimeSpan save) : ITrainingLoop
    {
        public List<long> Saves { get; } = [];

        public long Step => inner.Step;

        public long TotalSteps => inner.TotalSteps;

        public bool Finished => inner.Finished;

        public string? StopReason => inner.StopReason;

        public IReadOnlyList<(string Name, double Value)> Advance()
        {
            time.Move(step);
            return inner.Advance();
        }

        public void Save(StateWriter state)
        {
            time.Move(save);
            Saves.Add(Step);
            inner.Save(state);
        }

        public void Load(StateReader state) => inner.Load(state);
    }
}
