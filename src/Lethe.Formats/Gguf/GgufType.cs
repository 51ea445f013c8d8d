namespace Lethe.Formats.Gguf;

/// <summary>How the elements of a GGUF tensor are stored; the numbers are ggml's.</summary>
public enum GgufType
{
    /// <summary>float32.</summary>
    F32 = 0,
    /// <summary>IEEE half precision.</summary>
    F16 = 1,
    /// <summary>Blocks of 32: half scale, 4-bit numbers less 8.</summary>
    Q4_0 = 2,
    /// <summary>Blocks of 32: half scale and minimum, 4-bit numbers.</summary>
    Q4_1 = 3,
    /// <summary>Blocks of 32: half scale, 5-bit numbers less 16.</summary>
    Q5_0 = 6,
    /// <summary>Blocks of 32: half scale and minimum, 5-bit numbers.</summary>
    Q5_1 = 7,
    /// <summary>Blocks of 32: half scale, signed bytes.</summary>
    Q8_0 = 8,
    /// <summary>Not read here; for products of activations.</summary>
    Q8_1 = 9,
    /// <summary>Not read here.</summary>
    Q2_K = 10,
    /// <summary>Not read here.</summary>
    Q3_K = 11,
    /// <summary>Blocks of 256: eight 6-bit scales and minima, 4-bit numbers.</summary>
    Q4_K = 12,
    /// <summary>Blocks of 256: eight 6-bit scales and minima, 5-bit numbers.</summary>
    Q5_K = 13,
    /// <summary>Blocks of 256: sixteen signed 8-bit scales, 6-bit numbers less 32.</summary>
    Q6_K = 14,
    /// <summary>Not read here; for products of activations.</summary>
    Q8_K = 15,
    /// <summary>Not read here.</summary>
    IQ2_XXS = 16,
    /// <summary>Not read here.</summary>
    IQ2_XS = 17,
    /// <summary>Not read here.</summary>
    IQ3_XXS = 18,
    /// <summary>Not read here.</summary>
    IQ1_S = 19,
    /// <summary>Not read here.</summary>
    IQ4_NL = 20,
    /// <summary>Not read here.</summary>
    IQ3_S = 21,
    /// <summary>Not read here.</summary>
    IQ2_S = 22,
    /// <summary>Not read here.</summary>
    IQ4_XS = 23,
    /// <summary>Signed bytes; not read here.</summary>
    I8 = 24,
    /// <summary>16-bit integers; not read here.</summary>
    I16 = 25,
    /// <summary>32-bit integers; not read here.</summary>
    I32 = 26,
    /// <summary>64-bit integers; not read here.</summary>
    I64 = 27,
    /// <summary>float64; not read here.</summary>
    F64 = 28,
    /// <summary>Not read here.</summary>
    IQ1_M = 29,
    /// <summary>The upper 16 bits of a float32.</summary>
    BF16 = 30,
    /// <summary>Not read here.</summary>
    TQ1_0 = 34,
    /// <summary>Not read here.</summary>
    TQ2_0 = 35,
    /// <summary>Not read here.</summary>
    MXFP4 = 39,
}

/// <summary>Sizes of the types, and which of them Lethe reads.</summary>
/// <remarks>Source: ggml.c, type_traits; gguf-py constants.py, GGML_QUANT_SIZES.</remarks>
public static class GgufTypes
{
    /// <summary>The types that <see cref="GgufFile"/> reads.</summary>
    public static IReadOnlyList<GgufType> Readable { get; } =
        [GgufType.F32, GgufType.F16, GgufType.BF16, GgufType.Q8_0, GgufType.Q4_0, GgufType.Q4_1, GgufType.Q5_0, GgufType.Q5_1, GgufType.Q4_K, GgufType.Q5_K, GgufType.Q6_K];

    /// <summary>How many elements make a block, and how many bytes it takes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is none of ggml's types.</exception>
    public static (int Elements, int Bytes) Block(this GgufType type) => type switch
    {
        GgufType.F32 or GgufType.I32 => (1, 4),
        GgufType.F16 or GgufType.BF16 or GgufType.I16 => (1, 2),
        GgufType.I8 => (1, 1),
        GgufType.I64 or GgufType.F64 => (1, 8),
        GgufType.Q4_0 or GgufType.IQ4_NL => (32, 18),
        GgufType.Q4_1 => (32, 20),
        GgufType.Q5_0 => (32, 22),
        GgufType.Q5_1 => (32, 24),
        GgufType.Q8_0 => (32, 34),
        GgufType.Q8_1 => (32, 36),
        GgufType.MXFP4 => (32, 17),
        GgufType.Q2_K => (256, 84),
        GgufType.Q3_K or GgufType.IQ3_S => (256, 110),
        GgufType.Q4_K => (256, 144),
        GgufType.Q5_K => (256, 176),
        GgufType.Q6_K => (256, 210),
        GgufType.Q8_K => (256, 292),
        GgufType.IQ2_XXS or GgufType.TQ2_0 => (256, 66),
        GgufType.IQ2_XS => (256, 74),
        GgufType.IQ3_XXS => (256, 98),
        GgufType.IQ1_S => (256, 50),
        GgufType.IQ2_S => (256, 82),
        GgufType.IQ4_XS => (256, 136),
        GgufType.IQ1_M => (256, 56),
        GgufType.TQ1_0 => (256, 54),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not one of ggml's types"),
    };
}
