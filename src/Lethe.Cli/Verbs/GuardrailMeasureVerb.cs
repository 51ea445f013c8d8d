using System.CommandLine;
using System.Globalization;
using Lethe.Cli.Frame;
using Lethe.Evaluation;
using Lethe.Runs.Guardrails;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe guardrail measure</c>: how often a guardrail edits harmless text, and text that it is for.</summary>
public sealed class GuardrailMeasureVerb : Verb
{
    private readonly Argument<string> model = Typed.Required("MODEL", LanguageOptions.ModelDescription);
    private readonly Option<string?> guardrail = Typed.Text("--guardrail", "FOLDER", "The guardrail; default: none, it has to be given.");
    private readonly Option<string[]> benign = new("--benign") { HelpName = "FILE[:FIELD,...]", Description = "Harmless text that calibration did not read, with the fields that make a text where the file has rows; may be given several times; default: none, it has to be given.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string[]> forget = new("--forget") { HelpName = "FILE[:FIELD,...]", Description = "Text that the guardrail is for; may be given several times; default: none, and only harmless text is measured.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<long?> length = Typed.Whole("--length", "N", 2, 1_048_576, "The most tokens of a sequence; default: that of the calibration.");
    private readonly Option<long?> sequences = Typed.Whole("--sequences", "N", 1, 10_000_000, "The most sequences of each kind of text; default: 2000.");

    /// <inheritdoc/>
    public override string Name => "measure";

    /// <inheritdoc/>
    public override string Summary => "Measures how often a guardrail edits harmless text, and text that it is for";

    /// <inheritdoc/>
    public override string Description =>
        "Reads texts through the guarded model and counts: the share of harmless texts in which something was edited (false positives), the same of texts that the guardrail is for, shares of positions, and how well what it decides by "
        + "tells the two apart whatever the threshold (area under the ROC curve).";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("guardrail measure model/ --guardrail guardrails/dog --benign harmless.txt --forget subject.jsonl:text", "false positives and interventions"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [model];

    /// <inheritdoc/>
    public override IReadOnlyList<Option> Options => [guardrail, benign, forget, length, sequences];

    /// <inheritdoc/>
    public override async Task<Outcome> Run(Call call)
    {
        var folder = call.Value(guardrail) ?? throw new Torch.UsageException("--guardrail is missing; name the guardrail's folder.");
        if (call.Value(benign) is not { Length: > 0 } harmless)
            throw new Torch.UsageException("--benign is missing; name one or more files of harmless text.");
        var request = new GuardrailMeasureRequest(LanguageOptions.Find(call.Value(model)), folder, [.. harmless.Select(LanguageOptions.Text)], [.. (call.Value(forget) ?? []).Select(LanguageOptions.Text)],
            (int?)call.Value(length), (int)(call.Value(sequences) ?? 2000));
        var result = await PlanVerb.OnEngine(call, null, context => GuardrailMeasuring.Run(request, context), anyDevice: true);
        return new Outcome(result, console =>
        {
            void Line(string name, Measure? measure)
            {
                if (measure is not null)
                    console.Profile.Out.Writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
                        $"{name,-42} {measure.Value,7:0.0000}{(measure.Interval is { } interval ? $"  [{interval.Low:0.0000}, {interval.High:0.0000}]" : "")}  n = {measure.N}"));
            }
            Line("harmless texts edited (false positives)", result.Rates.FalsePositiveRate);
            Line("harmless positions edited", result.Rates.BenignPositions);
            Line("texts that it is for edited", result.Rates.InterventionRate);
            Line("positions of those edited", result.Rates.ForgetPositions);
            Line("area under the ROC curve", result.Rates.Separation);
        });
    }
}
