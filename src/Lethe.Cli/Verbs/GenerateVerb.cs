using System.CommandLine;
using Lethe.Cli.Frame;
using Lethe.Runs.Generative;
using Lethe.Torch;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe generate</c>: samples of a model as a picture.</summary>
public sealed class GenerateVerb : Verb
{
    private readonly Argument<string> model = Typed.Required("MODEL", "A safetensors file, a torch checkpoint, a model folder, or a run.");
    private readonly Option<string[]> label = new("--label") { HelpName = "LABEL", Description = "What to draw, by number, or by name where MODEL is a run; may be given several times, a row each; default: every label.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<long?> count = Typed.Whole("--count", "N", 1, 1000, "Samples of each label; default: 10.");
    private readonly Option<string?> output = Typed.Text("--output", "FILE.png", "The picture to write; default: none, it has to be named.");

    /// <inheritdoc/>
    public override string Name => "generate";

    /// <inheritdoc/>
    public override string Summary => "Draws samples of a model into a picture.";

    /// <inheritdoc/>
    public override string Description =>
        "Draws samples of a conditional image generator into one PNG. Every label is drawn from the same latents, so that a column shows what the label alone changes, and two models drawn with the same "
        + "--seed (default 0) can be laid side by side.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("generate runs/quickstart --output samples.png", "ten samples of every label"),
        new("generate runs/quickstart --label Sneaker --count 100 --output sneakers.png", "a hundred of one"),
        new("generate model.safetensors --label 3 --label 8 --seed 7 --output digits.png", "two labels, other noise"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [model];

    /// <inheritdoc/>
    public override IReadOnlyList<Option> Options => [label, count, output];

    /// <inheritdoc/>
    public override async Task<Outcome> Run(Call call)
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
}
