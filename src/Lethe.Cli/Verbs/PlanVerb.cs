using System.CommandLine;
using System.Globalization;
using Lethe.Cli.Frame;
using Lethe.Runs;
using Lethe.Torch;

namespace Lethe.Cli.Verbs;

/// <summary>What the verbs share that run a plan: its file, overrides, where the run goes.</summary>
public abstract class PlanVerb : Verb
{
    private readonly Argument<string> plan = Typed.Required("PLAN", "The plan, a YAML file; plans/ has ready ones.");
    private readonly Option<string[]> set = new("--set") { HelpName = "KEY=VALUE", Description = "Lays a value over the plan's, such as method.strength=0.5; may be given several times; default: the plan as it is.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string?> output = Typed.Text("--output", "FOLDER", "The run's folder; default: below runs/, named after the plan and its digest, so that the same plan finds its run again.");

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [plan];

    /// <inheritdoc/>
    public override IReadOnlyList<Option> Options => [set, output];

    /// <summary>The plan's file.</summary>
    protected string PlanFile(Call call) => call.Value(plan);

    /// <summary>The overrides of --set.</summary>
    protected IReadOnlyList<string> Set(Call call) => call.Value(set) ?? [];

    /// <summary>Overrides of the plan: those of --set, and --seed.</summary>
    protected IEnumerable<string> Overrides(Call call) => Set(call).Concat(SeedOverride(call));

    /// <summary>The override that --seed stands for; none where it was not given.</summary>
    public static IEnumerable<string> SeedOverride(Call call) => call.Global.Seed is { } seed ? ["seed=" + seed.ToString(CultureInfo.InvariantCulture)] : [];

    /// <summary>Runs on the torch thread with everything that a pipeline is given.</summary>
    protected Task<T> OnEngine<T>(Call call, Func<RunContext, T> run, bool anyDevice = false) => OnEngine(call, call.Value(output), run, anyDevice);

    /// <summary>Runs on the torch thread with everything that a pipeline is given.</summary>
    /// <param name="call">The call.</param>
    /// <param name="folder">The run's folder; null names it after plan and digest.</param>
    /// <param name="run">The pipeline.</param>
    /// <param name="anyDevice">Whether the pipeline computes on any device, or says itself which it does not.</param>
    public static async Task<T> OnEngine<T>(Call call, string? folder, Func<RunContext, T> run, bool anyDevice = false)
    {
        await using var progress = call.Progress();
        return await Task.Run(() => Engine.Run(() =>
        {
            Setup(call, anyDevice);
            return run(new RunContext
            {
                RunFolder = folder,
                Progress = progress.Sink,
                Cancellation = call.Stop,
                ResumeHint = call.ResumeHint,
                Device = call.Global.Device ?? Device.Cpu,
            });
        }));
    }

    /// <summary>Sets threads and checks the device before any work.</summary>
    /// <param name="call">The call.</param>
    /// <param name="anyDevice">Whether what follows computes on any device that is there.</param>
    /// <exception cref="UsageException">There is no such device, or the pipelines of images do not run there yet.</exception>
    public static void Setup(Call call, bool anyDevice = false)
    {
        Engine.Threads = call.Global.ThreadsOrCores;
        if (call.Global.Device is not { } device || device == Device.Cpu)
            return;
        if (!anyDevice)
            throw new UsageException($"--device is {device}; runs of conditional VAEs are computed on the cpu, where they take minutes. Leave --device out.");
        Engine.Require(device);
    }
}
