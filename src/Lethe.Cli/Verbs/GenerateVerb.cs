using System.CommandLine;
using Lethe.Cli.Frame;
using Lethe.Models.Language.Generation;
using Lethe.Runs.Generative;
using Lethe.Runs.Language;
using Lethe.Torch;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe generate</c>: text of a language model, or samples of an image generator as a picture.</summary>
public sealed class GenerateVerb : Verb
{
    private readonly Argument<string> model = Typed.Required("MODEL", "A language model (a Hugging Face directory, a .gguf or llama2.c .bin file), an image generator (a safetensors file, a torch checkpoint, a model folder), or a run.");
    private readonly Option<string[]> prompt = new("--prompt") { HelpName = "TEXT", Description = "Text: what to continue; may be given several times, answered together; default: none, it has to be given.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<bool> chat = Typed.Flag("--chat", "Text: let the prompt be what a user says, in the model's chat template; default: the prompt is text to be continued.");
    private readonly Option<string?> system = Typed.Text("--system", "TEXT", "Text: what the system says first; needs --chat. Default: nothing, or what the template has.");
    private readonly Option<long?> maximum = Typed.Whole("--max-tokens", "N", 1, 1_000_000, "Text: the most tokens of an answer; default: 256.");
    private readonly Option<double?> temperature = LanguageOptions.Real("--temperature", "T", "Text: 0 takes the likeliest token always, 1 draws as the model says, more is wilder; default: 0.");
    private readonly Option<long?> topK = Typed.Whole("--top-k", "K", 1, int.MaxValue, "Text: draw from the K likeliest tokens; default: all.");
    private readonly Option<double?> topP = LanguageOptions.Real("--top-p", "P", "Text: draw from the likeliest tokens that together have probability P; default: 1, all.");
    private readonly Option<double?> minP = LanguageOptions.Real("--min-p", "P", "Text: draw from tokens at least P times as likely as the likeliest; default: 0, all.");
    private readonly Option<double?> penalty = LanguageOptions.Real("--repetition-penalty", "R", "Text: over 1 makes tokens that occurred less likely; default: 1.");
    private readonly Option<string[]> stopString = new("--stop") { HelpName = "TEXT", Description = "Text: end an answer before this text; may be given several times; default: only the model's own end tokens.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<DType?> type = LanguageOptions.Type();
    private readonly Option<string[]> guardrail = LanguageOptions.Guardrails();
    private readonly Option<string[]> label = new("--label") { HelpName = "LABEL", Description = "Images: what to draw, by number, or by name where MODEL is a run; may be given several times, a row each; default: every label.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<long?> count = Typed.Whole("--count", "N", 1, 1000, "Images: samples of each label; default: 10.");
    private readonly Option<string?> output = Typed.Text("--output", "FILE.png", "Images: the picture to write; default: none, it has to be named.");

    /// <inheritdoc/>
    public override string Name => "generate";

    /// <inheritdoc/>
    public override string Summary => "Continues text, or draws samples of an image model into a picture.";

    /// <inheritdoc/>
    public override string Description =>
        "A language model continues prompts, or answers them with --chat; the answer appears as it is made. The same --seed (default 0) gives the same text.\n\n"
        + "A conditional image generator draws into one PNG. Every label is drawn from the same latents, so that a column shows what the label alone changes, and two models drawn with the same "
        + "--seed can be laid side by side.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("generate model/ --prompt 'Once upon a time'", "the likeliest continuation"),
        new("generate model.gguf --chat --prompt 'Who was Marie Curie?' --temperature 0.7 --top-p 0.9", "an answer, with some chance"),
        new("generate model/ --prompt 'Q: 1+1?\nA:' --prompt 'Q: 2+2?\nA:' --stop 'Q:' --json", "two prompts at once, as JSON"),
        new("generate runs/quickstart --output samples.png", "ten samples of every label"),
        new("generate runs/quickstart --label Sneaker --count 100 --output sneakers.png", "a hundred of one"),
        new("generate model.safetensors --label 3 --label 8 --seed 7 --output digits.png", "two labels, other noise"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [model];

    /// <inheritdoc/>
    public override IReadOnlyList<Option> Options => [prompt, chat, system, maximum, temperature, topK, topP, minP, penalty, stopString, type, guardrail, label, count, output];

    /// <inheritdoc/>
    public override Task<Outcome> Run(Call call)
    {
        var path = call.Value(model);
        if (!File.Exists(path) && !Directory.Exists(path))
            throw new BadInputException($"{path}: there is no such file or folder; name a language model, an image generator or a run.");
        var language = LanguageModelPath.Find(path);
        Refuse(call, language is null ? [prompt, chat, system, maximum, temperature, topK, topP, minP, penalty, stopString, type, guardrail] : [label, count, output],
            language is null ? "is for language models, and MODEL is none" : "is for image models, and MODEL is a language model");
        return language is null ? Draw(call) : Write(call, language);
    }

    private async Task<Outcome> Write(Call call, string path)
    {
        var prompts = call.Value(prompt) is { Length: > 0 } given ? given : throw new UsageException("generate continues a text: give it with --prompt TEXT.");
        if (call.Value(system) is not null && !call.Value(chat))
            throw new UsageException("--system is part of a chat; add --chat.");
        var request = new TextRequest(prompts, call.Value(chat), call.Value(system), new GenerationOptions
        {
            MaximumTokens = (int)(call.Value(maximum) ?? 256),
            Temperature = call.Value(temperature) ?? 0,
            TopK = (int?)call.Value(topK),
            TopP = call.Value(topP) ?? 1,
            MinP = call.Value(minP) ?? 0,
            RepetitionPenalty = call.Value(penalty) ?? 1,
            StopStrings = call.Value(stopString) ?? [],
            Seed = (ulong)(call.Global.Seed ?? 0),
        }, call.Value(type) ?? DType.Float32, call.Global.Device ?? Device.Cpu) { Guardrails = call.Value(guardrail) ?? [] };
        // One answer is shown as it comes; several would run into each other.
        var streams = prompts.Length == 1 && !call.Global.Json;
        Action<int, string>? show = streams ? (_, piece) => { call.Terminal.Output.Write(piece); call.Terminal.Output.Flush(); } : null;
        var made = await Task.Run(() => Engine.Run(() =>
        {
            LanguageOptions.Setup(call);
            return GenerateText.Run(path, request, show, call.Stop);
        }));
        return new Outcome(made, console =>
        {
            var writer = console.Profile.Out.Writer;
            if (streams)
                writer.WriteLine();
            else
                foreach (var answer in made.Results)
                    writer.WriteLine($"> {answer.Prompt.Replace("\n", "\n> ", StringComparison.Ordinal)}\n{answer.Text}\n");
        });
    }

    private async Task<Outcome> Draw(Call call)
    {
        var file = call.Value(output) ?? throw new UsageException("generate writes a picture: name its file with --output FILE.png.");
        if (!file.EndsWith(".png", StringComparison.OrdinalIgnoreCase))
            throw new UsageException($"--output is '{file}'; pictures are written as PNG, so let the name end in .png.");
        var drawn = await Task.Run(() => Engine.Run(() =>
        {
            PlanVerb.Setup(call);
            return SampleImages.Draw(call.Value(model), call.Value(label) ?? [], (int)(call.Value(count) ?? 10), file, call.Global.Seed ?? 0);
        }));
        return new Outcome(drawn, console => console.Profile.Out.Writer.WriteLine(drawn.File));
    }

    private static void Refuse(Call call, IEnumerable<Option> options, string why)
    {
        foreach (var option in options)
            if (call.Parsed.GetResult(option) is { Implicit: false })
                throw new UsageException($"{option.Name} {why}.");
    }
}
