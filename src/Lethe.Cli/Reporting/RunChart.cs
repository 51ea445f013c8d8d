using Lethe.Formats;
using Lethe.Reports;
using Lethe.Runs;
using Lethe.Torch;

namespace Lethe.Cli.Reporting;

/// <summary>The picture of a training run's curves, beside its result.</summary>
public static class RunChart
{
    /// <summary>Its name in the run's folder.</summary>
    public const string FileName = "loss.svg";

    /// <summary>Writes it.</summary>
    /// <param name="paths">The run.</param>
    /// <param name="result">What it found; has curves.</param>
    /// <returns>The file.</returns>
    /// <exception cref="UsageException">It cannot be written.</exception>
    public static string Write(RunPaths paths, TrainResult result)
    {
        var file = Path.Combine(paths.Root, FileName);
        AtomicFile.WriteAllText(file, TrainChart.Render(result.Title, result.Curves()));
        return file;
    }
}
