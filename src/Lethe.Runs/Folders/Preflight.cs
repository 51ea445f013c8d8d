using Lethe.Torch;

namespace Lethe.Runs;

/// <summary>What is checked and shown before long work.</summary>
public static class Preflight
{
    /// <summary>Shows an estimate, and refuses work that this machine has no memory or disk for.</summary>
    /// <param name="estimate">What the run is expected to take.</param>
    /// <param name="runFolder">Where it writes.</param>
    /// <param name="machine">What is asked.</param>
    /// <param name="progress">Who is shown the estimate.</param>
    /// <exception cref="UsageException">The disk or the memory is too small.</exception>
    public static void Check(RunEstimate estimate, string runFolder, IMachine machine, IProgressSink progress)
    {
        progress.Estimated(estimate);
        if (estimate.MemoryBytes > machine.Memory)
            throw new UsageException($"this run needs about {ByteSize.Words(estimate.MemoryBytes)} of memory and the machine gives {ByteSize.Words(machine.Memory)}; use a smaller batch, or a machine with more.");
        RunFolder.CheckDisk(runFolder, estimate.DiskBytes - FolderTree.Size(runFolder), machine);
    }
}
