namespace Lethe.Torch;

/// <summary>What the engine stands on, for doctor and for the record of a run.</summary>
/// <param name="Version">Version that libtorch reports.</param>
/// <param name="Source">How libtorch was found: "LETHE_LIBTORCH", "python" or "system".</param>
/// <param name="Library">The file that was loaded, links followed.</param>
/// <param name="Bridge">The compiled bridge.</param>
/// <param name="Threads">Threads that one operator may use.</param>
/// <param name="Blas">Libraries of linear algebra that are really loaded; empty where libtorch brings its own inside.</param>
/// <param name="OpenMp">OpenMP runtimes that are loaded; more than one means more than one pool of threads.</param>
/// <param name="ProductError">Largest error of a float32 matrix product against float64, relative to the largest element; around 1e-7 where all is well.</param>
/// <param name="CudaDevices">CUDA devices that can be used.</param>
/// <param name="CudaProblem">Why there is none; null if there is one.</param>
/// <param name="MissingOperators">Operators that Lethe uses and this libtorch lacks or has with another schema.</param>
public sealed record EngineDiagnostics(
    string Version, string Source, string Library, string Bridge, int Threads, IReadOnlyList<string> Blas, IReadOnlyList<string> OpenMp,
    double ProductError, int CudaDevices, string? CudaProblem, IReadOnlyList<string> MissingOperators)
{
    /// <summary>The largest <see cref="ProductError"/> of a sound BLAS.</summary>
    public const double AllowedProductError = 1e-5;

    internal static EngineDiagnostics Collect()
    {
        var installation = Engine.Installation;
        var loaded = LoadedLibraries();
        return new EngineDiagnostics(
            Engine.Version, installation.Source, installation.RealLibrary, loaded.FirstOrDefault(path => Path.GetFileName(path) == "liblethe_torch.so") ?? "", Engine.Threads,
            [.. loaded.Where(path => Path.GetFileName(path) is var name && (name.Contains("blas", StringComparison.Ordinal) || name.Contains("mkl", StringComparison.Ordinal)))],
            [.. loaded.Where(path => Path.GetFileName(path) is var name && (name.StartsWith("libgomp", StringComparison.Ordinal) || name.StartsWith("libiomp", StringComparison.Ordinal) || name.StartsWith("libomp", StringComparison.Ordinal)))],
            MeasureProductError(), Engine.CudaDevices, Engine.CudaProblem, Engine.MissingOperators());
    }

    // The maps name the files behind all links: what is loaded, not what was asked for.
    private static List<string> LoadedLibraries() =>
        [.. File.ReadLines("/proc/self/maps").Select(line => line.IndexOf('/') is var at and >= 0 ? line[at..] : "").Where(path => path.Contains(".so", StringComparison.Ordinal)).Distinct().Order(StringComparer.Ordinal)];

    private static double MeasureProductError()
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        using var random = new RandomStream(1);
        var (a, b) = (Tensor.Randn([256, 256], random), Tensor.Randn([256, 256], random));
        var exact = a.To(DType.Float64).Mm(b.To(DType.Float64));
        return (a.Mm(b).To(DType.Float64) - exact).Abs().Max().Item() / exact.Abs().Max().Item();
    }
}
