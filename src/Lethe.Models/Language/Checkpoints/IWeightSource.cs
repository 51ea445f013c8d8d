using Lethe.Torch;

namespace Lethe.Models.Language.Checkpoints;

/// <summary>
/// The weights of a checkpoint under Hugging Face's names, opened but not loaded. Every call reads from the file what it was asked for and
/// lets go of the file's pages again, so that a slice of a model takes the memory of that slice.
/// </summary>
/// <remarks>Not bound to a thread; calls from several threads at once are allowed until it is disposed.</remarks>
public interface IWeightSource : IDisposable
{
    /// <summary>All tensors, in the file's order. A tied head is not among them.</summary>
    IReadOnlyCollection<string> Names { get; }

    /// <summary>Whether there is a tensor of that name.</summary>
    bool Contains(string name);

    /// <summary>A tensor's sizes, and the type that <see cref="Read(string)"/> gives: the stored one, or float32 for quantised blocks.</summary>
    /// <exception cref="BadInputException">There is none of that name, or its type is one that Lethe cannot read.</exception>
    (long[] Shape, DType Stored) Describe(string name);

    /// <summary>A tensor, row-major, in the stored type, or in float32 for quantised blocks.</summary>
    /// <exception cref="BadInputException">There is none of that name, its type is one that Lethe cannot read, or it takes more than 2 GiB: read it by rows.</exception>
    HostArray Read(string name);

    /// <summary>Some rows of a matrix, in the order asked for and as often as asked for; nothing else is read.</summary>
    /// <param name="name">A tensor of at least one dimension.</param>
    /// <param name="rows">Row numbers, 0 to shape[0] − 1.</param>
    /// <returns>(rows, shape[1], …), in the type of <see cref="Describe"/>.</returns>
    /// <exception cref="BadInputException">As for <see cref="Read(string)"/>, or the tensor is a scalar.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A row number is outside the tensor.</exception>
    HostArray ReadRows(string name, ReadOnlySpan<long> rows);

    /// <summary>Consecutive rows into memory of the caller's: what loads a matrix piece by piece where it will live.</summary>
    /// <param name="name">A tensor of at least one dimension.</param>
    /// <param name="first">The first row, from 0.</param>
    /// <param name="count">Number of rows; first + count is at most shape[0].</param>
    /// <param name="destination">Exactly the bytes of these rows in the type of <see cref="Describe"/>.</param>
    /// <exception cref="BadInputException">As for <see cref="Read(string)"/>, or the tensor is a scalar.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The rows lie outside the tensor.</exception>
    /// <exception cref="ArgumentException">The destination has another length.</exception>
    void ReadRows(string name, long first, long count, Span<byte> destination);

    /// <summary>The file that holds a tensor, and its name there where it differs: what errors about it begin with.</summary>
    /// <exception cref="BadInputException">There is none of that name.</exception>
    string Where(string name);
}
