using System.Runtime.InteropServices;
using System.Text;

namespace Lethe.Torch.Native;

/// <summary>The exports of the compiled bridge. Loaded by <see cref="Engine"/> on the torch thread before anything else.</summary>
internal static unsafe class Bridge
{
    private static delegate* unmanaged<byte*> error;

    public static delegate* unmanaged<byte*, byte*, nint> Find;
    public static delegate* unmanaged<nint, byte*, int, int> Schema;
    public static delegate* unmanaged<nint, NativeValue*, int, NativeValue*, int, int*, int> Call;
    public static delegate* unmanaged<nint, void> Free;
    public static delegate* unmanaged<nint, void> TensorRelease;
    public static delegate* unmanaged<nint, NativeDescription*, int> TensorDescribe;
    public static delegate* unmanaged<void*, long*, int, int, nint> TensorOver;
    public static delegate* unmanaged<nint, int, int> RequiresGrad;
    public static delegate* unmanaged<nint, nint*, int> Gradient;
    public static delegate* unmanaged<nint, nint, int> SetGradient;
    public static delegate* unmanaged<int> GradMode;
    public static delegate* unmanaged<int, void> SetGradMode;
    public static delegate* unmanaged<nint, nint, int, int, int> Backward;
    public static delegate* unmanaged<nint*, int, nint*, int, nint*, int, int, int, int, nint*, int> Grad;
    public static delegate* unmanaged<nint*, nint*, nint*, nint*, nint*, int, NativeAdamStep*, int> Adam;
    public static delegate* unmanaged<nint*, nint*, nint*, nint*, int, double, int> Pull;
    public static delegate* unmanaged<byte*, ulong, nint> GeneratorNew;
    public static delegate* unmanaged<nint, void> GeneratorFree;
    public static delegate* unmanaged<nint, nint*, int> GeneratorState;
    public static delegate* unmanaged<nint, nint, int> GeneratorRestore;
    public static delegate* unmanaged<int> Threads;
    public static delegate* unmanaged<int, int> SetThreads;
    public static delegate* unmanaged<int> CudaDevices;
    public static delegate* unmanaged<int> ValueSize;
    public static delegate* unmanaged<int> DescriptionSize;
    public static delegate* unmanaged<int> AdamStepSize;

    /// <summary>The version that libtorch itself reports.</summary>
    public static string Version { get; private set; } = "";

    /// <summary>Why there is no CUDA; null where libtorch_cuda is loaded.</summary>
    public static string? CudaProblem { get; private set; }

    /// <summary>Loads libtorch and the bridge; sets what must be set before OpenMP starts.</summary>
    public static void Load(LibtorchInstallation libtorch, string bridge)
    {
        // OpenMP reads its environment when it is loaded. setenv, because Environment.SetEnvironmentVariable does not reach native code.
        // Waiting threads that spin steal the time of those that compute wherever cores are shared; overwrite 0 keeps a user's own choice.
        setenv("OMP_WAIT_POLICY", "passive", 0);
        // The pthread build of OpenBLAS would keep a pool of its own beside OpenMP's: load the OpenMP build first, by its path.
        var system = Path.GetDirectoryName(libtorch.RealLibrary)!;
        foreach (var name in (string[])["libblas.so.3", "liblapack.so.3"])
            if (Path.Combine(system, "openblas-openmp", name) is var blas && File.Exists(blas) && LoadGlobally(blas) is { } blasProblem)
                throw new UsageException(blasProblem);
        if (LoadGlobally(libtorch.Library) is { } problem)
            throw new UsageException(problem);
        // A libtorch with CUDA still serves on a machine without: what needs a device asks Engine.Require.
        var cuda = Path.Combine(libtorch.Libraries, "libtorch_cuda.so");
        CudaProblem = File.Exists(cuda) ? LoadGlobally(cuda) : $"libtorch {libtorch.Version} in '{libtorch.Libraries}' is built without CUDA";
        var library = NativeLibrary.Load(bridge);
        nint Export(string name) => NativeLibrary.GetExport(library, name);
        error = (delegate* unmanaged<byte*>)Export("lt_error");
        Find = (delegate* unmanaged<byte*, byte*, nint>)Export("lt_find");
        Schema = (delegate* unmanaged<nint, byte*, int, int>)Export("lt_schema");
        Call = (delegate* unmanaged<nint, NativeValue*, int, NativeValue*, int, int*, int>)Export("lt_call");
        Free = (delegate* unmanaged<nint, void>)Export("lt_free");
        TensorRelease = (delegate* unmanaged<nint, void>)Export("lt_tensor_release");
        TensorDescribe = (delegate* unmanaged<nint, NativeDescription*, int>)Export("lt_tensor_describe");
        TensorOver = (delegate* unmanaged<void*, long*, int, int, nint>)Export("lt_tensor_over");
        RequiresGrad = (delegate* unmanaged<nint, int, int>)Export("lt_requires_grad");
        Gradient = (delegate* unmanaged<nint, nint*, int>)Export("lt_gradient");
        SetGradient = (delegate* unmanaged<nint, nint, int>)Export("lt_set_gradient");
        GradMode = (delegate* unmanaged<int>)Export("lt_grad_mode");
        SetGradMode = (delegate* unmanaged<int, void>)Export("lt_set_grad_mode");
        Backward = (delegate* unmanaged<nint, nint, int, int, int>)Export("lt_backward");
        Grad = (delegate* unmanaged<nint*, int, nint*, int, nint*, int, int, int, int, nint*, int>)Export("lt_grad");
        Adam = (delegate* unmanaged<nint*, nint*, nint*, nint*, nint*, int, NativeAdamStep*, int>)Export("lt_adam");
        Pull = (delegate* unmanaged<nint*, nint*, nint*, nint*, int, double, int>)Export("lt_pull");
        GeneratorNew = (delegate* unmanaged<byte*, ulong, nint>)Export("lt_generator_new");
        GeneratorFree = (delegate* unmanaged<nint, void>)Export("lt_generator_free");
        GeneratorState = (delegate* unmanaged<nint, nint*, int>)Export("lt_generator_state");
        GeneratorRestore = (delegate* unmanaged<nint, nint, int>)Export("lt_generator_restore");
        Threads = (delegate* unmanaged<int>)Export("lt_threads");
        SetThreads = (delegate* unmanaged<int, int>)Export("lt_set_threads");
        CudaDevices = (delegate* unmanaged<int>)Export("lt_cuda_devices");
        ValueSize = (delegate* unmanaged<int>)Export("lt_value_size");
        DescriptionSize = (delegate* unmanaged<int>)Export("lt_description_size");
        AdamStepSize = (delegate* unmanaged<int>)Export("lt_adam_step_size");
        Version = Marshal.PtrToStringUTF8((nint)((delegate* unmanaged<byte*>)Export("lt_version"))())!;
    }

    /// <summary>What went wrong in the last call that failed on this thread.</summary>
    public static string LastError() => Marshal.PtrToStringUTF8((nint)error()) ?? "unknown error";

    /// <summary>Throws if a call returned −1.</summary>
    public static void Check(int code, string what)
    {
        if (code != 0)
            throw new TorchException(what, LastError());
    }

    /// <summary>Throws if a call on tensors returned −1. The tensors' finalisers cannot run before this.</summary>
    public static void Check(int code, string what, Tensor tensor, Tensor? other = null)
    {
        if (code != 0)
            throw new TorchException($"{what}({tensor.Describe()}{(other is null ? "" : ", " + other.Describe())})", LastError());
        GC.KeepAlive(tensor);
        GC.KeepAlive(other);
    }

    /// <summary>Null, or why the library cannot be loaded.</summary>
    private static string? LoadGlobally(string path)
    {
        const int Now = 2, Global = 0x100;
        return dlopen(path, Now | Global) != 0 ? null : $"'{path}' cannot be loaded: {Marshal.PtrToStringUTF8(dlerror())}";
    }

    private static int setenv(string name, string value, int overwrite)
    {
        fixed (byte* n = Encoding.UTF8.GetBytes(name + '\0'), v = Encoding.UTF8.GetBytes(value + '\0'))
            return setenv(n, v, overwrite);
    }

    private static nint dlopen(string path, int flags)
    {
        fixed (byte* p = Encoding.UTF8.GetBytes(path + '\0'))
            return dlopen(p, flags);
    }

    [DllImport("libc", EntryPoint = "setenv")]
    private static extern int setenv(byte* name, byte* value, int overwrite);

    [DllImport("libc", EntryPoint = "dlopen")]
    private static extern nint dlopen(byte* path, int flags);

    [DllImport("libc", EntryPoint = "dlerror")]
    private static extern nint dlerror();
}
