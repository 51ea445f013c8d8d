namespace Lethe.Runs;

/// <summary>The user stopped a run; everything done so far is saved. The command line ends with exit code 130.</summary>
/// <param name="message">Where it stopped and how to resume, for the user.</param>
/// <param name="cancellation">What asked for the stop.</param>
public sealed class RunCancelledException(string message, CancellationToken cancellation) : OperationCanceledException(message, cancellation);
