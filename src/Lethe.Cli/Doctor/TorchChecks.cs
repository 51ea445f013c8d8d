using System.Globalization;
using Lethe.Torch;

namespace Lethe.Cli.Doctor;

/// <summary>What the tensors stand on: libtorch, the BLAS below it, the GPUs that it can use.</summary>
public static class TorchChecks
{
    // Large enough that BLAS takes its fast path with several threads.
    private const int Size = 512;

    // Rounding of float32 products of this size stays near 1e-6 of the norm; a broken kernel is wrong in the first digits.
    private const double LargestError = 1e-5;

    /// <summary>All of them. Loads libtorch, and compiles the bridge if this libtorch has none yet.</summary>
    /// <param name="threads">Threads for tensor work; null leaves libtorch its own choice.</param>
    public static IReadOnlyList<Finding> Check(int? threads)
    {
        try
        {
            if (threads is { } number)
                Engine.Threads = number;
            var found = Engine.Installation;
            return
            [
                new("libtorch", FindingState.Ok, $"{Engine.Version} from {found.Source}, {found.Libraries}; threads: {Engine.Threads}"),
                Blas(),
                Gpu(),
            ];
        }
        catch (UsageException e)
        {
            return [new("libtorch", FindingState.Missing, "not usable", e.Message)];
        }
    }

    private static Finding Blas()
    {
        var error = Engine.Run(ProductError);
        // What the loader really mapped: the package manager's alternatives only say what it was asked for.
        var loaded = Engine.Run(() => LoadedBlas(File.ReadAllText("/proc/self/maps")));
        var name = loaded.Count == 0 ? "inside libtorch" : string.Join(", ", loaded);
        return error <= LargestError
            ? new("BLAS", FindingState.Ok, string.Create(CultureInfo.InvariantCulture, $"{name}; float32 product is off by {error:E1} of its norm"))
            : new("BLAS", FindingState.Missing, string.Create(CultureInfo.InvariantCulture, $"{name}; float32 product is WRONG by {error:E1} of its norm, at most {LargestError:E0} is rounding"), "Install libopenblas0-openmp, or point LETHE_LIBTORCH at another libtorch.");
    }

    /// <summary>Files of BLAS libraries in a process's memory map, by name.</summary>
    /// <param name="maps">Text of /proc/self/maps.</param>
    public static IReadOnlyList<string> LoadedBlas(string maps) =>
    [
        .. maps.Split('\n')
            .Select(line => line.IndexOf('/', StringComparison.Ordinal) is var path && path >= 0 ? line[path..] : "")
            .Where(path => Path.GetFileName(path) is var file && (file.Contains("blas", StringComparison.Ordinal) || file.StartsWith("libmkl", StringComparison.Ordinal)))
            .Distinct()
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>How far a float32 product is from the float64 one, as a share of its norm.</summary>
    private static double ProductError()
    {
        using var scope = new TensorScope();
        var stream = new RandomStream(1);
        var (a, b) = (Tensor.Randn([Size, Size], stream), Tensor.Randn([Size, Size], stream));
        var exact = a.To(DType.Float64).MatMul(b.To(DType.Float64));
        var difference = a.MatMul(b).To(DType.Float64) - exact;
        return Math.Sqrt(difference.Square().Sum().Item() / exact.Square().Sum().Item());
    }

    private static Finding Gpu() => Engine.CudaDevices is > 0 and var count
        ? new("GPU", FindingState.Ok, $"{count} CUDA {(count == 1 ? "device" : "devices")}")
        : new("GPU", FindingState.Ok, "none; everything runs on the processor");
}
