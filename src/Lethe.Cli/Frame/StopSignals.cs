using System.Runtime.InteropServices;

namespace Lethe.Cli.Frame;

/// <summary>
/// Turns Ctrl-C, a polite kill and a closed terminal into a cancellation that work notices at its next step boundary. A second Ctrl-C
/// ends the process at once.
/// </summary>
public sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource source = new();
    private readonly PosixSignalRegistration[] registrations;

    /// <summary>Listens from now on.</summary>
    /// <param name="error">Where the first signal is acknowledged.</param>
    public StopSignals(TextWriter error)
    {
        registrations = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP }.Select(signal => PosixSignalRegistration.Create(signal, context =>
        {
            if (source.IsCancellationRequested)
                return;
            context.Cancel = true;
            // Acknowledged before the work can end, so that this line never follows the last one.
            error.WriteLine("stopping at the next step; once more to stop at once");
            source.Cancel();
        }))];
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => source.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var registration in registrations)
            registration.Dispose();
        source.Dispose();
    }
}
