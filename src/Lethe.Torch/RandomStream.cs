using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Lethe.Torch.Native;

namespace Lethe.Torch;

/// <summary>
/// A source of random numbers that is passed, never assumed: seed in, named sub-streams out. Two streams made from the same seed and
/// names draw the same numbers; sub-streams are independent of how much their parent has drawn.
/// </summary>
public sealed unsafe class RandomStream : IDisposable
{
    private nint handle;

    /// <summary>A stream for a device.</summary>
    /// <param name="seed">Any number. On the CPU the lower 32 bits count, as in torch.manual_seed.</param>
    /// <param name="device">Where the numbers are drawn; the CPU by default.</param>
    public RandomStream(ulong seed, Device? device = null)
    {
        Engine.Verify();
        Seed = seed;
        Device = device ?? Device.Cpu;
        fixed (byte* name = Encoding.UTF8.GetBytes(Device + "\0"))
            handle = Bridge.GeneratorNew(name, seed);
        if (handle == 0)
            throw new TorchException($"generator on {Device}", Bridge.LastError());
    }

    /// <summary>Frees the generator.</summary>
    ~RandomStream() => Dispose();

    /// <summary>What the stream was made from.</summary>
    public ulong Seed { get; }

    /// <summary>Where the numbers are drawn.</summary>
    public Device Device { get; }

    internal nint Handle => handle != 0 ? handle : throw new ObjectDisposedException(nameof(RandomStream));

    /// <summary>A stream of its own for one purpose; its seed is the first eight bytes of SHA-256(seed, name).</summary>
    public RandomStream Child(string name) => new(ChildSeed(Seed, name), Device);

    /// <summary>The seed of <see cref="Child"/>, for code that draws without tensors.</summary>
    public static ulong ChildSeed(ulong seed, string name)
    {
        Span<byte> start = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(start, seed);
        return BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData([.. start, .. Encoding.UTF8.GetBytes(name)]));
    }

    /// <summary>Where the stream stands; the bytes mean something to libtorch alone.</summary>
    public HostArray State()
    {
        nint state;
        Bridge.Check(Bridge.GeneratorState(Handle, &state), "generator state");
        GC.KeepAlive(this);
        using var tensor = new Tensor(state);
        return tensor.ToHost();
    }

    /// <summary>Goes on from where another stood.</summary>
    /// <exception cref="TorchException">The state is none of this libtorch's.</exception>
    public void Restore(HostArray state)
    {
        using var tensor = Tensor.From(state);
        Bridge.Check(Bridge.GeneratorRestore(Handle, tensor.Handle), "generator state");
        GC.KeepAlive(this);
    }

    /// <summary>Frees the generator; doing it twice is harmless.</summary>
    public void Dispose()
    {
        if (handle == 0)
            return;
        Bridge.GeneratorFree(handle);
        handle = 0;
        GC.SuppressFinalize(this);
    }
}
