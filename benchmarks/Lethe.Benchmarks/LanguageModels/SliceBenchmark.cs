using System.Diagnostics;
using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;

namespace Lethe.Benchmarks.LanguageModels;

/// <summary>
/// Opens a large model's directory and runs its layers 0 to 4 over 64 tokens; says how long opening took and how much memory was resident at most. eng/gemma2-shape.py
/// writes a directory of 2.6 billion parameters in Gemma-2's shape.
/// </summary>
internal static class SliceBenchmark
{
    public static void Run(string[] arguments)
    {
        if (arguments is not [var folder])
            throw new UsageException("model-slice takes one argument: a model's directory, such as eng/gemma2-shape.py writes.");
        Engine.Run(() =>
        {
            using var scope = new TensorScope();
            using var noGrad = Autograd.NoGrad();
            var start = Stopwatch.GetTimestamp();
            using var checkpoint = LanguageCheckpoint.Open(folder);
            var open = Stopwatch.GetElapsedTime(start).TotalSeconds;
            using var model = checkpoint.Load(new LoadOptions { ToLayer = 5, Head = false });
            var load = Stopwatch.GetElapsedTime(start).TotalSeconds - open;
            var ids = Tensor.Arange(0, 64).View(1, 64) * 3989;
            var hidden = model.Run(model.Embed(ids.Remainder(model.Configuration.VocabularySize)), 0, 5);
            var run = Stopwatch.GetElapsedTime(start).TotalSeconds - open - load;
            if (hidden.IsFinite().All().Item() != 1)
                throw new RunFailedException("The hidden states are not finite.");
            Console.WriteLine(FormattableString.Invariant($"opened in {open:F2} s; layers 0–4 loaded in {load:F1} s and run over 64 tokens in {run:F1} s; at most {ProcessMemory.MostResident / 1e9:F2} GB resident, {model.ParameterCount() * 4 / 1e9:F2} GB of it weights in float32"));
        });
    }
}
