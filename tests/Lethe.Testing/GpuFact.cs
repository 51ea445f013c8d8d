using Lethe.Torch;
using Xunit.Sdk;

namespace Lethe.Testing;

/// <summary>A test that needs a CUDA device, runs on the torch thread and is skipped where there is none. Its class has the trait category = gpu.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("Lethe.Testing.TorchFactDiscoverer", "Lethe.Testing")]
public sealed class GpuFactAttribute : TorchFactAttribute
{
    /// <summary>Why the test is skipped.</summary>
    public const string Missing = "needs a CUDA device";

    private static readonly bool There = HasDevice();

    /// <summary>Skips where there is no device.</summary>
    public GpuFactAttribute()
    {
        if (!There)
            Skip = Missing;
    }

    private static bool HasDevice()
    {
        try
        {
            return Engine.CudaDevices > 0;
        }
        catch (UsageException)
        {
            // No libtorch at all: the other tests say so.
            return false;
        }
    }
}
