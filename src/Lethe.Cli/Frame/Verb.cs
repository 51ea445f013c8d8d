using System.CommandLine;
using Lethe.Runs.Plans;

namespace Lethe.Cli.Frame;

/// <summary>A command line as a user would type it, and what it does.</summary>
/// <param name="Command">What follows <c>./lethe</c>.</param>
/// <param name="Meaning">What it does: a few words, no full stop.</param>
public sealed record Example(string Command, string Meaning);

/// <summary>One verb of the command line: how it is called and explained, and what it does. A verb is registered in <see cref="LetheCommandLine"/>.</summary>
public abstract class Verb
{
    /// <summary>The word that calls it.</summary>
    public abstract string Name { get; }

    /// <summary>What it does, in one line without a full stop; stands in the list of verbs.</summary>
    public abstract string Summary { get; }

    /// <summary>What a user has to know before using it; a paragraph or two, separated by an empty line.</summary>
    public abstract string Description { get; }

    /// <summary>How it is used; what help shows first.</summary>
    public abstract IReadOnlyList<Example> Examples { get; }

    /// <summary>What it takes by position.</summary>
    public virtual IReadOnlyList<Argument> Arguments => [];

    /// <summary>Its own options; the global ones are added by the frame.</summary>
    public virtual IReadOnlyList<Option> Options => [];

    /// <summary>The verbs below it; a verb that has some does nothing on its own.</summary>
    public virtual IReadOnlyList<Verb> Verbs => [];

    /// <summary>The keys of the plan that it takes, for help; empty for a verb that takes none.</summary>
    public virtual IReadOnlyList<PlanHelpEntry> PlanKeys => [];

    /// <summary>Does it.</summary>
    /// <returns>What it found or made; the frame prints it, as text or as JSON.</returns>
    /// <exception cref="Torch.LetheException">An error that the user can act on.</exception>
    /// <exception cref="OperationCanceledException">The user stopped it.</exception>
    public virtual Task<Outcome> Run(Call call) => throw new InvalidOperationException($"'{Name}' is a group of verbs and was called itself.");
}
