using System.Globalization;

namespace Lethe.Runs;

/// <summary>Sizes for people.</summary>
public static class ByteSize
{
    /// <summary>"512 bytes", "1.5 MiB", "20 GiB".</summary>
    public static string Words(long bytes)
    {
        string[] units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
        var size = (double)bytes;
        var unit = 0;
        for (; Math.Abs(size) >= 1024 && unit < units.Length - 1; unit++)
            size /= 1024;
        return size.ToString(unit == 0 || Math.Abs(size) >= 100 ? "F0" : "0.#", CultureInfo.InvariantCulture) + " " + units[unit];
    }
}
