using Lethe.Cli.Frame;
using Lethe.Runs;

namespace Lethe.Cli.Tests.Frame;

public sealed class TerminalProgressTests
{
    [Fact]
    public async Task A_terminal_shows_a_bar_with_rate_and_time_left_and_keeps_a_line_for_each_stage_that_is_done()
    {
        using var error = new StringWriter();
        var terminal = new Terminal(TextWriter.Null, error) { ErrorIsTerminal = true, Width = 100 };

        await using (var progress = new TerminalProgress(terminal.ErrorConsole(), TimeProvider.System))
        {
            progress.Estimated(new RunEstimate(TimeSpan.FromSeconds(90), 0, 0, "a trial of 20 steps"));
            progress.StageCached("replay", ArtefactSource.Cache, 12);
            progress.StageStarted("forget");
            progress.Advanced(new StageProgress("forget", null, 250, 1000, 125, TimeSpan.FromSeconds(6), [("loss", 98.5)]));
            // Long enough for the bar to be drawn: it redraws ten times a second.
            await Task.Delay(500);
            progress.Warn("forget", "something [odd]");
            progress.StageFinished("forget", 8);
        }

        var shown = error.ToString();
        Assert.Contains("expected: about 1 min 30 s (a trial of 20 steps)", shown, StringComparison.Ordinal);
        Assert.Contains("replay: taken from the cache, saved 12 s", shown, StringComparison.Ordinal);
        Assert.Contains("25%", shown, StringComparison.Ordinal);
        Assert.Contains("forget: step 250 of 1000, 125 steps/s, 6.0 s left, loss 98.5", shown, StringComparison.Ordinal);
        Assert.Contains("forget: warning: something [odd]", shown, StringComparison.Ordinal);
        Assert.Contains("forget: finished in 8.0 s", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("100%", shown, StringComparison.Ordinal);
    }
}
