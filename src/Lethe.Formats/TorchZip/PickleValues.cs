using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>A Python dict, or an OrderedDict: entries in the order in which they were set. Keys are texts or whole numbers.</summary>
internal sealed class PickleDict
{
    public OrderedDictionary<object, object?> Items { get; } = new(Keys);

    private static readonly KeyComparer Keys = new();

    /// <summary>Numbers hash with a seed, as texts do, so that no file can choose keys that all collide.</summary>
    private sealed class KeyComparer : IEqualityComparer<object>
    {
        public new bool Equals(object? left, object? right) => object.Equals(left, right);

        public int GetHashCode(object key) => key is long number ? HashCode.Combine((int)number, (int)(number >> 32)) : key.GetHashCode();
    }
}

/// <summary>A Python list.</summary>
internal sealed class PickleList
{
    public List<object?> Items { get; } = [];
}

/// <summary>A Python tuple, or a torch.Size.</summary>
internal sealed record PickleTuple(object?[] Items);

/// <summary>A name from a Python module that the unpickler knows. Nothing is ever called: REDUCE builds what the name stands for.</summary>
internal sealed record PickleGlobal(GlobalKind Kind, string Name, DType? Type = null);

/// <summary>What a known name stands for.</summary>
internal enum GlobalKind
{
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Size,
    StorageType,
}

/// <summary>The bytes that a tensor lies in: an entry of the archive.</summary>
/// <param name="Key">The entry's name below data/.</param>
/// <param name="Type">Element type.</param>
/// <param name="Count">Elements.</param>
internal sealed record TorchStorage(string Key, DType Type, long Count);

/// <summary>A tensor as the pickle describes it: a view of a storage. All numbers have been checked.</summary>
internal sealed record TorchTensor(TorchStorage Storage, long Offset, long[] Shape, long[] Strides);
