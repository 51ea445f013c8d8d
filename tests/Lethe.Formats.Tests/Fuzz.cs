using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;

namespace Lethe.Formats.Tests;

/// <summary>
/// Feeds a parser with damaged versions of good files. Only <see cref="BadInputException"/> may come out, quickly, and without taking
/// more memory than the good files do by orders of magnitude. Seeded, so that a failure repeats; LETHE_FUZZ=20 tries twenty times as many.
/// </summary>
internal static class Fuzz
{
    /// <summary>Numbers that break careless arithmetic.</summary>
    private static readonly ulong[] Extremes =
        [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff];

    /// <param name="seeds">Good files.</param>
    /// <param name="iterations">Damaged files to try.</param>
    /// <param name="parse">Reads a file whole.</param>
    /// <param name="maxAllocated">The most bytes that one attempt may allocate.</param>
    /// <param name="repair">Mends checksums, so that damage reaches what lies behind them.</param>
    public static void Run(IReadOnlyList<byte[]> seeds, int iterations, Action<byte[]> parse, long maxAllocated, Func<byte[], byte[]>? repair = null)
    {
        foreach (var seed in seeds)
            parse(repair?.Invoke(seed) ?? seed);
        iterations *= int.Parse(Environment.GetEnvironmentVariable("LETHE_FUZZ") ?? "1", CultureInfo.InvariantCulture);
        var random = new Random(20250101);
        var refused = 0;
        for (var i = 0; i < iterations; i++)
        {
            var bytes = Mutate(random, seeds[random.Next(seeds.Count)], seeds);
            bytes = repair?.Invoke(bytes) ?? bytes;
            var (before, clock) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.StartNew());
            try
            {
                parse(bytes);
            }
            catch (BadInputException e)
            {
                Assert.InRange(e.Message.Length, 10, 1300);
                refused++;
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"Mutation {i} was met with {e}; the file: {Convert.ToBase64String(bytes)}");
            }
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated <= maxAllocated, $"Mutation {i} made the parser allocate {allocated} bytes: {Convert.ToBase64String(bytes)}");
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), $"Mutation {i} took {clock.Elapsed}: {Convert.ToBase64String(bytes)}");
        }
        // If nearly nothing were refused the mutations would not reach the parser.
        Assert.True(refused > iterations / 20, $"only {refused} of {iterations} were refused");
    }

    private static byte[] Mutate(Random random, byte[] good, IReadOnlyList<byte[]> seeds)
    {
        var bytes = new List<byte>(good);
        for (var edits = random.Next(1, 4); edits > 0; edits--)
        {
            if (bytes.Count == 0)
                return [.. bytes];
            var at = random.Next(bytes.Count);
            switch (random.Next(9))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 3:
                    bytes.RemoveRange(at, Math.Min(bytes.Count - at, random.Next(1, 9)));
                    break;
                case 4:
                    var inserted = new byte[random.Next(1, 9)];
                    random.NextBytes(inserted);
                    bytes.InsertRange(at, inserted);
                    break;
                case 5 or 6:
                    var number = new byte[8];
                    var value = Extremes[random.Next(Extremes.Length)];
                    var width = 1 << random.Next(4);
                    if (random.Next(2) == 0)
                        BinaryPrimitives.WriteUInt64LittleEndian(number, value);
                    else
                        BinaryPrimitives.WriteUInt64BigEndian(number, value << (64 - 8 * width));
                    for (var i = 0; i < width && at + i < bytes.Count; i++)
                        bytes[at + i] = number[i];
                    break;
                case 7:
                    // A digit in text may be a size or an offset.
                    var digit = bytes.FindIndex(at, letter => letter is >= (byte)'0' and <= (byte)'9');
                    if (digit >= 0)
                        bytes.InsertRange(digit, Enumerable.Repeat((byte)('0' + random.Next(10)), random.Next(1, 20)));
                    break;
                default:
                    var other = seeds[random.Next(seeds.Count)];
                    var from = random.Next(other.Length);
                    bytes.InsertRange(at, other.AsSpan(from, Math.Min(other.Length - from, random.Next(1, 64))).ToArray());
                    break;
            }
        }
        return [.. bytes];
    }
}
