namespace Lethe.Runs;

/// <summary>What a run asks of the machine before it begins; given from outside, so that a full disk can be tried.</summary>
public interface IMachine
{
    /// <summary>Bytes that this user may still write on the file system of a folder.</summary>
    /// <param name="folder">An existing folder.</param>
    long FreeDisk(string folder);

    /// <summary>Bytes of memory that this process may use, under the limits of its container.</summary>
    long Memory { get; }
}

/// <summary>The machine that Lethe runs on.</summary>
public sealed class ThisMachine : IMachine
{
    /// <summary>The one machine.</summary>
    public static ThisMachine Instance { get; } = new();

    private ThisMachine() { }

    /// <inheritdoc/>
    public long FreeDisk(string folder) => new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;

    /// <inheritdoc/>
    public long Memory => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
}
