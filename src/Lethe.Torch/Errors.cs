namespace Lethe.Torch;

/// <summary>An error that a user can act on: one sentence that says what was wrong, what was allowed and what to do.</summary>
public abstract class LetheException : Exception
{
    /// <summary>Makes the error.</summary>
    protected LetheException(string message, Exception? inner = null) : base(message, inner) { }

    /// <summary>The exit code of the command line that ends with this error; documented in docs/cli.md.</summary>
    public abstract int ExitCode { get; }
}

/// <summary>Wrong usage or configuration: an unknown key, an option out of range. Exit code 2.</summary>
public sealed class UsageException(string message, Exception? inner = null) : LetheException(message, inner)
{
    /// <inheritdoc/>
    public override int ExitCode => 2;
}

/// <summary>Bad input: a file that is missing, damaged, hostile or of another shape than expected. Exit code 3.</summary>
public sealed class BadInputException(string message, Exception? inner = null) : LetheException(message, inner)
{
    /// <inheritdoc/>
    public override int ExitCode => 3;
}

/// <summary>Something that ought to work and did not, such as a loss that is not finite. Exit code 1.</summary>
public sealed class RunFailedException(string message, Exception? inner = null) : LetheException(message, inner)
{
    /// <inheritdoc/>
    public override int ExitCode => 1;
}
