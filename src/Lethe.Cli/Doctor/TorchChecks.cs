using System.Globalization;
using Lethe.Torch;

namespace Lethe.Cli.Doctor;

/// <summary>What the tensors stand on: libtorch, the BLAS and OpenMP below it, the GPUs that it can use.</summary>
public static class TorchChecks
{
    /// <summary>All of them. Loads libtorch, and compiles the bridge if this libtorch has none yet.</summary>
    /// <param name="threads">Threads for tensor work.</param>
    public static IReadOnlyList<Finding> Check(int threads)
    {
        try
        {
            Engine.Threads = threads;
            return Judge(Engine.Diagnostics());
        }
        catch (UsageException e)
        {
            return [new("libtorch", FindingState.Missing, "not usable", e.Message)];
        }
    }

    /// <summary>What the engine's facts mean.</summary>
    public static IReadOnlyList<Finding> Judge(EngineDiagnostics facts) => [Libtorch(facts), Operators(facts), Blas(facts), OpenMp(facts), Gpu(facts)];

    private static Finding Libtorch(EngineDiagnostics facts) =>
        new("libtorch", FindingState.Ok, $"{facts.Version} ({facts.Source}): {facts.Library}; threads: {facts.Threads}");

    private static Finding Operators(EngineDiagnostics facts) => facts.MissingOperators.Count == 0
        ? new("operators", FindingState.Ok, "all that Lethe uses are there")
        : new("operators", FindingState.Missing, $"missing or different: {string.Join(", ", facts.MissingOperators)}", "Point LETHE_LIBTORCH at libtorch 1.13 or newer.");

    private static Finding Blas(EngineDiagnostics facts)
    {
        var name = facts.Blas.Count == 0 ? "inside libtorch" : string.Join(", ", facts.Blas);
        return facts.ProductError <= EngineDiagnostics.AllowedProductError
            ? new("BLAS", FindingState.Ok, string.Create(CultureInfo.InvariantCulture, $"{name}; float32 products are right to {facts.ProductError:0.0e-0}"))
            : new("BLAS", FindingState.Missing, string.Create(CultureInfo.InvariantCulture, $"{name}; float32 products are WRONG by {facts.ProductError:0.0e-0} of the largest element, {EngineDiagnostics.AllowedProductError:0e-0} would be rounding"), "Install libopenblas0-openmp, or point LETHE_LIBTORCH at another libtorch.");
    }

    private static Finding OpenMp(EngineDiagnostics facts)
    {
        var name = facts.OpenMp.Count == 0 ? "none" : string.Join(", ", facts.OpenMp);
        return facts.OpenMp.Count <= 1
            ? new("OpenMP", FindingState.Ok, name)
            : new("OpenMP", FindingState.Warning, name, "Two pools of threads get in each other's way: install libopenblas0-openmp, and unset LD_PRELOAD if it names one of these.");
    }

    private static Finding Gpu(EngineDiagnostics facts) => facts.CudaDevices > 0
        ? new("GPU", FindingState.Ok, $"{facts.CudaDevices} CUDA {(facts.CudaDevices == 1 ? "device" : "devices")}")
        : new("GPU", FindingState.Ok, $"none ({facts.CudaProblem}); everything runs on the processor");
}
