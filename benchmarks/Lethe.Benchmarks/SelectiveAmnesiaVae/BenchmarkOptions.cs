using System.Globalization;
using Lethe.Runs;
using Lethe.Torch;

namespace Lethe.Benchmarks.SelectiveAmnesiaVae;

/// <summary>How much is measured. The defaults are what docs/benchmarks.md reports; <see cref="Quick"/> only shows that everything runs.</summary>
internal sealed record BenchmarkOptions
{
    public const string Usage = """
        options of selective-amnesia-vae:
          --quick            a few steps of everything, to see that it runs; the figures mean nothing
          --whole-training   also trains the base model with the default options, whole, and measures its bound (several minutes)
          --peer-only        the peer's loops alone
          --own-only         Lethe's runs alone; no ratio is printed
          --threads N        threads of Lethe's runs; default: the number of cores
          --shared FOLDER    models/selective_amnesia_mnist and data/mnist lie in it; default: LETHE_SHARED, else ../shared
          --json FILE        write the JSON there; default: after the table
        """;

    public bool Quick { get; private init; }
    public bool WholeTraining { get; private init; }
    public bool Peer { get; private init; } = true;
    public bool Own { get; private init; } = true;
    public int Threads { get; private init; } = Environment.ProcessorCount;
    public string Shared { get; private init; } = "${shared}";
    public string? Json { get; private init; }

    /// <summary>The peer's samples of the Fisher loop and steps of the other loops behind a rate.</summary>
    public int PeerFisherSamples => Quick ? 5 : 2_000;
    public int PeerSteps => Quick ? 3 : 500;
    public int PeerLoaderSteps => Quick ? 1 : 100;
    public int PeerWarmUp => Quick ? 1 : 50;

    /// <summary>Seconds after which a loop of the peer ends before its last step: a setting this slow is not its best.</summary>
    public int PeerLimit => 50;

    /// <summary>The setting in which the peer runs: threads and OMP_WAIT_POLICY.</summary>
    public (int Threads, string WaitPolicy)[] PeerSettings => Quick ? [(1, "passive")] : [(1, "passive"), (1, "active"), (2, "passive"), (2, "active")];

    /// <summary>Samples of the Fisher estimates that are compared; the last is the peer's.</summary>
    public long[] FisherSamples => Quick ? [50, 100] : [1_000, 5_000, 10_000, 25_000, 50_000];
    public ulong[] Seeds => Quick ? [1] : [1, 2, 3];
    public int FisherRounds => Quick ? 1 : 3;
    public int TrainingSteps => Quick ? 3 : 500;
    public int TrainingWarmUp => Quick ? 1 : 50;

    /// <summary>Samples of the forgotten digit, and of each retained one, that the judge reads; draws of −ELBO.</summary>
    public int ForgottenSamples => Quick ? 200 : 10_000;
    public int RetainedSamples => Quick ? 50 : 1_000;
    public int Draws => Quick ? 1 : 16;

    /// <exception cref="UsageException">An option is unknown or its value is wrong.</exception>
    public static BenchmarkOptions Parse(string[] arguments)
    {
        var options = new BenchmarkOptions();
        for (var k = 0; k < arguments.Length; k++)
        {
            string Value() => ++k < arguments.Length ? arguments[k] : throw new UsageException($"{arguments[^1]} needs a value.\n{Usage}");
            options = arguments[k] switch
            {
                "--quick" => options with { Quick = true },
                "--whole-training" => options with { WholeTraining = true },
                "--peer-only" => options with { Own = false },
                "--own-only" => options with { Peer = false },
                "--threads" => options with { Threads = Whole(Value()) },
                "--shared" => options with { Shared = Path.GetFullPath(Value()) },
                "--json" => options with { Json = Path.GetFullPath(Value()) },
                _ => throw new UsageException($"'{arguments[k]}' is no option.\n{Usage}"),
            };
        }
        return options;
    }

    /// <summary>A file of the published models.</summary>
    public string Model(string name) => InShared($"models/selective_amnesia_mnist/{name}.safetensors");

    /// <summary>The folder of MNIST's four files.</summary>
    public string Mnist => InShared("data/mnist");

    private string InShared(string path) => PlanPaths.Resolve($"{Shared}/{path}", Path.Combine(Environment.CurrentDirectory, "benchmark"));

    private static int Whole(string word) => int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
        ? number
        : throw new UsageException($"--threads is '{word}'; it must be a whole number from 1.");
}
