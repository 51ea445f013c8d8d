using System.CommandLine;
using System.Globalization;
using Lethe.Cli.Frame;
using Lethe.Runs.Guardrails;
using Lethe.Runs.Plans;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe guardrail calibrate</c>: a guardrail's folder from a plan.</summary>
public sealed class GuardrailCalibrateVerb : Verb
{
    private readonly Argument<string> plan = Typed.Required("PLAN", "The plan, a YAML file: model, autoencoder, latents, what is done about them, retain text.");
    private readonly Option<string[]> set = new("--set") { HelpName = "KEY=VALUE", Description = "Lays a value over the plan's, such as guardrail.percentile=99; may be given several times; default: the plan as it is.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string?> output = Typed.Text("--out", "FOLDER", "The guardrail's folder, which does not exist yet; default: none, it has to be named.");

    /// <inheritdoc/>
    public override string Name => "calibrate";

    /// <inheritdoc/>
    public override string Summary => "Makes a guardrail, with its threshold from retain text";

    /// <inheritdoc/>
    public override string Description =>
        "Reads retain text once through the model up to the autoencoder's site, chooses the threshold that the wanted share of texts does not exceed at any position, and writes a folder that needs nothing else. "
        + "Latents are chosen elsewhere; the plan lists them.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("guardrail calibrate plans/stories260K-guardrail.yaml --out guardrails/dog", "as the plan says"),
        new("guardrail calibrate plans/stories260K-guardrail.yaml --set guardrail.percentile=99 --out guardrails/quiet", "touches one text in a hundred"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [plan];

    /// <inheritdoc/>
    public override IReadOnlyList<Option> Options => [set, output];

    /// <inheritdoc/>
    public override IReadOnlyList<PlanHelpEntry> PlanKeys => PlanHelp.Entries(typeof(GuardrailPlan));

    /// <inheritdoc/>
    public override async Task<Outcome> Run(Call call)
    {
        var to = call.Value(output) ?? throw new Torch.UsageException("--out is missing; name the guardrail's folder.");
        var read = PlanReader.Read<GuardrailPlan>(call.Value(plan), call.Value(set) ?? []);
        var result = await PlanVerb.OnEngine(call, null, context => GuardrailCalibrating.Run(read, to, context), anyDevice: true);
        return new Outcome(result, console =>
        {
            var writer = console.Profile.Out.Writer;
            var c = result.Calibration;
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{result.Kind} at {result.Site}, {result.Latents.Count} latents"));
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{c.Sequences} retain texts, {c.Positions} positions: one of the latents is active at {c.FiringRate:P2} of them"));
            if (c.Threshold is { } threshold)
                writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"threshold {threshold:G5} (percentile {c.Percentile:G4})"));
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"edits something in {c.Touched:P2} of the retain texts"));
            writer.WriteLine(result.Folder);
        });
    }
}
