namespace Lethe.Torch;

/// <summary>libtorch refused a call.</summary>
public sealed class TorchException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="operation">The operator, for example "aten::mm", with the shapes and dtypes of what it was given.</param>
    /// <param name="reason">What libtorch said.</param>
    public TorchException(string operation, string reason) : base($"{operation}: {reason.Trim()}")
    {
        Operation = operation;
        Reason = reason.Trim();
    }

    /// <summary>The operator with its arguments: name, shapes, dtypes.</summary>
    public string Operation { get; }

    /// <summary>What libtorch said.</summary>
    public string Reason { get; }
}
