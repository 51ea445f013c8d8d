namespace Lethe.Cli.Frame;

/// <summary>The exit codes of the command line; docs/cli.md lists them for users. Errors carry their own (<see cref="Torch.LetheException.ExitCode"/>).</summary>
public static class ExitCodes
{
    /// <summary>Everything was done.</summary>
    public const int Ok = 0;

    /// <summary>Something failed that ought to have worked.</summary>
    public const int Unexpected = 1;

    /// <summary>Wrong usage or configuration.</summary>
    public const int Usage = 2;

    /// <summary>Bad input: a file that is missing, damaged or hostile.</summary>
    public const int BadInput = 3;

    /// <summary>Stopped by Ctrl-C, a kill or a closed terminal: 128 + SIGINT, as shells report it.</summary>
    public const int Cancelled = 130;
}
