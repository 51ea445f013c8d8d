using System.CommandLine;
using System.Globalization;
using Lethe.Cli.Frame;
using Lethe.Runs.Language;
using Lethe.Runs.Language.Corpora;
using Lethe.Torch;

namespace Lethe.Cli.Verbs;

/// <summary>What the verbs of language models have in common.</summary>
internal static class LanguageOptions
{
    public const string ModelDescription = "A language model: a Hugging Face directory, a .gguf file or a folder with one, a llama2.c .bin file with its tokenizer beside it, or a run.";

    /// <summary>How weights are kept.</summary>
    public static Option<DType?> Type() => Typed.Parsed<DType>("--dtype", "float32|bfloat16", value => value switch
    {
        "float32" => DType.Float32,
        "bfloat16" => DType.BFloat16,
        _ => throw new UsageException($"--dtype is '{value}'; 'float32' and 'bfloat16' are allowed."),
    }, "How weights are kept in memory; on the cpu bfloat16 takes half the memory and more time. Default: float32.");

    /// <summary>The guardrails that a model runs behind.</summary>
    public static Option<string[]> Guardrails() => new("--guardrail") { HelpName = "FOLDER", Description = "A guardrail that the language model runs behind, as ./lethe guardrail calibrate writes it; may be given several times, and at the same site they come in that order; default: none.", Arity = ArgumentArity.OneOrMore };

    /// <summary>Text on the command line: FILE, or FILE:FIELD,FIELD; a colon inside a path is one that a folder's end follows.</summary>
    public static CorpusPlan Text(string words) => words.LastIndexOf(':') is > 0 and var colon && !words[colon..].Contains('/', StringComparison.Ordinal)
        ? new RowsCorpusPlan { Path = Path.GetFullPath(words[..colon]), Template = string.Join('\n', words[(colon + 1)..].Split(',').Select(field => "{{" + field + "}}")) }
        : new TextCorpusPlan { Path = Path.GetFullPath(words) };

    /// <summary>A real number.</summary>
    public static Option<double?> Real(string name, string valueName, string description) => Typed.Parsed<double>(name, valueName, text =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value
            : throw new UsageException($"{name} is '{text}'; it takes a number."), description);

    /// <summary>The language model that a path names.</summary>
    /// <exception cref="BadInputException">It names none.</exception>
    public static string Find(string path) => LanguageModelPath.Find(path)
        ?? throw new BadInputException($"{path}: {(File.Exists(path) || Directory.Exists(path) ? "is no language model" : "there is no such file or folder")}; name a Hugging Face directory, a .gguf file or a llama2.c .bin file.");

    /// <summary>Sets threads and checks the device before any work.</summary>
    public static void Setup(Call call)
    {
        Engine.Threads = call.Global.ThreadsOrCores;
        Engine.Require(call.Global.Device ?? Device.Cpu);
    }
}
