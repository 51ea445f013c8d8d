using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
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
