using System.Text;

namespace Lethe.Formats.Tokenizers;

/// <summary>
/// One step from tokens to text. Steps work as a stream, so that text decoded token by token is, joined, exactly the text decoded at once: a step holds
/// back what later tokens may still change. A new chain of steps is made for each text.
/// </summary>
/// <remarks>huggingface/tokenizers at 3ba8ad0, decoders/ and pre_tokenizers/{byte_level,metaspace}.rs.</remarks>
internal abstract class DecoderStep
{
    /// <summary>What comes behind this step.</summary>
    public Action<string> Output { get; set; } = _ => { };

    /// <summary>Takes one token, or the next part of the one joined text where an earlier step joins.</summary>
    public abstract void Push(string token);

    /// <summary>No more comes.</summary>
    public virtual void Finish() { }

    /// <summary>Makes the steps of a file's decoder.</summary>
    public static IReadOnlyList<Func<DecoderStep>> Read(JsonField? field)
    {
        var makers = new List<Func<DecoderStep>>();
        var joined = false;
        if (field is { } given)
            Read(given, makers, ref joined, 0);
        else
            // Without a decoder the reference library joins the tokens with spaces.
            makers.Add(() => new Spaces());
        return makers;
    }

    private static void Read(JsonField field, List<Func<DecoderStep>> makers, ref bool joined, int depth)
    {
        var kind = field.Kind();
        switch (kind)
        {
            case "Sequence" when depth < 8:
                foreach (var inner in field.Get("decoders").Items())
                    Read(inner, makers, ref joined, depth + 1);
                break;
            case "Fuse":
                joined = true;
                break;
            case "Replace":
                makers.Add(Replace(field, joined));
                break;
            case "Strip":
                makers.Add(Strip(field, joined));
                break;
            case "ByteLevel" or "ByteFallback" or "Metaspace" or "BPEDecoder" when joined:
                throw field.Refuse($"has the type '{kind}' behind a step that joins all tokens, which Lethe does not support.");
            case "ByteLevel":
                makers.Add(() => new ByteLevel());
                joined = true;
                break;
            case "ByteFallback":
                makers.Add(() => new ByteFallback());
                break;
            case "Metaspace":
                var options = MetaspaceOptions.Read(field);
                makers.Add(() => new Metaspace(options));
                break;
            case "BPEDecoder":
                var suffix = field.TextOr("suffix", "</w>");
                if (suffix.Length == 0)
                    throw field.Refuse("has an empty suffix.");
                makers.Add(() => new WordEnds(suffix));
                break;
            default:
                throw field.Refuse(kind == "Sequence" ? "nests Sequences more than 8 deep."
                    : $"has the type '{kind}', which Lethe does not support; it knows Sequence, ByteLevel, ByteFallback, Fuse, Replace, Strip, Metaspace and BPEDecoder.");
        }
    }

    private static Func<DecoderStep> Replace(JsonField field, bool joined)
    {
        var (find, content) = (field.Get("pattern"), field.Get("content").Text());
        if (find.Find("Regex") is { } regex)
        {
            if (joined)
                throw regex.Refuse("is a pattern behind a step that joins all tokens, which Lethe does not support.");
            var pattern = new UnicodePattern(regex, regex.Text());
            return () => new Each(token => pattern.Replace(token, content));
        }
        var text = find.Get("String").Text();
        if (text.Length == 0)
            throw find.Refuse("is an empty text to replace.");
        return joined ? () => new JoinedReplace(text, content) : () => new Each(token => token.Replace(text, content, StringComparison.Ordinal));
    }

    private static Func<DecoderStep> Strip(JsonField field, bool joined)
    {
        var content = field.Get("content");
        if (content.Text() is not { Length: 1 } letter)
            throw content.Refuse("must be one character up to U+FFFF.");
        var (start, stop) = (field.Find("start")?.Count(1000) ?? 0, field.Find("stop")?.Count(1000) ?? 0);
        return joined ? () => new JoinedStrip(letter[0], start, stop) : () => new Each(token => Cut(token, letter[0], start, stop));
    }

    private static string Cut(string token, char letter, int start, int stop)
    {
        var (from, to) = (0, token.Length);
        while (from < start && from < to && token[from] == letter)
            from++;
        while (to > from && token.Length - to < stop && token[to - 1] == letter)
            to--;
        return token[from..to];
    }

    /// <summary>A step that looks at one token at a time.</summary>
    private sealed class Each(Func<string, string> change) : DecoderStep
    {
        public override void Push(string token) => Output(change(token));
    }

    private sealed class Spaces : DecoderStep
    {
        private bool begun;

        public override void Push(string token)
        {
            Output(begun ? " " + token : token);
            begun = true;
        }
    }

    /// <summary>Letters back to bytes, bytes to text; .NET replaces what is no UTF-8 by the same rule as Rust, and keeps the bytes of a half character.</summary>
    private sealed class ByteLevel : DecoderStep
    {
        private readonly Decoder utf8 = Encoding.UTF8.GetDecoder();

        public override void Push(string token) => Take(ByteAlphabet.Unmap(token), flush: false);

        public override void Finish() => Take([], flush: true);

        private void Take(byte[] bytes, bool flush)
        {
            var letters = new char[utf8.GetCharCount(bytes, flush)];
            Output(new string(letters, 0, utf8.GetChars(bytes, letters, flush)));
        }
    }

    /// <summary>
    /// A run of byte tokens is a text if it is valid UTF-8 as a whole; otherwise each byte becomes U+FFFD. So a run is held back until it ends.
    /// </summary>
    private sealed class ByteFallback : DecoderStep
    {
        private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);
        private readonly List<byte> run = [];

        public override void Push(string token)
        {
            if (token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>' && char.IsAsciiHexDigit(token[3]) && char.IsAsciiHexDigit(token[4]))
            {
                run.Add(Convert.FromHexString(token.AsSpan(3, 2))[0]);
                return;
            }
            Finish();
            Output(token);
        }

        public override void Finish()
        {
            if (run.Count == 0)
                return;
            string text;
            try
            {
                text = Strict.GetString([.. run]);
            }
            catch (DecoderFallbackException)
            {
                text = new string('\uFFFD', run.Count);
            }
            run.Clear();
            Output(text);
        }
    }

    private sealed class Metaspace(MetaspaceOptions options) : DecoderStep
    {
        private bool begun;

        public override void Push(string token)
        {
            Output(token.Replace(options.Mark, begun || options.Scheme == "never" ? " " : "", StringComparison.Ordinal));
            begun = true;
        }
    }

    /// <summary>The suffix at the end of a word becomes a space, in the last token nothing.</summary>
    private sealed class WordEnds(string suffix) : DecoderStep
    {
        private string? held;

        public override void Push(string token)
        {
            if (held is not null)
                Output(held.Replace(suffix, " ", StringComparison.Ordinal));
            held = token;
        }

        public override void Finish()
        {
            if (held is not null)
                Output(held.Replace(suffix, "", StringComparison.Ordinal));
            held = null;
        }
    }

    /// <summary>Replaces in a text that arrives in parts; an end that may be the beginning of a match waits.</summary>
    private sealed class JoinedReplace(string find, string content) : DecoderStep
    {
        private string held = "";

        public override void Push(string token)
        {
            var text = held + token;
            var done = new StringBuilder();
            var from = 0;
            for (int found; (found = text.IndexOf(find, from, StringComparison.Ordinal)) >= 0; from = found + find.Length)
                done.Append(text, from, found - from).Append(content);
            var keep = Math.Min(find.Length - 1, text.Length - from);
            while (keep > 0 && string.CompareOrdinal(text, text.Length - keep, find, 0, keep) != 0)
                keep--;
            done.Append(text, from, text.Length - from - keep);
            held = text[(text.Length - keep)..];
            Output(done.ToString());
        }

        public override void Finish() => Output(held);
    }

    /// <summary>Strips a text that arrives in parts; an end that may be stripped waits.</summary>
    private sealed class JoinedStrip(char letter, int start, int stop) : DecoderStep
    {
        private int left = start;
        private string held = "";

        public override void Push(string token)
        {
            var from = 0;
            while (left > 0 && from < token.Length && token[from] == letter)
                (from, left) = (from + 1, left - 1);
            if (from < token.Length)
                left = 0;
            var text = held + token[from..];
            var to = text.Length;
            while (to > 0 && text.Length - to < stop && text[to - 1] == letter)
                to--;
            held = text[to..];
            Output(text[..to]);
        }

        public override void Finish() => held = "";
    }
}
