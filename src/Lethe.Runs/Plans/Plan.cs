using System.Text;
using System.Text.Json.Nodes;
using Lethe.Torch;

namespace Lethe.Runs.Plans;

/// <summary>What a run folder needs to know of a plan, whatever its type.</summary>
public interface IPlan
{
    /// <summary>The plan with every default spelled out and explained; what runs/&lt;id&gt;/plan.yaml holds.</summary>
    string Resolved { get; }

    /// <summary>SHA-256 of the plan's canonical JSON, lower-case hexadecimal.</summary>
    string Digest { get; }

    /// <summary>Compares with a plan that was resolved earlier, perhaps by another version of Lethe: keys that it lacks have their defaults.</summary>
    /// <param name="yaml">The other plan.</param>
    /// <param name="source">Name of its file.</param>
    /// <returns>The keys that differ, with both values; empty if the plans are the same.</returns>
    /// <exception cref="UsageException">The other plan cannot be read by this version.</exception>
    IReadOnlyList<PlanDifference> DifferencesFrom(string yaml, string source);
}

/// <summary>A key whose value differs between two plans.</summary>
/// <param name="Path">The key, such as "method.strength".</param>
/// <param name="Other">The other plan's value as JSON.</param>
/// <param name="Ours">This plan's value as JSON.</param>
public sealed record PlanDifference(string Path, string Other, string Ours)
{
    /// <summary>The difference in words.</summary>
    public override string ToString() => $"{Path} is {Other} there and {Ours} here";
}

/// <summary>A plan: typed, checked, every default filled in.</summary>
/// <typeparam name="T">The plan record, or the abstract record of its kinds.</typeparam>
/// <param name="Value">What the plan says.</param>
/// <param name="Source">Name of the file that it was read from.</param>
public sealed record Plan<T>(T Value, string Source) : IPlan where T : class
{
    /// <inheritdoc/>
    public string Resolved => PlanWriter.Write(Value, typeof(T));

    /// <inheritdoc/>
    public string Digest => CanonicalJson.Digest(Value);

    /// <inheritdoc/>
    public IReadOnlyList<PlanDifference> DifferencesFrom(string yaml, string source)
    {
        var differences = new List<PlanDifference>();
        Compare("", CanonicalJson.Node(PlanReader.Parse<T>(yaml, source).Value), CanonicalJson.Node(Value), differences);
        return differences;
    }

    private static void Compare(string path, JsonNode? other, JsonNode? ours, List<PlanDifference> differences)
    {
        if (other is JsonObject otherKeys && ours is JsonObject ourKeys)
        {
            foreach (var key in otherKeys.Concat(ourKeys).Select(member => member.Key).Distinct())
                Compare(path.Length == 0 ? key : $"{path}.{key}", otherKeys[key], ourKeys[key], differences);
        }
        else if (!JsonNode.DeepEquals(other, ours))
        {
            differences.Add(new PlanDifference(path, CanonicalJson.Of(other), CanonicalJson.Of(ours)));
        }
    }
}

/// <summary>Reads plans.</summary>
public static class PlanReader
{
    /// <summary>Reads a plan file.</summary>
    /// <typeparam name="T">The plan record, or the abstract record of its kinds.</typeparam>
    /// <param name="path">The file.</param>
    /// <param name="overrides">Overrides such as "method.strength=50", laid over the file in their order.</param>
    /// <exception cref="UsageException">There is no such file, or the plan or an override is not right; the message says where and what is allowed.</exception>
    public static Plan<T> Read<T>(string path, IEnumerable<string>? overrides = null) where T : class => Parse<T>(Text(path), path, overrides);

    /// <summary>Reads a plan file and lays values over it that another plan wrote, such as one point of a sweep's grid.</summary>
    /// <typeparam name="T">The plan record, or the abstract record of its kinds.</typeparam>
    /// <param name="path">The file.</param>
    /// <param name="values">The values, laid over the file in their order; an error points at where they were written.</param>
    /// <exception cref="UsageException">There is no such file, or the plan or a value is not right.</exception>
    public static Plan<T> Read<T>(string path, IEnumerable<PlanAssignment> values) where T : class =>
        new((T)PlanBinder.Bind(values.Aggregate(PlanParser.Parse(Text(path), path), PlanOverride.Apply), typeof(T)), path);

    /// <summary>The text of a plan file.</summary>
    /// <exception cref="UsageException">There is no such file, or it is no text of a plan's size.</exception>
    internal static string Text(string path)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > PlanParser.LargestPlan } file)
                throw new UsageException($"{path} has {file.Length} bytes; a plan has at most {PlanParser.LargestPlan}. Is it a plan?");
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(File.ReadAllBytes(path)).TrimStart('\uFEFF');
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UsageException($"{path}: there is no such plan; give the path of a YAML file.", e);
        }
        catch (DecoderFallbackException e)
        {
            throw new UsageException($"{path}: the plan is not UTF-8 text; save it as UTF-8.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{path}: the plan cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Reads a plan's text.</summary>
    /// <typeparam name="T">The plan record, or the abstract record of its kinds.</typeparam>
    /// <param name="yaml">The text.</param>
    /// <param name="source">Name that errors give it.</param>
    /// <param name="overrides">Overrides such as "method.strength=50", laid over the text in their order.</param>
    /// <exception cref="UsageException">The plan or an override is not right; the message says where and what is allowed.</exception>
    public static Plan<T> Parse<T>(string yaml, string source, IEnumerable<string>? overrides = null) where T : class =>
        new((T)PlanBinder.Bind((overrides ?? []).Aggregate(PlanParser.Parse(yaml, source), PlanOverride.Apply), typeof(T)), source);
}
