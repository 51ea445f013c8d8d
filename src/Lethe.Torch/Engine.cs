using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using System.Runtime.Intrinsics.X86;
using Lethe.Torch.Native;

namespace Lethe.Torch;

/// <summary>
/// The one thread that makes all libtorch calls. Each calling thread would grow an OpenMP pool of its own, and grad mode is kept by
/// thread; so there is one, with a large stack, and everything that touches a tensor runs on it.
/// </summary>
public static class Engine
{
    private static readonly BlockingCollection<Action> Work = [];
    private static readonly Lock Starting = new();
    private static Thread? thread;
    private static LibtorchInstallation? installation;

    [ThreadStatic]
    private static bool isEngineThread;

    /// <summary>Whether the calling thread is the torch thread.</summary>
    public static bool OnEngineThread => isEngineThread;

    /// <summary>The libtorch in use. Starts the engine.</summary>
    public static LibtorchInstallation Installation
    {
        get
        {
            Run(() => { });
            return installation!;
        }
    }

    /// <summary>Version that libtorch reports, for example "1.13.1". Starts the engine.</summary>
    public static string Version => Run(() => Bridge.Version);

    /// <summary>Whether the processor multiplies matrices of bfloat16 by instructions of its own (AVX-512 BF16, AMX), about twice as fast as float32. Known of x86 only.</summary>
    public static bool HasBfloat16Products { get; } = X86Base.IsSupported && X86Base.CpuId(0, 0).Eax >= 7
        && ((X86Base.CpuId(7, 1).Eax & 1 << 5) != 0 && Avx512F.IsSupported || (X86Base.CpuId(7, 0).Edx & 1 << 22) != 0);

    /// <summary>Threads that one operator may use. Starts the engine.</summary>
    public static unsafe int Threads
    {
        get => Run(() => Bridge.Threads());
        set
        {
            if (value < 1)
                throw new UsageException($"--threads is {value}; it must be 1 or more.");
            Run(() => Bridge.Check(Bridge.SetThreads(value), "set_num_threads"));
        }
    }

    /// <summary>Number of CUDA devices that libtorch can use; 0 without CUDA. Starts the engine.</summary>
    public static unsafe int CudaDevices => Run(() => Bridge.CudaDevices());

    /// <summary>Why no CUDA device can be used; null if one can. Starts the engine.</summary>
    public static string? CudaProblem => CudaDevices > 0 ? null : Run(() => Bridge.CudaProblem) ?? $"libtorch {Version} finds no CUDA device on this machine";

    /// <summary>Refuses a device that is not there. Starts the engine.</summary>
    /// <exception cref="UsageException">The device cannot be used; the message says why.</exception>
    public static void Require(Device device)
    {
        if (device.Kind == "cpu")
            return;
        if (CudaProblem is { } problem)
            throw new UsageException($"--device is '{device}', and {problem}. Use --device cpu, or point LETHE_LIBTORCH at a libtorch with CUDA.");
        if (device.Index >= CudaDevices)
            throw new UsageException($"--device is '{device}'; this machine has CUDA devices 0 to {CudaDevices - 1}.");
    }

    /// <summary>Operators that Lethe uses and this libtorch lacks or has with another schema, a sentence each; empty where all is well. Starts the engine.</summary>
    public static IReadOnlyList<string> MissingOperators() => Run(OperatorManifest.Problems);

    /// <summary>What the engine stands on: libtorch, BLAS, threads, devices. Starts the engine and multiplies two small matrices.</summary>
    public static EngineDiagnostics Diagnostics() => Run(EngineDiagnostics.Collect);

    /// <summary>Runs on the torch thread and waits; inside it, runs at once. Exceptions come back as they were thrown.</summary>
    /// <exception cref="UsageException">There is no libtorch, or the bridge does not compile.</exception>
    public static void Run(Action action) => Run(() => { action(); return 0; });

    /// <summary>Runs on the torch thread and waits for the value; inside it, runs at once.</summary>
    /// <exception cref="UsageException">There is no libtorch, or the bridge does not compile.</exception>
    public static T Run<T>(Func<T> function)
    {
        if (isEngineThread)
            return function();
        Start();
        var result = default(T)!;
        ExceptionDispatchInfo? failure = null;
        using var done = new ManualResetEventSlim();
        Work.Add(() =>
        {
            try
            {
                result = function();
            }
            catch (Exception error)
            {
                failure = ExceptionDispatchInfo.Capture(error);
            }
            finally
            {
                done.Set();
            }
        });
        done.Wait();
        failure?.Throw();
        return result;
    }

    internal static void Verify()
    {
        if (!isEngineThread)
            throw new InvalidOperationException("Tensors are used on the torch thread only: wrap the call in Engine.Run.");
    }

    private static void Start()
    {
        lock (Starting)
        {
            if (thread is not null)
                return;
            var found = Libtorch.Find();
            var bridge = BridgeBuild.Ensure(found);
            using var loaded = new ManualResetEventSlim();
            ExceptionDispatchInfo? failure = null;
            var starting = new Thread(() =>
            {
                isEngineThread = true;
                try
                {
                    Bridge.Load(found, bridge);
                }
                catch (Exception error)
                {
                    failure = ExceptionDispatchInfo.Capture(error);
                }
                loaded.Set();
                if (failure is null)
                    foreach (var action in Work.GetConsumingEnumerable())
                        action();
            }, maxStackSize: 256 << 20)
            { IsBackground = true, Name = "torch" };
            starting.Start();
            loaded.Wait();
            failure?.Throw();
            installation = found;
            thread = starting;
        }
    }
}
