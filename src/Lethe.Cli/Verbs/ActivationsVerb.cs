using System.CommandLine;
using System.Globalization;
using Lethe.Cli.Frame;
using Lethe.Models.Language;
using Lethe.Runs.Language;
using Lethe.Torch;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe activations</c>: what a language model computes inside, as a file.</summary>
public sealed class ActivationsVerb : Verb
{
    private readonly Argument<string> model = Typed.Required("MODEL", LanguageOptions.ModelDescription);
    private readonly Option<string[]> text = new("--text") { HelpName = "TEXT", Description = "The text to read; may be given several times, a row each, padded on the right; default: none, --text or --ids has to be given.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string?> ids = Typed.Text("--ids", "FILE.safetensors", "Tokens in place of text: input_ids, and perhaps attention_mask and position_ids, whole numbers of shape [rows, tokens]; default: none.");
    private readonly Option<string?> output = Typed.Text("--out", "FILE.safetensors", "The file to write; default: none, it has to be named.");
    private readonly Option<string?> layers = Typed.Text("--layers", "LIST", "Hidden states to write, such as 0,7,10-12; default: all. Layers that are not needed are not loaded.");
    private readonly Option<string[]> site = new("--site") { HelpName = "SITE", Description = "Also write a site, such as layers.7.mlp_output or blocks.7.attn.hook_z; may be given several times; default: none.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<bool> noLogits = Typed.Flag("--no-logits", "Leave the logits out; default: they are written.");
    private readonly Option<DType?> type = LanguageOptions.Type();
    private readonly Option<string[]> guardrail = LanguageOptions.Guardrails();

    /// <inheritdoc/>
    public override string Name => "activations";

    /// <inheritdoc/>
    public override string Summary => "Writes a language model's hidden states and logits to a file";

    /// <inheritdoc/>
    public override string Description =>
        "Runs a language model once over text or tokens and writes input_ids, hidden_0 … hidden_L and logits, float32, as transformers' output_hidden_states gives them: hidden_0 enters layer 0, hidden_L is after the final norm. "
        + "Positions are 0, 1, 2, … in every row, padding included, unless the file gives position_ids. Values at padding mean nothing.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("activations model/ --text 'The capital of France is' --out france.safetensors", "everything, for one text"),
        new("activations model.gguf --ids tokens.safetensors --out states.safetensors", "for tokens of another tool"),
        new("activations model/ --text 'Hello' --layers 7 --no-logits --site blocks.7.attn.hook_z --out layer7.safetensors", "layers 0 to 7 are loaded, no others"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [model];

    /// <inheritdoc/>
    public override IReadOnlyList<Option> Options => [text, ids, output, layers, site, noLogits, type, guardrail];

    /// <inheritdoc/>
    public override async Task<Outcome> Run(Call call)
    {
        var texts = call.Value(text) is { Length: > 0 } given ? given : null;
        var file = call.Value(ids);
        if (texts is null == file is null)
            throw new UsageException("activations reads texts or tokens: give --text TEXT or --ids FILE.safetensors, one of them.");
        var request = new ActivationRequest
        {
            Texts = texts,
            IdsFile = file,
            Output = call.Value(output) ?? throw new UsageException("activations writes a file: name it with --out FILE.safetensors."),
            Layers = call.Value(layers) is { } list ? Numbers(list) : null,
            Sites = [.. (call.Value(site) ?? []).Select(Site.Parse)],
            Logits = !call.Value(noLogits),
            DType = call.Value(type) ?? DType.Float32,
            Device = call.Global.Device ?? Device.Cpu,
            Guardrails = call.Value(guardrail) ?? [],
        };
        var path = LanguageOptions.Find(call.Value(model));
        var written = await Task.Run(() => Engine.Run(() =>
        {
            LanguageOptions.Setup(call);
            return Activations.Write(path, request);
        }));
        return new Outcome(written, console => console.Profile.Out.Writer.WriteLine(written.File));
    }

    private static List<int> Numbers(string list)
    {
        var numbers = new List<int>();
        foreach (var part in list.Split(','))
        {
            var ends = part.Split('-');
            int? Number(string digits) => int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < 100_000 ? number : null;
            if (ends.Length > 2 || Number(ends[0]) is not { } first || Number(ends[^1]) is not { } last || first > last)
                throw new UsageException($"--layers is '{list}'; it takes numbers and ranges such as 0,7,10-12.");
            numbers.AddRange(Enumerable.Range(first, last - first + 1));
        }
        return numbers;
    }
}
