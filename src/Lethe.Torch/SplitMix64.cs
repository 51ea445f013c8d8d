namespace Lethe.Torch;

/// <summary>SplitMix64 (Steele, Lea and Flood 2014): orders need no tensor, and are the same on every platform.</summary>
/// <param name="state">Where it starts, such as <see cref="RandomStream.ChildSeed"/> gives.</param>
public sealed class SplitMix64(ulong state)
{
    /// <summary>The next number, uniform in [0, bound).</summary>
    public long Below(long bound) => (long)(((UInt128)Next() * (ulong)bound) >> 64);

    /// <summary>Brings items into random order (Fisher and Yates).</summary>
    public void Shuffle(int[] items)
    {
        for (var k = items.Length - 1; k > 0; k--)
        {
            var other = Below(k + 1);
            (items[k], items[other]) = (items[other], items[k]);
        }
    }

    private ulong Next()
    {
        state += 0x9E3779B97F4A7C15;
        var z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
