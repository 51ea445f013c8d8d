using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Lethe.Evaluation.Language;

namespace Lethe.Runs.Language.Topics;

/// <summary>Names of entities, and texts, in the form that they are compared in.</summary>
public static class EntityName
{
    /// <summary>The text in lower case (invariant), runs of white space as one space, none at the ends. Accents stay: "Lao-zi" and "lao-zi" are one, "resume" and "résumé" are two.</summary>
    public static string Normal(string text)
    {
        var normal = new StringBuilder(text.Length);
        var space = false;
        foreach (var letter in text)
        {
            if (WhiteSpace.Is(letter))
            {
                space = normal.Length > 0;
                continue;
            }
            if (space)
                normal.Append(' ');
            space = false;
            normal.Append(char.ToLowerInvariant(letter));
        }
        return normal.ToString();
    }

    /// <summary>A number that a name draws under a seed, for an order that does not depend on which other names there are.</summary>
    internal static ulong Draw(ulong seed, string purpose, string name) =>
        BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{seed}\n{purpose}\n{name}"))));
}
