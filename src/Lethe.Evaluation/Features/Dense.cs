using System.Numerics;
using System.Runtime.InteropServices;

namespace Lethe.Evaluation.Features;

/// <summary>The few dense products that the feature metrics spend their time in, on the processor's vectors.</summary>
internal static class Dense
{
    /// <summary>The scalar product of two rows of one length.</summary>
    public static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        var va = MemoryMarshal.Cast<double, Vector<double>>(a);
        var vb = MemoryMarshal.Cast<double, Vector<double>>(b);
        var sum = Vector<double>.Zero;
        for (var i = 0; i < va.Length; i++)
            sum = Vector.FusedMultiplyAdd(va[i], vb[i], sum);
        var total = Vector.Sum(sum);
        for (var i = va.Length * Vector<double>.Count; i < a.Length; i++)
            total = Math.FusedMultiplyAdd(a[i], b[i], total);
        return total;
    }

    /// <summary>
    /// Scalar products of two rows with four others. Each value that is loaded serves two or four products, so that arithmetic and not
    /// memory sets the pace; the order of additions equals <see cref="Dot"/>'s, so that a pair's product does not depend on its place.
    /// </summary>
    public static void TwoByFour(ReadOnlySpan<double> rowA, ReadOnlySpan<double> rowB, ReadOnlySpan<double> four, int dimension, Span<double> a, Span<double> b)
    {
        var va = MemoryMarshal.Cast<double, Vector<double>>(rowA);
        var vb = MemoryMarshal.Cast<double, Vector<double>>(rowB);
        var v0 = MemoryMarshal.Cast<double, Vector<double>>(four[..dimension]);
        var v1 = MemoryMarshal.Cast<double, Vector<double>>(four.Slice(dimension, dimension));
        var v2 = MemoryMarshal.Cast<double, Vector<double>>(four.Slice(2 * dimension, dimension));
        var v3 = MemoryMarshal.Cast<double, Vector<double>>(four.Slice(3 * dimension, dimension));
        Vector<double> a0 = default, a1 = default, a2 = default, a3 = default, b0 = default, b1 = default, b2 = default, b3 = default;
        for (var i = 0; i < va.Length && i < vb.Length && i < v0.Length && i < v1.Length && i < v2.Length && i < v3.Length; i++)
        {
            Vector<double> x = va[i], y = vb[i];
            a0 = Vector.FusedMultiplyAdd(x, v0[i], a0);
            b0 = Vector.FusedMultiplyAdd(y, v0[i], b0);
            a1 = Vector.FusedMultiplyAdd(x, v1[i], a1);
            b1 = Vector.FusedMultiplyAdd(y, v1[i], b1);
            a2 = Vector.FusedMultiplyAdd(x, v2[i], a2);
            b2 = Vector.FusedMultiplyAdd(y, v2[i], b2);
            a3 = Vector.FusedMultiplyAdd(x, v3[i], a3);
            b3 = Vector.FusedMultiplyAdd(y, v3[i], b3);
        }
        (a[0], a[1], a[2], a[3]) = (Vector.Sum(a0), Vector.Sum(a1), Vector.Sum(a2), Vector.Sum(a3));
        (b[0], b[1], b[2], b[3]) = (Vector.Sum(b0), Vector.Sum(b1), Vector.Sum(b2), Vector.Sum(b3));
        for (var i = va.Length * Vector<double>.Count; i < dimension; i++)
            for (var j = 0; j < 4; j++)
            {
                var other = four[j * dimension + i];
                a[j] = Math.FusedMultiplyAdd(rowA[i], other, a[j]);
                b[j] = Math.FusedMultiplyAdd(rowB[i], other, b[j]);
            }
    }

    /// <summary>target += factor₀·row₀ + … + factor₃·row₃.</summary>
    public static void AddFour(Span<double> target, double f0, ReadOnlySpan<double> r0, double f1, ReadOnlySpan<double> r1, double f2, ReadOnlySpan<double> r2, double f3, ReadOnlySpan<double> r3)
    {
        var t = MemoryMarshal.Cast<double, Vector<double>>(target);
        var v0 = MemoryMarshal.Cast<double, Vector<double>>(r0);
        var v1 = MemoryMarshal.Cast<double, Vector<double>>(r1);
        var v2 = MemoryMarshal.Cast<double, Vector<double>>(r2);
        var v3 = MemoryMarshal.Cast<double, Vector<double>>(r3);
        Vector<double> w0 = new(f0), w1 = new(f1), w2 = new(f2), w3 = new(f3);
        for (var i = 0; i < t.Length && i < v0.Length && i < v1.Length && i < v2.Length && i < v3.Length; i++)
            t[i] = Vector.FusedMultiplyAdd(w3, v3[i], Vector.FusedMultiplyAdd(w2, v2[i], Vector.FusedMultiplyAdd(w1, v1[i], Vector.FusedMultiplyAdd(w0, v0[i], t[i]))));
        for (var i = t.Length * Vector<double>.Count; i < target.Length; i++)
            target[i] += f0 * r0[i] + f1 * r1[i] + f2 * r2[i] + f3 * r3[i];
    }
}
