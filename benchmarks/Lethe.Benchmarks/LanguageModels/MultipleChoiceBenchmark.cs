using System.Globalization;
using System.Text.Json;
using Lethe.Evaluation.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Runs.Language.Tasks;
using Lethe.Torch;

namespace Lethe.Benchmarks.LanguageModels;

/// <summary>
/// Scores multiple-choice questions with SmolLM2-135M-Instruct and compares with the same model in plain PyTorch, which scores each answer alone
/// (benchmarks/peer/multiple_choice.py). Both sides get the same ids, and their scores must agree.
/// </summary>
internal static class MultipleChoiceBenchmark
{
    private const string Usage = """
        options of multiple-choice:
          --quick        a tiny model and few questions, to see that everything runs; the figures mean nothing
          --threads N    threads of Lethe; default: the number of cores
          --json         one JSON document in place of the table
        """;

    private static readonly (string Task, int Questions)[] Sets = [("quiz", 40), ("mmlu", 12)];

    public static void Run(string[] arguments)
    {
        var (quick, json, threads) = (false, false, Environment.ProcessorCount);
        for (var k = 0; k < arguments.Length; k++)
            _ = arguments[k] switch
            {
                "--quick" => quick = true,
                "--json" => json = true,
                "--threads" when k + 1 < arguments.Length && int.TryParse(arguments[++k], out var given) && given > 0 => (threads = given) > 0,
                _ => throw new UsageException($"'{arguments[k]}' is no option.\n{Usage}"),
            };
        var shared = DataFolder.Find(null) is { } data ? Path.GetDirectoryName(data)! : throw new UsageException("The benchmark multiple-choice needs the shared folder: set LETHE_SHARED.");
        var folder = Directory.CreateTempSubdirectory("lethe-multiple-choice-").FullName;
        try
        {
            Compare(shared, folder, quick, json, threads);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Compare(string shared, string folder, bool quick, bool json, int threads)
    {
        using var checkpoint = LanguageCheckpoint.Open(Path.Combine(shared, "models", quick ? "stories260K" : "smollm2-135m-instruct"));
        var encoding = new RequestEncoding(checkpoint.Tokenizer, checkpoint.Special.Bos);
        var sets = Sets.ToDictionary(set => set.Task, set => Questions(encoding, Path.Combine(shared, "data"), set.Task, quick ? 2 : set.Questions, checkpoint.Configuration.MaximumPositions));
        // The peer reads a Hugging Face directory in float32.
        var model = Path.Combine(folder, "model");
        checkpoint.Save(model, new Dictionary<string, HostArray>());
        var requests = Path.Combine(folder, "requests.json");
        File.WriteAllText(requests, JsonSerializer.Serialize(sets.ToDictionary(set => set.Key, set => set.Value.Select(question => question.Select(request => new[] { request.Context, request.Continuation })))));

        var peers = new List<(string Setting, JsonElement Found)>();
        foreach (var (count, policy) in quick ? [(1, "passive")] : ((int, string)[])[(1, "passive"), (2, "passive"), (2, "active")])
        {
            Console.Error.WriteLine($"peer, {count} thread(s), {policy} waiting");
            peers.Add(($"{count} thread(s), {policy}", Peer.Run("multiple_choice.py", count, policy, ["--folder", model, "--requests", requests, "--threads", count.ToString(CultureInfo.InvariantCulture)]).GetProperty("sets")));
        }
        Console.Error.WriteLine($"Lethe, {threads} thread(s)");
        Engine.Threads = threads;
        var ours = Engine.Run(() =>
        {
            using var loaded = checkpoint.Load();
            var scorer = new LanguageScorer(loaded);
            return sets.ToDictionary(set => set.Key, set =>
            {
                var scores = scorer.Score(set.Value);
                return (Seconds: Clock.Best(quick ? 1 : 2, 1, () => scores = scorer.Score(set.Value)), Scores: scores);
            });
        });

        var rows = Sets.Select(set =>
        {
            var (own, peer) = (ours[set.Task], peers.MinBy(peer => Seconds(peer.Found, set.Task)));
            var worst = own.Scores.Zip(peer.Found.GetProperty(set.Task).GetProperty("scores").EnumerateArray()).Max(pair => pair.First.Zip(pair.Second.EnumerateArray()).Max(score => Math.Abs(score.First.LogProbability - score.Second.GetDouble())));
            if (worst > 0.01)
                throw new RunFailedException(FormattableString.Invariant($"The two sides' log-likelihoods of {set.Task} differ by up to {worst}, so they do not compute the same model."));
            return (set.Task, Count: sets[set.Task].Count, Tokens: sets[set.Task].Sum(question => question.Sum(request => request.Context.Length + request.Continuation.Length - 1)), Peer: Seconds(peer.Found, set.Task), peer.Setting, Own: own.Seconds, Worst: worst);
        }).ToList();
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new { quick, threads, sets = rows.Select(row => new { task = row.Task, questions = row.Count, tokens = row.Tokens, peer = row.Peer, lethe = row.Own, ratio = row.Peer / row.Own, difference = row.Worst }) }));
            return;
        }
        if (quick)
            Console.WriteLine("A smoke run of a tiny model: the figures mean nothing.\n");
        Console.WriteLine("| SmolLM2-135M-Instruct, float32 | each answer alone | Lethe | ratio | goal |\n| --- | --- | --- | --- | --- |");
        foreach (var row in rows)
            Console.WriteLine(FormattableString.Invariant($"| {row.Task}, {row.Count} questions ({row.Tokens} tokens one by one) | {row.Peer:F2} s ({row.Setting}) | {row.Own:F2} s | {row.Peer / row.Own:F2} | 1.5 |"));
        Console.WriteLine(FormattableString.Invariant($"\nLethe: {threads} thread(s), libtorch {Engine.Version}. Log-likelihoods agree within {rows.Max(row => row.Worst):G2}."));
    }

    private static double Seconds(JsonElement found, string task) => found.GetProperty(task).GetProperty("seconds").GetDouble();

    // Spread over the whole task, so that all topics and lengths are there.
    private static IReadOnlyList<IReadOnlyList<ScoredRequest>> Questions(RequestEncoding encoding, string data, string task, int count, int longest)
    {
        var all = LanguageTask.Open(Path.Combine(Peer.Root, "tasks", task + ".yaml"), data).Prompts()
            .Select(prompt => (IReadOnlyList<ScoredRequest>)[.. prompt.Continuations.Select(continuation => encoding.Pair(prompt.Context, continuation))])
            .Where(question => question.All(request => request.Context.Length + request.Continuation.Length <= longest)).ToList();
        return [.. Enumerable.Range(0, count).Select(k => all[(int)((long)k * all.Count / count)])];
    }
}
