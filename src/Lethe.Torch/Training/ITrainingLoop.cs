namespace Lethe.Torch;

/// <summary>
/// A computation that advances in steps and can be stopped after any of them, saved, and continued later with the same result:
/// training, forgetting, relearning. Whoever drives it (a run) adds progress, metrics, checkpoints and cancellation.
/// </summary>
public interface ITrainingLoop
{
    /// <summary>Steps done so far; 0 at the start.</summary>
    long Step { get; }

    /// <summary>The most steps that this loop will take; it may finish earlier.</summary>
    long TotalSteps { get; }

    /// <summary>Whether there is nothing left to do: all steps done, or a stop criterion met.</summary>
    bool Finished { get; }

    /// <summary>Why the loop finished before <see cref="TotalSteps"/>; null if it did not.</summary>
    string? StopReason { get; }

    /// <summary>What a step works through, such as ("tokens", 4096), for the rate that whoever watches is shown; null counts steps.</summary>
    (string Unit, double PerStep)? Work => null;

    /// <summary>Does one step.</summary>
    /// <returns>What was measured in this step, by name, for example "loss"; names stay the same from step to step.</returns>
    /// <exception cref="RunFailedException">A loss is not finite; the message names the step.</exception>
    IReadOnlyList<(string Name, double Value)> Advance();

    /// <summary>
    /// Everything that the next step depends on: parameters, moments, averages, generator states, the data cursor. The tensors are
    /// copies, or are written before the next step.
    /// </summary>
    void Save(StateWriter state);

    /// <summary>Continues from a saved state: the following steps equal those of a loop that was never interrupted.</summary>
    /// <exception cref="BadInputException">The state lacks an entry or has one of another shape.</exception>
    void Load(StateReader state);
}
