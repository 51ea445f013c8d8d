namespace Lethe.Torch;

/// <summary>Collects what a checkpoint holds: tensors by name, and small text values (counters, generator positions).</summary>
public sealed class StateWriter
{
    private readonly SortedDictionary<string, HostArray> tensors = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> values = new(StringComparer.Ordinal);

    /// <summary>The tensors written so far.</summary>
    public IReadOnlyDictionary<string, HostArray> Tensors => tensors;

    /// <summary>The values written so far.</summary>
    public IReadOnlyDictionary<string, string> Values => values;

    /// <summary>Adds an array. Names are unique.</summary>
    public void Add(string name, HostArray array) => tensors.Add(name, array);

    /// <summary>Adds a value. Names are unique.</summary>
    public void Add(string name, string value) => values.Add(name, value);

    /// <summary>Adds a whole number.</summary>
    public void Add(string name, long value) => values.Add(name, value.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>Adds a real number, exactly.</summary>
    public void Add(string name, double value) => values.Add(name, value.ToString("R", System.Globalization.CultureInfo.InvariantCulture));
}

/// <summary>Reads what a <see cref="StateWriter"/> collected.</summary>
public sealed class StateReader(IReadOnlyDictionary<string, HostArray> tensors, IReadOnlyDictionary<string, string> values)
{
    /// <summary>An array.</summary>
    /// <exception cref="BadInputException">There is none of that name.</exception>
    public HostArray Array(string name) => tensors.TryGetValue(name, out var array)
        ? array
        : throw new BadInputException($"The checkpoint has no tensor '{name}'; it belongs to another plan or another version. Start the run anew in an empty folder.");

    /// <summary>An array that must have the shape and element type of a tensor that it is to fill.</summary>
    /// <exception cref="BadInputException">There is none of that name, or it does not fit.</exception>
    public HostArray Array(string name, Tensor like)
    {
        var array = Array(name);
        if (array.Type != like.DType || !array.Shape.SequenceEqual(like.Shape.ToArray()))
            throw new BadInputException($"The checkpoint's tensor '{name}' is {array.Type.ToString().ToLowerInvariant()}[{string.Join(", ", array.Shape)}] where {like.Describe()} is needed; it belongs to another plan. Start the run anew in an empty folder.");
        return array;
    }

    /// <summary>A value.</summary>
    /// <exception cref="BadInputException">There is none of that name.</exception>
    public string Text(string name) => values.TryGetValue(name, out var value)
        ? value
        : throw new BadInputException($"The checkpoint has no value '{name}'; it belongs to another plan or another version. Start the run anew in an empty folder.");

    /// <summary>A whole number.</summary>
    public long Integer(string name) => long.TryParse(Text(name), System.Globalization.CultureInfo.InvariantCulture, out var value)
        ? value
        : throw new BadInputException($"The checkpoint's value '{name}' is '{Text(name)}', which is not a whole number.");

    /// <summary>A real number.</summary>
    public double Real(string name) => double.TryParse(Text(name), System.Globalization.CultureInfo.InvariantCulture, out var value)
        ? value
        : throw new BadInputException($"The checkpoint's value '{name}' is '{Text(name)}', which is not a number.");
}
