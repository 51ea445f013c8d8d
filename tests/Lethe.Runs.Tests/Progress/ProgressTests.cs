namespace Lethe.Runs.Tests.Progress;

public sealed class ProgressTests
{
    private readonly ManualTime time = new();

    [Fact]
    public void Plain_progress_writes_a_line_every_few_seconds()
    {
        var text = new StringWriter { NewLine = "\n" };
        var progress = new PlainProgress(text, time);
        progress.StageStarted("train");
        var rate = new RateMeter(time, 0);
        for (var step = 1; step <= 12; step++)
        {
            time.Move(TimeSpan.FromSeconds(1));
            progress.Advanced(rate.Progress("train", null, step, 100, [("loss", 1.0 / step)]));
        }
        progress.StageFinished("train", 12.3);
        progress.StageCached("fisher", ArtefactSource.Cache, 125);
        progress.StageCached("judge", ArtefactSource.Run, 0.04);
        progress.Note("forget", "stopped after 3 steps");
        progress.Warn("forget", "damaged");

        Assert.Equal("""
            train: started
            train: step 5 of 100, 1.0 steps/s, 1 min 35 s left, loss 0.2
            train: step 10 of 100, 1.0 steps/s, 1 min 30 s left, loss 0.1
            train: finished in 12 s
            fisher: taken from the cache, saved 2 min 05 s
            judge: taken from this run, saved 0.0 s
            forget: stopped after 3 steps
            forget: warning: damaged

            """, text.ToString());
    }

    [Fact]
    public void The_rate_follows_the_last_half_minute()
    {
        var rate = new RateMeter(time, 100);
        Assert.Null(rate.Progress("s", null, 100, 200, []).Rate);
        StageProgress last = rate.Progress("s", null, 100, 200, []);
        for (var second = 1; second <= 60; second++)
        {
            time.Move(TimeSpan.FromSeconds(1));
            last = rate.Progress("s", "part", 100 + (second <= 20 ? second : 20 + 3 * (second - 20)), 1000, []);
        }

        Assert.Equal(3.0, last.Rate!.Value, 6);
        Assert.Equal((1000 - 240) / 3.0, last.Left!.Value.TotalSeconds, 3);
        Assert.Equal("s (part): step 240 of 1000, 3.0 steps/s, 4 min 13 s left", PlainProgress.Words(last));
        Assert.Equal("s (part): step 240 of 1000, 6,144 tokens/s, 4 min 13 s left", PlainProgress.Words(last with { Work = ("tokens", 2048) }));
    }

    [Fact]
    public void The_time_left_counts_the_waits_between_bursts_of_steps()
    {
        // 100 s of filling a buffer, then 10 steps of 2 s out of it, again and again: 12 s a step on average.
        var rate = new RateMeter(time, 0);
        var step = 0;
        StageProgress last = rate.Progress("s", null, 0, 1000, []);
        for (var burst = 0; burst < 8; burst++)
        {
            time.Move(TimeSpan.FromSeconds(100));
            for (var k = 0; k < 10; k++)
            {
                time.Move(TimeSpan.FromSeconds(2));
                last = rate.Progress("s", null, ++step, 1000, []);
            }
        }
        Assert.InRange(last.Left!.Value.TotalSeconds, 0.7 * 12 * 920, 1.3 * 12 * 920);
    }

    [Fact]
    public void Slow_steps_are_given_in_seconds_and_endless_ones_not_at_all()
    {
        var rate = new RateMeter(time, 0);
        time.Move(TimeSpan.FromSeconds(4));
        Assert.Equal("s: step 1 of 3, 4.0 s/step, 8.0 s left", PlainProgress.Words(rate.Progress("s", null, 1, 3, [])));
        time.Move(TimeSpan.FromDays(300));
        Assert.Null(rate.Progress("s", null, 1, long.MaxValue, []).Left);
    }

    [Theory]
    [InlineData(0.04, "0.0 s")]
    [InlineData(9.94, "9.9 s")]
    [InlineData(9.96, "10 s")]
    [InlineData(59.4, "59 s")]
    [InlineData(59.6, "1 min 00 s")]
    [InlineData(3599.4, "59 min 59 s")]
    [InlineData(7500, "2 h 05 min")]
    public void Durations_are_written_for_people(double seconds, string words) => Assert.Equal(words, PlainProgress.Duration(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void An_estimate_of_nothing_says_so() =>
        Assert.Equal("expected: unknown (first run)", PlainProgress.Words(new RunEstimate(null, 0, 0, "first run")));
}
