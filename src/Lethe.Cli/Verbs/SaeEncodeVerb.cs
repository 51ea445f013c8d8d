using System.CommandLine;
using System.Globalization;
using Lethe.Cli.Frame;
using Lethe.Runs.SparseAutoencoders;
using Lethe.Torch;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe sae encode</c>: activations in, latents and reconstructions out.</summary>
public sealed class SaeEncodeVerb : Verb
{
    private readonly Argument<string> sae = Typed.Required("SAE", "The autoencoder: a folder of SAELens or dictionary_learning, a params.npz of Gemma Scope, a safetensors file, or a run.");
    private readonly Option<string?> input = Typed.Text("--input", "FILE", "Activations: a safetensors file with one tensor (..., D), or with one called x; default: none, it has to be given.");
    private readonly Option<string?> output = Typed.Text("--out", "FILE", "The safetensors file to write: x as it was read, z = encode(x), x_hat = decode(z); default: none, it has to be given.");

    /// <inheritdoc/>
    public override string Name => "encode";

    /// <inheritdoc/>
    public override string Summary => "Encodes stored activations.";

    /// <inheritdoc/>
    public override string Description =>
        "Reads activations, encodes and decodes them in float32 and writes x (..., D), z (..., K) and x_hat (..., D). Says how many latents are active on average and how much of the variance is explained. The autoencoder need not name a site.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("sae encode tests/Fixtures/sae/saelens/topk --input tests/Fixtures/sae/saelens/topk/golden.safetensors --out z.safetensors", "latents of stored activations"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [sae];

    /// <inheritdoc/>
    public override IReadOnlyList<Option> Options => [input, output];

    /// <inheritdoc/>
    public override async Task<Outcome> Run(Call call)
    {
        var from = call.Value(input) ?? throw new UsageException("--input is missing; give a safetensors file with activations.");
        var to = call.Value(output) ?? throw new UsageException("--out is missing; give the safetensors file to write.");
        var result = await Task.Run(() => Engine.Run(() =>
        {
            Engine.Threads = call.Global.ThreadsOrCores;
            var device = call.Global.Device ?? Device.Cpu;
            Engine.Require(device);
            return SaeEncoding.Run(call.Value(sae), from, to, device);
        }));
        return new Outcome(result, console => console.Profile.Out.Writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{result.Architecture}, {result.InputSize} -> {result.Width}{(result.Site is null ? "" : $", {result.Site}")}\n{result.Rows} activations, {result.ActiveLatents:0.##} latents active on average{(result.ExplainedVariance is { } share ? $", explained variance {share:0.0000}" : "")}\n{to}")));
    }
}
