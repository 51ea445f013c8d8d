using Lethe.Torch.Native;

namespace Lethe.Torch;

/// <summary>Grad mode, and gradients as values.</summary>
public static unsafe class Autograd
{
    /// <summary>Whether operators record what backward needs.</summary>
    public static bool Enabled
    {
        get
        {
            Engine.Verify();
            return Bridge.GradMode() != 0;
        }
    }

    /// <summary>Records nothing until it is disposed.</summary>
    public static GradModeScope NoGrad() => new(false);

    /// <summary>Records again, inside <see cref="NoGrad"/>, until it is disposed.</summary>
    public static GradModeScope EnableGrad() => new(true);

    /// <summary>Gradients of the sum of <paramref name="outputs"/> with respect to <paramref name="inputs"/>, without touching <see cref="Tensor.Grad"/>.</summary>
    /// <param name="outputs">What is differentiated; each holds one number unless <paramref name="gradients"/> are given.</param>
    /// <param name="inputs">With respect to what; parameters or results in between.</param>
    /// <param name="gradients">Weights of the outputs, each of its output's shape; empty for ones.</param>
    /// <param name="retainGraph">Keep what backward needs, for another call.</param>
    /// <param name="createGraph">Make the gradients differentiable themselves.</param>
    /// <returns>One gradient for each input, of its shape.</returns>
    /// <exception cref="TorchException">An input has no part in the outputs.</exception>
    public static Tensor[] Grad(ReadOnlySpan<Tensor> outputs, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> gradients = default, bool retainGraph = false, bool createGraph = false)
    {
        Engine.Verify();
        Span<nint> o = stackalloc nint[outputs.Length], i = new nint[inputs.Length], g = stackalloc nint[gradients.Length], r = new nint[inputs.Length];
        Fill(outputs, o);
        Fill(inputs, i);
        Fill(gradients, g);
        fixed (nint* op = o, ip = i, gp = g, rp = r)
            Bridge.Check(Bridge.Grad(op, o.Length, ip, i.Length, gp, g.Length, retainGraph || createGraph ? 1 : 0, createGraph ? 1 : 0, 0, rp), "grad");
        var results = new Tensor[inputs.Length];
        for (var k = 0; k < results.Length; k++)
            results[k] = new Tensor(r[k]);
        foreach (var tensor in outputs) GC.KeepAlive(tensor);
        foreach (var tensor in inputs) GC.KeepAlive(tensor);
        foreach (var tensor in gradients) GC.KeepAlive(tensor);
        return results;
    }

    private static void Fill(ReadOnlySpan<Tensor> tensors, Span<nint> handles)
    {
        for (var k = 0; k < tensors.Length; k++)
            handles[k] = tensors[k].Handle;
    }
}

/// <summary>A stretch of code with grad mode on or off; the mode before comes back when it is disposed.</summary>
public readonly struct GradModeScope : IDisposable
{
    private readonly bool before;

    internal unsafe GradModeScope(bool enabled)
    {
        before = Autograd.Enabled;
        Bridge.SetGradMode(enabled ? 1 : 0);
    }

    /// <summary>Goes back to the mode before.</summary>
    public unsafe void Dispose() => Bridge.SetGradMode(before ? 1 : 0);
}
