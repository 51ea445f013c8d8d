using Lethe.Torch;

namespace Lethe.Benchmarks;

/// <summary>What a call of a small operator costs from C# and from Python, on one thread. The goal: at most twice Python's.</summary>
internal static class CallOverhead
{
    private const int Calls = 20_000, Rounds = 15;

    public static void Run(string[] arguments)
    {
        // Ours between two runs of the peer, whose better one counts: a machine that slows down meanwhile favours nobody.
        var before = Peer.Run("call_overhead.py", threads: 1);
        var ours = Engine.Run(Measure);
        var after = Peer.Run("call_overhead.py", threads: 1);
        Console.WriteLine($"libtorch {Engine.Version} from C#, torch {before.GetProperty("torch").GetString()} from {Peer.Python}; one thread, best of {Rounds} rounds of {Calls} calls");
        Console.WriteLine($"  {"",-24}{"C#",10}{"Python",12}{"ratio",8}");
        foreach (var (name, seconds) in ours)
        {
            var peer = Math.Min(before.GetProperty("times").GetProperty(name).GetDouble(), after.GetProperty("times").GetProperty(name).GetDouble());
            Console.WriteLine($"  {name,-24}{seconds * 1e9,7:F0} ns{peer * 1e9,9:F0} ns{seconds / peer,8:F2}");
        }
    }

    private static List<(string Name, double Seconds)> Measure()
    {
        Engine.Threads = 1;
        using var scope = new TensorScope();
        var (a, b, g) = (Tensor.Ones([1]), Tensor.Ones([1]), Tensor.Ones([1]));
        var (square, tall) = (Tensor.Ones([4, 4]), Tensor.Ones([4, 1]));
        g.RequiresGrad = true;
        List<(string, double)> times = [];
        using (Autograd.NoGrad())
        {
            times.Add(("add", Best(() => a.Add(b).Dispose())));
            times.Add(("mul by a number", Best(() => a.Mul(2.0).Dispose())));
            times.Add(("add in place", Best(() => a.AddInPlace(b))));
            times.Add(("sum over a dimension", Best(() => square.Sum(1).Dispose())));
            times.Add(("matrix product 4x4", Best(() => square.MatMul(square).Dispose())));
            times.Add(("view", Best(() => square.View(16).Dispose())));
            times.Add(("cat of two", Best(() => Tensor.Cat([square, tall], 1).Dispose())));
        }
        times.Add(("add, recorded", Best(() => g.Add(b).Dispose())));
        times.Add(("mul, sum, backward", Best(() =>
        {
            using var inner = new TensorScope();
            g.Grad = null;
            g.Mul(g).Sum().Backward();
        })));
        return times;
    }

    private static double Best(Action action) => Clock.Best(Rounds, Calls, action);
}
