"""Writes the tables of canonical decomposition that .NET lacks where it runs without ICU (src/Lethe.Formats/Tokenizers/CanonicalData.cs).

    python3 eng/make-canonical-data.py > src/Lethe.Formats/Tokenizers/CanonicalData.cs
"""
import sys
import unicodedata as u

HANGUL = range(0xAC00, 0xD7A4)
points = [p for p in range(0x110000) if not 0xD800 <= p < 0xE000 and p not in HANGUL]
decompositions = []
for p in points:
    d = u.decomposition(chr(p))
    if d and not d.startswith("<"):
        # '!' where composition is excluded.
        mark = "=" if u.normalize("NFC", chr(p)) == chr(p) else "!"
        decompositions.append(f"{p:X}{mark}" + "+".join(x.lstrip("0") for x in d.split()))
classes = []
for p in points:
    c = u.combining(chr(p))
    if c and classes and classes[-1][1] == p - 1 and classes[-1][2] == c:
        classes[-1][1] = p
    elif c:
        classes.append([p, p, c])

def wrap(items):
    lines, line = [], ""
    for item in items:
        if len(line) + len(item) + 1 > 150:
            lines.append(line); line = ""
        line += item + " "
    return "\n".join("        " + x.rstrip() for x in lines + [line])

print(f'''namespace Lethe.Formats.Tokenizers;

/// <summary>Tables of Unicode {u.unidata_version}, written by eng/make-canonical-data.py; read by <see cref="CanonicalForm"/>.</summary>
internal static class CanonicalData
{{
    /// <summary>Character = the one or two characters it stands for, hexadecimal; "!" where composing them again is excluded.</summary>
    public const string Decompositions = """
{wrap(decompositions)}
        """;

    /// <summary>First-last:combining class; only classes other than 0.</summary>
    public const string Classes = """
{wrap(f"{a:X}-{b:X}:{c}" for a, b, c in classes)}
        """;
}}''')
