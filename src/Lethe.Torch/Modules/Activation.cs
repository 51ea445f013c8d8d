namespace Lethe.Torch;

/// <summary>A function of each element, as a layer.</summary>
/// <param name="kind">Which function.</param>
public sealed class Activation(ActivationKind kind) : Layer
{
    /// <summary>x → the same shape.</summary>
    public override Tensor Forward(Tensor x) => Apply(kind, x);

    /// <summary>Applies a function.</summary>
    public static Tensor Apply(ActivationKind kind, Tensor x) => kind switch
    {
        ActivationKind.Relu => x.Relu(),
        ActivationKind.LeakyRelu => x.LeakyRelu(),
        ActivationKind.Gelu => x.Gelu(),
        ActivationKind.GeluTanh => x.Gelu("tanh"),
        ActivationKind.Silu => x.Silu(),
        ActivationKind.Sigmoid => x.Sigmoid(),
        ActivationKind.Tanh => x.Tanh(),
        ActivationKind.Softplus => x.Softplus(),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no activation that Lethe knows"),
    };
}

/// <summary>Functions of one element that networks use.</summary>
public enum ActivationKind
{
    /// <summary>max(x, 0).</summary>
    Relu,
    /// <summary>max(x, 0.01 x).</summary>
    LeakyRelu,
    /// <summary>x Φ(x).</summary>
    Gelu,
    /// <summary>x Φ(x), approximated by tanh as in GPT-2 and Gemma.</summary>
    GeluTanh,
    /// <summary>x · sigmoid(x).</summary>
    Silu,
    /// <summary>1 / (1 + e^−x).</summary>
    Sigmoid,
    /// <summary>Hyperbolic tangent.</summary>
    Tanh,
    /// <summary>log(1 + e^x).</summary>
    Softplus,
}
