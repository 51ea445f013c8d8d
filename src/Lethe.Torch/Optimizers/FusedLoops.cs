using Lethe.Torch.Native;

namespace Lethe.Torch;

/// <summary>The bridge's own loops, for lists of contiguous float32 tensors on the CPU: one pass over memory where operators make many.</summary>
internal static unsafe class FusedLoops
{
    /// <summary>Whether the loops take these tensors.</summary>
    public static bool Fit(Tensor[] tensors) => tensors.All(tensor => tensor.DType == DType.Float32 && tensor.Device == Device.Cpu && tensor.IsContiguous);

    public static void Adam(Tensor[] parameters, Tensor[] gradients, Tensor[] first, Tensor[] second, Tensor[]? largest, NativeAdamStep step)
    {
        Engine.Verify();
        fixed (nint* p = Handles(parameters), g = Contiguous(gradients), m = Handles(first), v = Handles(second), l = largest is null ? null : Handles(largest))
            Bridge.Check(Bridge.Adam(p, g, m, v, l, parameters.Length, &step), "adam");
        GC.KeepAlive((parameters, gradients, first, second, largest));
    }

    public static void Pull(Tensor[] gradients, Tensor[] weights, Tensor[] parameters, Tensor[] anchors, double strength)
    {
        Engine.Verify();
        fixed (nint* g = Handles(gradients), w = Handles(weights), p = Handles(parameters), a = Handles(anchors))
            Bridge.Check(Bridge.Pull(g, w, p, a, gradients.Length, strength), "pull");
        GC.KeepAlive((gradients, weights, parameters, anchors));
    }

    private static nint[] Handles(Tensor[] tensors) => Array.ConvertAll(tensors, tensor => tensor.Handle);

    // Backward may leave a gradient transposed or expanded; the copy lives until the step's scope closes.
    private static nint[] Contiguous(Tensor[] tensors) => Array.ConvertAll(tensors, tensor => tensor.IsContiguous ? tensor.Handle : tensor.Contiguous().Handle);
}
