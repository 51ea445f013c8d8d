using System.Text;

namespace Lethe.Formats.Tokenizers;

/// <summary>
/// Decodes ids one by one, as they are generated. Never gives half a character: bytes wait for those that complete it. What all calls give, joined, is
/// exactly what <see cref="Tokenizer.Decode"/> gives for all ids. Byte tokens of a SentencePiece-style vocabulary (&lt;0xE3&gt;) wait until their run ends,
/// because one wrong byte makes every character of the run U+FFFD there. For one text and one thread.
/// </summary>
public sealed class TokenDecoder
{
    private readonly Func<int, string?> textOf;
    private readonly DecoderStep[] steps;
    private readonly StringBuilder ready = new();
    private bool finished;

    internal TokenDecoder(IReadOnlyList<Func<DecoderStep>> makers, Func<int, string?> textOf)
    {
        this.textOf = textOf;
        steps = [.. makers.Select(make => make())];
        for (var i = 0; i < steps.Length; i++)
            steps[i].Output = i + 1 < steps.Length ? steps[i + 1].Push : text => ready.Append(text);
    }

    /// <summary>Takes the next id and gives the text that it completes; often empty, never half a character. An id that the vocabulary lacks adds nothing, as in the reference library.</summary>
    /// <exception cref="InvalidOperationException">The decoder is finished.</exception>
    public string Push(int id)
    {
        Feed(id);
        return Take();
    }

    /// <summary>Says that no id follows, and gives what was held back; bytes that make no character become U+FFFD.</summary>
    /// <exception cref="InvalidOperationException">The decoder is finished.</exception>
    public string Finish()
    {
        CheckOpen();
        finished = true;
        foreach (var step in steps)
            step.Finish();
        return Take();
    }

    internal void Feed(int id)
    {
        CheckOpen();
        if (textOf(id) is not { } token)
            return;
        if (steps.Length > 0)
            steps[0].Push(token);
        else
            ready.Append(token);
    }

    private void CheckOpen()
    {
        if (finished)
            throw new InvalidOperationException("The decoder is finished; take a new one for another text.");
    }

    private string Take()
    {
        var text = ready.ToString();
        ready.Clear();
        return text;
    }
}
