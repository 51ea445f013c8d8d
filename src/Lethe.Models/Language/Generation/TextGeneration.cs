using System.Text;
using Lethe.Formats.Tokenizers;

namespace Lethe.Models.Language.Generation;

/// <summary>What a model made of one prompt, as text.</summary>
/// <param name="Text">The answer, without special tokens, up to a stop string.</param>
/// <param name="Tokens">Its tokens, without the end token; where a stop string appeared, with those that completed it.</param>
/// <param name="PromptTokens">Number of tokens of the prompt.</param>
/// <param name="Reason">Why it ends.</param>
public sealed record GeneratedText(string Text, IReadOnlyList<int> Tokens, int PromptTokens, StopReason Reason);

/// <summary>Continues texts: tokens in, text out, as it comes.</summary>
/// <param name="model">The model, all of it loaded.</param>
/// <param name="tokenizer">Its tokenizer.</param>
public sealed class TextGeneration(CausalLanguageModel model, Tokenizer tokenizer)
{
    /// <summary>Continues prompts. Runs on the torch thread.</summary>
    /// <param name="prompts">Tokens of each prompt, with whatever special tokens it begins with.</param>
    /// <param name="options">How to choose and when to stop.</param>
    /// <param name="onText">Is told each piece of each answer as soon as it is certain: never half a character, never part of a stop string.</param>
    /// <param name="stop">Ends the work between two tokens.</param>
    /// <returns>One for each prompt, in order.</returns>
    /// <exception cref="Torch.UsageException">See <see cref="TokenGeneration.Run"/>.</exception>
    /// <exception cref="Torch.BadInputException">See <see cref="TokenGeneration.Run"/>.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public IReadOnlyList<GeneratedText> Run(IReadOnlyList<IReadOnlyList<int>> prompts, GenerationOptions options, Action<int, string>? onText = null, CancellationToken stop = default)
    {
        options.Validate();
        var answers = prompts.Select(_ => new Answer(tokenizer.Stream(), new StopStrings(options.StopStrings))).ToArray();
        var made = TokenGeneration.Run(model, prompts, options, (row, token) =>
        {
            Say(row, answers[row].Stops.Push(answers[row].Decoder.Push(token)));
            return !answers[row].Stops.Stopped;
        }, stop);
        return [.. made.Select((tokens, row) =>
        {
            var (decoder, stops) = (answers[row].Decoder, answers[row].Stops);
            var stopped = stops.Stopped;
            Say(row, stops.Push(decoder.Finish()));
            Say(row, stops.Finish());
            return new GeneratedText(answers[row].Text.ToString(), tokens.Tokens, prompts[row].Count, stops.Stopped && !stopped ? StopReason.StopString : tokens.Reason);
        })];

        void Say(int row, string piece)
        {
            if (piece.Length == 0)
                return;
            answers[row].Text.Append(piece);
            onText?.Invoke(row, piece);
        }
    }

    private sealed record Answer(TokenDecoder Decoder, StopStrings Stops)
    {
        public StringBuilder Text { get; } = new();
    }
}
