using Lethe.Runs;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Lethe.Cli.Frame;

/// <summary>
/// Progress on a terminal: a bar with rate and time left for the stage that computes, below a line for each stage that is done. The bar
/// redraws itself beside the work, so that telling it something costs the work next to nothing. In words it says what
/// <see cref="PlainProgress"/> says.
/// </summary>
public sealed class TerminalProgress : IProgressSink, IAsyncDisposable
{
    private readonly IAnsiConsole console;
    private readonly TimeProvider time;
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task drawing;
    private readonly ProgressContext bars;
    private ProgressTask? bar;
    private volatile StageProgress? latest;

    /// <summary>Begins to draw.</summary>
    /// <param name="console">The terminal.</param>
    /// <param name="time">Clock.</param>
    public TerminalProgress(IAnsiConsole console, TimeProvider time)
    {
        this.console = console;
        this.time = time;
        var started = new TaskCompletionSource<ProgressContext>(TaskCreationOptions.RunContinuationsAsynchronously);
        drawing = console.Progress().AutoClear(true).HideCompleted(true).Columns(new ProgressBarColumn { Width = 24 }, new PercentageColumn(), new WordsColumn(this))
            .StartAsync(async context =>
            {
                started.SetResult(context);
                await ended.Task;
            });
        bars = started.Task.GetAwaiter().GetResult();
    }

    /// <inheritdoc/>
    public void Estimated(RunEstimate estimate) => Lines(words => words.Estimated(estimate));

    /// <inheritdoc/>
    public void StageStarted(string stage) => Begin(stage);

    /// <inheritdoc/>
    public void StageCached(string stage, ArtefactSource source, double seconds) => Lines(words => words.StageCached(stage, source, seconds));

    /// <inheritdoc/>
    public void StageFinished(string stage, double seconds)
    {
        End();
        Lines(words => words.StageFinished(stage, seconds));
    }

    /// <inheritdoc/>
    public void Advanced(StageProgress progress)
    {
        bar ??= Begin(progress.Stage);
        latest = progress;
        bar.MaxValue = Math.Max(1, progress.Total);
        // A bar that is full would count as completed and vanish; its stage may have more to do.
        bar.Value = Math.Min(progress.Step, 0.999 * bar.MaxValue);
        bar.IsIndeterminate = false;
    }

    /// <inheritdoc/>
    public void Note(string stage, string text) => Lines(words => words.Note(stage, text));

    /// <inheritdoc/>
    public void Warn(string stage, string text) => Lines(words => words.Warn(stage, text), new Style(Color.Yellow));

    /// <summary>Takes the bar away and stops drawing.</summary>
    public async ValueTask DisposeAsync()
    {
        End();
        ended.TrySetResult();
        await drawing;
    }

    private ProgressTask Begin(string stage)
    {
        End();
        latest = null;
        bar = bars.AddTask(stage);
        bar.IsIndeterminate = true;
        return bar;
    }

    private void End()
    {
        bar?.StopTask();
        bar = null;
    }

    private void Lines(Action<PlainProgress> tell, Style? style = null)
    {
        using var text = new StringWriter();
        tell(new PlainProgress(text, time));
        console.Write(new Text(text.ToString(), style));
    }

    private sealed class WordsColumn(TerminalProgress progress) : ProgressColumn
    {
        protected override bool NoWrap => true;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(progress.latest is { } latest ? PlainProgress.Words(latest) : task.Description).Overflow(Overflow.Ellipsis);
    }
}
