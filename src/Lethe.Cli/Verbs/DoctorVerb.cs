using System.CommandLine;
using Lethe.Cli.Doctor;
using Lethe.Cli.Frame;
using Spectre.Console;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe doctor</c>: what this machine has of what Lethe needs.</summary>
public sealed class DoctorVerb : Verb
{
    private readonly Option<bool> install = Typed.Flag("--install", "First install the system packages that are missing (root, or sudo without a password); default: only look.");

    /// <inheritdoc/>
    public override string Name => "doctor";

    /// <inheritdoc/>
    public override string Summary => "Is everything here that Lethe needs?";

    /// <inheritdoc/>
    public override string Description =>
        "Looks at the .NET runtime, the processor, memory, disk, system packages, data sets, libtorch with its BLAS, and GPUs, and says what is missing and what to do about it. Changes nothing without --install.\n\n"
        + "Ends with 2 if something is missing that Lethe does not work without.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("doctor", "look"),
        new("doctor --install", "install what is missing, then look"),
        new("doctor --json", "the same for a program"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Option> Options => [install];

    /// <inheritdoc/>
    public override async Task<Outcome> Run(Call call)
    {
        var packages = new SystemPackages(Home.Folder);
        if (call.Value(install))
            await packages.Install(call.Say, call.Stop);
        Finding[] findings =
        [
            MachineChecks.Runtime(),
            MachineChecks.Processor(),
            MachineChecks.Memory(await File.ReadAllTextAsync("/proc/meminfo", call.Stop)),
            MachineChecks.Disk(Environment.CurrentDirectory),
            await packages.Check(call.Stop),
            .. DataListVerb.All().Select(DataSet),
            .. TorchChecks.Check(call.Global.ThreadsOrCores),
        ];
        var healthy = findings.All(finding => finding.State != FindingState.Missing);
        return new Outcome(new DoctorReport(healthy, findings), console => Show(console, findings), healthy ? ExitCodes.Ok : ExitCodes.Usage);
    }

    // Only the demo needs a data set, and any of them can be given as files.
    private static Finding DataSet(DataEntry entry) =>
        entry.Folder is { } folder ? new(entry.Name, FindingState.Ok, folder) : new(entry.Name, FindingState.Warning, "not found", entry.Missing);

    private static void Show(IAnsiConsole console, IReadOnlyList<Finding> findings)
    {
        var lines = console.Profile.Out.Writer;
        var name = findings.Max(finding => finding.Name.Length) + 2;
        foreach (var finding in findings)
        {
            var (word, colour) = finding.State switch
            {
                FindingState.Ok => ("ok", Color.Green),
                FindingState.Warning => ("warning", Color.Yellow),
                _ => ("missing", Color.Red),
            };
            console.Write(new Text(word.PadRight(9), new Style(colour)));
            // Written past Spectre, which would break a command in two where the line ends.
            lines.WriteLine(finding.Name.PadRight(name) + finding.Found);
            if (finding.Advice is { } advice)
                lines.WriteLine(new string(' ', 9 + name) + advice);
        }
    }
}

/// <summary>What <c>doctor --json</c> prints.</summary>
/// <param name="Healthy">Whether nothing is missing that Lethe does not work without.</param>
/// <param name="Findings">What was looked at.</param>
public sealed record DoctorReport(bool Healthy, IReadOnlyList<Finding> Findings)
{
    /// <summary>Version of this layout.</summary>
    public string Schema { get; init; } = "lethe.doctor/1";
}
