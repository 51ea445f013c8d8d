using System.Text;

namespace Lethe.Torch;

/// <summary>
/// SplitMix64 (Steele, Lea and Flood 2014): random numbers that need no tensor. Written here so that a seed gives the same draws on every platform and version of
/// .NET, with or without libtorch.
/// </summary>
/// <param name="seed">Where it starts, such as <see cref="RandomStream.ChildSeed"/> gives.</param>
public sealed class SplitMix64(ulong seed)
{
    private ulong state = seed;

    /// <summary>The stream of a name under a seed (FNV-1a of its UTF-8 bytes), so that what one name draws does not depend on which others there are.</summary>
    public static SplitMix64 Of(ulong seed, string name)
    {
        var hash = 14695981039346656037;
        foreach (var letter in Encoding.UTF8.GetBytes(name))
            hash = unchecked((hash ^ letter) * 1099511628211);
        return new SplitMix64(new SplitMix64(seed).Next() ^ hash);
    }

    /// <summary>64 random bits.</summary>
    public ulong Next()
    {
        state += 0x9E3779B97F4A7C15;
        var z = state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>The next number, uniform in [0, 1): 53 bits.</summary>
    public double NextUnit() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>A whole number from 0 to <paramref name="bound"/> − 1: the upper half of a 128-bit product; its bias is below bound/2⁶⁴.</summary>
    public int Below(int bound) => (int)Math.BigMul(Next(), (ulong)bound, out _);

    /// <summary>0 … count − 1 in random order (Fisher and Yates).</summary>
    public int[] Permutation(int count)
    {
        var order = new int[count];
        for (var i = 0; i < count; i++)
        {
            var j = Below(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }

    /// <summary>Brings items into random order (Fisher and Yates).</summary>
    public void Shuffle(int[] items)
    {
        for (var k = items.Length - 1; k > 0; k--)
        {
            var other = Below(k + 1);
            (items[k], items[other]) = (items[other], items[k]);
        }
    }
}
