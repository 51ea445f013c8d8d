using Lethe.Runs;

namespace Lethe.Cli.Frame;

/// <summary>How the progress of a run is shown, and what ends the showing.</summary>
public sealed class ProgressDisplay(IProgressSink sink, IAsyncDisposable? drawing) : IAsyncDisposable
{
    /// <summary>Who is told.</summary>
    public IProgressSink Sink => sink;

    /// <summary>The display for a call: bars where stderr is a terminal, lines elsewhere, nothing with <c>--quiet</c>.</summary>
    public static ProgressDisplay For(Call call)
    {
        if (call.Global.Quiet)
            return new(SilentProgress.Instance, null);
        if (!call.Terminal.ErrorIsTerminal)
            return new(new PlainProgress(call.Terminal.Error, TimeProvider.System), null);
        var bars = new TerminalProgress(call.Terminal.ErrorConsole(), TimeProvider.System);
        return new(bars, bars);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => drawing?.DisposeAsync() ?? ValueTask.CompletedTask;
}
