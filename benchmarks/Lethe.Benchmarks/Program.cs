using Lethe.Benchmarks;
using Lethe.Benchmarks.LanguageModels;
using Lethe.Benchmarks.SelectiveAmnesiaVae;
using Lethe.Benchmarks.SparseAutoencoders;
using Lethe.Benchmarks.Unlearning;
using Lethe.Torch;

Benchmark[] all =
[
    new("call-overhead", "what a call of a small operator costs from C# and from Python", CallOverhead.Run),
    new("optimizer-step", "one step of Adam over a million parameters, by the bridge's loop and by multi-tensor operators", OptimizerStep.Run),
    new("selective-amnesia-vae", "Fisher, forgetting and training of the paper's VAE against the published loops in PyTorch", SelectiveAmnesiaVaeBenchmark.Run),
    new("language-model", "prefill, decode and memory of a Llama model of SmolLM2-135M's shape against plain PyTorch", LanguageModelBenchmark.Run),
    new("multiple-choice", "scores multiple-choice questions against plain PyTorch that scores each answer alone", MultipleChoiceBenchmark.Run),
    new("sparse-autoencoder", "trains sparse autoencoders at one and at two sites against plain PyTorch that does what SAELens does", SparseAutoencoderBenchmark.Run),
    new("rmu-step", "times a step of RMU on the slice that is edited, and its memory, against RMU as released in PyTorch", RmuStepBenchmark.Run),
    new("model-slice", "opens a large model's directory and runs five of its layers, and says how much memory that takes", SliceBenchmark.Run),
];

if (args.Length == 0 || all.FirstOrDefault(benchmark => benchmark.Name == args[0]) is not { } chosen)
{
    Console.Error.WriteLine("usage: dotnet run -c Release --project benchmarks/Lethe.Benchmarks -- NAME [ARGUMENT…]");
    foreach (var benchmark in all)
        Console.Error.WriteLine($"  {benchmark.Name,-24}{benchmark.Purpose}");
    return 2;
}
try
{
    chosen.Run(args[1..]);
    return 0;
}
catch (LetheException error)
{
    Console.Error.WriteLine($"error: {error.Message}");
    return error.ExitCode;
}
