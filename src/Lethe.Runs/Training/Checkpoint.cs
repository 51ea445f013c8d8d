using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Lethe.Formats;
using Lethe.Torch;

namespace Lethe.Runs;

/// <summary>Where a training loop stood.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Seconds">Seconds spent on them, over all attempts.</param>
internal sealed record CheckpointPosition(long Step, double Seconds);

/// <summary>
/// A training loop's state in one safetensors file: the tensors, and the values in its metadata. It is written whole or not at all, so
/// the previous one is there until the new one is.
/// </summary>
internal static class Checkpoint
{
    private const string Schema = "lethe.checkpoint/1";
    private const string ValuePrefix = "value:";

    /// <summary>Writes a checkpoint.</summary>
    /// <param name="path">The file.</param>
    /// <param name="digest">Digest of the stage that it belongs to.</param>
    /// <param name="loop">The loop.</param>
    /// <param name="seconds">Seconds spent so far.</param>
    public static void Write(string path, string digest, ITrainingLoop loop, double seconds)
    {
        var state = new StateWriter();
        loop.Save(state);
        var metadata = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["schema"] = Schema,
            ["digest"] = digest,
            ["step"] = loop.Step.ToString(CultureInfo.InvariantCulture),
            ["seconds"] = seconds.ToString("R", CultureInfo.InvariantCulture),
            ["sha256"] = Sum(state.Tensors, state.Values),
        };
        foreach (var (name, value) in state.Values)
            metadata.Add(ValuePrefix + name, value);
        SafetensorsWriter.Write(path, state.Tensors, metadata);
    }

    /// <summary>Reads a checkpoint into a loop that stands at its start.</summary>
    /// <param name="path">The file.</param>
    /// <param name="digest">Digest of the stage that it must belong to.</param>
    /// <param name="loop">The loop.</param>
    /// <param name="damage">What is wrong with it; null if nothing is, or there is none.</param>
    /// <returns>Where the loop stands now; null if there was no good checkpoint, and then the loop is untouched.</returns>
    /// <exception cref="BadInputException">The loop does not accept a state that is whole: a mistake, since the digest is the same.</exception>
    public static CheckpointPosition? TryRead(string path, string digest, ITrainingLoop loop, out string? damage)
    {
        damage = null;
        if (!File.Exists(path))
            return null;
        IReadOnlyDictionary<string, HostArray> tensors;
        Dictionary<string, string> values;
        CheckpointPosition position;
        try
        {
            using var file = SafetensorsFile.Open(path);
            if (file.Metadata.GetValueOrDefault("schema") != Schema || file.Metadata.GetValueOrDefault("digest") != digest)
                return null;
            tensors = file.ReadAll();
            values = file.Metadata.Where(pair => pair.Key.StartsWith(ValuePrefix, StringComparison.Ordinal)).ToDictionary(pair => pair.Key[ValuePrefix.Length..], pair => pair.Value, StringComparer.Ordinal);
            position = new CheckpointPosition(long.Parse(file.Metadata["step"], CultureInfo.InvariantCulture), double.Parse(file.Metadata["seconds"], CultureInfo.InvariantCulture));
            if (Sum(tensors, values) != file.Metadata["sha256"])
                throw new BadInputException($"{path}: its content has changed since it was written.");
        }
        catch (Exception e) when (e is BadInputException or KeyNotFoundException or FormatException or OverflowException)
        {
            damage = e.Message;
            return null;
        }
        loop.Load(new StateReader(tensors, values));
        if (loop.Step != position.Step)
            throw new InvalidOperationException($"The loop stands at step {loop.Step} after loading a checkpoint of step {position.Step}: its Load does not undo its Save.");
        return position;
    }

    /// <summary>SHA-256 over names, types, shapes and bytes of the tensors, and over the values.</summary>
    private static string Sum(IReadOnlyDictionary<string, HostArray> tensors, IReadOnlyDictionary<string, string> values)
    {
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, array) in tensors.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            sum.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{name}\0{array.Type}\0{string.Join(',', array.Shape)}\0")));
            sum.AppendData(array.Bytes.Span);
        }
        foreach (var (name, value) in values.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            sum.AppendData(Encoding.UTF8.GetBytes($"{name}\0{value}\0"));
        return Convert.ToHexStringLower(sum.GetHashAndReset());
    }
}
