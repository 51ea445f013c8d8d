namespace Lethe.Runs;

/// <summary>What the numbers of a computation depend on besides its inputs and options.</summary>
/// <param name="ElementType">Element type that is computed in, such as "float32".</param>
/// <param name="Device">"cpu" or "cuda:0".</param>
/// <param name="Threads">Threads that libtorch computes with; sums depend on it.</param>
/// <param name="Libtorch">Version of libtorch; "none" for a stage without tensors.</param>
public sealed record EnvironmentFacts(string ElementType, string Device, int Threads, string Libtorch);

/// <summary>Something that a stage reads.</summary>
/// <param name="Name">What it is to the stage, such as "model".</param>
/// <param name="Digest">SHA-256 of its content: <see cref="Artefact.Content"/> of an earlier stage, or of a file.</param>
public sealed record StageInput(string Name, string Digest);

/// <summary>
/// One step of a pipeline: a pure function of what stands here. Its digest covers all of it, so that an artefact is used again exactly
/// where computing it again would give the same.
/// </summary>
public sealed record Stage
{
    /// <summary>Name within the run, such as "fisher": lower-case letters, digits and dashes.</summary>
    public required string Name { get; init; }

    /// <summary>The method that computes it, such as "fisher-closed-form".</summary>
    public required string Method { get; init; }

    /// <summary>Version of the method; raised whenever a change to the code changes what comes out.</summary>
    public required int Version { get; init; }

    /// <summary>The options that the method reads: a record, a dictionary or null; anything <see cref="CanonicalJson"/> takes. No paths: what lies there comes in as an input.</summary>
    public object? Options { get; init; }

    /// <summary>What it reads.</summary>
    public IReadOnlyList<StageInput> Inputs { get; init; } = [];

    /// <summary>What the numbers depend on besides.</summary>
    public required EnvironmentFacts Environment { get; init; }

    /// <summary>Whether the artefact may be found in, and is added to, the cache that runs share; false for what is cheap or of use to this run only.</summary>
    public bool Shared { get; init; } = true;

    /// <summary>SHA-256 over name, method, version, options, inputs and environment, lower-case hexadecimal.</summary>
    public string Digest => CanonicalJson.Digest(new Dictionary<string, object?>
    {
        ["name"] = Name,
        ["method"] = Method,
        ["version"] = Version,
        ["options"] = Options,
        ["inputs"] = Inputs,
        ["environment"] = Environment,
    });
}
