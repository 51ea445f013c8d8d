using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Lethe.Formats.Tests.TorchZip;

/// <summary>Puts pickles and checkpoints together instruction by instruction, good or bad.</summary>
internal sealed class Pickle
{
    private readonly List<byte> bytes = [0x80, 2];

    public byte[] Bytes => [.. bytes, (byte)'.'];

    public Pickle Op(params byte[] instruction)
    {
        bytes.AddRange(instruction);
        return this;
    }

    public Pickle Op(char instruction, params byte[] argument) => Op([(byte)instruction, .. argument]);

    public Pickle Text(string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, utf8.Length);
        return Op('X').Op(length).Op(utf8);
    }

    public Pickle Int(long value)
    {
        var number = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(number, value);
        return Op(0x8a, 8).Op(number);
    }

    public Pickle Global(string module, string name) => Op('c').Op(Encoding.UTF8.GetBytes($"{module}\n{name}\n"));

    public Pickle Ints(params long[] values)
    {
        Op('(');
        foreach (var value in values)
            Int(value);
        return Op('t');
    }

    /// <summary>A tensor of float32 in the storage 0.</summary>
    public Pickle Tensor(long storageCount, long offset, long[] shape, long[] strides, string key = "0", string storage = "FloatStorage") =>
        Global("torch._utils", "_rebuild_tensor_v2").Op('(').Op('(').Text("storage").Global("torch", storage).Text(key).Text("cpu").Int(storageCount).Op('t').Op('Q')
            .Int(offset).Ints(shape).Ints(strides).Op(0x89).Global("collections", "OrderedDict").Op(')').Op('R').Op('t').Op('R');

    /// <summary>{name: what <paramref name="value"/> builds}.</summary>
    public static Pickle Dict(string name, Func<Pickle, Pickle> value) => value(new Pickle().Op('}').Text(name)).Op('s');

    public static byte[] Zip(byte[] pickle, params (string Name, byte[] Bytes)[] others)
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var (name, content) in others.Prepend(("data.pkl", pickle)))
            {
                using var entry = zip.CreateEntry("archive/" + name, CompressionLevel.NoCompression).Open();
                entry.Write(content);
            }
        return stream.ToArray();
    }

    /// <summary>A checkpoint with a storage 0 of n float32: 0, 1, 2, …</summary>
    public byte[] Checkpoint(int floats = 6) => Zip(Bytes, ("data/0", [.. Enumerable.Range(0, floats).SelectMany(i => BitConverter.GetBytes((float)i))]));
}
