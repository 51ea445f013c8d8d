using Lethe.Evaluation.Language;
using Lethe.Formats.ChatTemplates;
using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.Language.Generation;
using Lethe.Runs.Guardrails;
using Lethe.Torch;

namespace Lethe.Runs.Language;

/// <summary>What is asked of a language model.</summary>
/// <param name="Prompts">Texts to continue, or, in a chat, what the user says; at least one.</param>
/// <param name="Chat">Whether prompts go through the model's chat template.</param>
/// <param name="System">What the system says at the beginning of a chat; null for nothing.</param>
/// <param name="Options">How to choose and when to stop; the model's own end tokens are added.</param>
/// <param name="DType">The type in which weights are kept.</param>
/// <param name="Device">Where the model computes.</param>
public sealed record TextRequest(IReadOnlyList<string> Prompts, bool Chat, string? System, GenerationOptions Options, DType DType, Device Device)
{
    /// <summary>Folders of guardrails that the model runs behind, in the order in which they come at a site.</summary>
    public IReadOnlyList<string> Guardrails { get; init; } = [];
}

/// <summary>One answer.</summary>
/// <param name="Prompt">The prompt.</param>
/// <param name="Text">The answer, without special tokens, up to a stop string.</param>
/// <param name="PromptTokens">Number of tokens of the prompt, special ones included.</param>
/// <param name="Tokens">The answer's tokens.</param>
/// <param name="StoppedBy">end_token, stop_string, maximum_tokens or maximum_positions.</param>
public sealed record TextAnswer(string Prompt, string Text, int PromptTokens, IReadOnlyList<int> Tokens, string StoppedBy);

/// <summary>Texts that a language model made.</summary>
/// <param name="Model">The model's file or folder.</param>
/// <param name="Seed">What decided chance.</param>
/// <param name="Results">One for each prompt, in order.</param>
public sealed record GeneratedTexts(string Model, ulong Seed, IReadOnlyList<TextAnswer> Results)
{
    /// <summary>Version of this layout.</summary>
    public string Schema { get; init; } = "lethe.generate_text/1";

    /// <summary>The guardrails that the model ran behind; null where there were none.</summary>
    public IReadOnlyList<GuardrailFacts>? Guardrails { get; init; }
}

/// <summary>Continues texts, or answers in a chat.</summary>
public static class GenerateText
{
    /// <summary>Loads the model and answers. Call on the torch thread.</summary>
    /// <param name="path">The model, see <see cref="LanguageModelPath"/>.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="onText">Is told each piece of each answer as it comes; null: nobody.</param>
    /// <param name="stop">Ends the work between two tokens.</param>
    /// <exception cref="UsageException">An option is out of range, or the model has no chat template.</exception>
    /// <exception cref="BadInputException">The model or its tokenizer is damaged.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static GeneratedTexts Run(string path, TextRequest request, Action<int, string>? onText, CancellationToken stop)
    {
        request.Options.Validate();
        using var scope = new TensorScope();
        using var checkpoint = LanguageCheckpoint.Open(path);
        var prompts = request.Prompts.Select(prompt => Encode(checkpoint, request, prompt)).ToList();
        var options = request.Options with { EndTokens = [.. request.Options.EndTokens.Concat(checkpoint.Special.Stop).Distinct()] };
        using var model = checkpoint.Load(new LoadOptions { DType = request.DType, Device = request.Device });
        using var guard = ModelGuard.Set(model, request.Guardrails);
        var made = new TextGeneration(model, checkpoint.Tokenizer).Run(prompts, options, onText, stop);
        return new(path, options.Seed, [.. made.Select((answer, k) => new TextAnswer(request.Prompts[k], answer.Text, answer.PromptTokens, answer.Tokens, NameOf(answer.Reason)))]) { Guardrails = guard.Facts };
    }

    /// <summary>The tokens of a text, with the special tokens that the tokenizer puts around it; a text that begins with the token that begins a text does not get a second one.</summary>
    public static int[] Encode(LanguageCheckpoint checkpoint, string text) => new RequestEncoding(checkpoint.Tokenizer, checkpoint.Special.Bos).Encode(text);

    private static int[] Encode(LanguageCheckpoint checkpoint, TextRequest request, string prompt)
    {
        if (!request.Chat)
            return Encode(checkpoint, prompt) is { Length: > 0 } ids ? ids : checkpoint.Special.Bos is { } bos ? [bos]
                : throw new UsageException("The prompt is empty and this model has no token that begins a text: give it some text.");
        var template = checkpoint.ChatTemplateText is { } text ? ChatTemplate.Parse(text, checkpoint.Path)
            : throw new UsageException($"{checkpoint.Path} has no chat template, so it is no chat model; leave out --chat to continue the prompt as text.");
        List<ChatMessage> messages = [new("user", prompt)];
        if (request.System is { } system)
            messages.Insert(0, new("system", system));
        return checkpoint.Tokenizer.Encode(template.Render(messages, addGenerationPrompt: true, checkpoint.Special.Texts));
    }

    private static string NameOf(StopReason reason) => reason switch
    {
        StopReason.EndToken => "end_token",
        StopReason.StopString => "stop_string",
        StopReason.MaximumTokens => "maximum_tokens",
        _ => "maximum_positions",
    };
}
