using Lethe.Formats;
using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Runs.Guardrails;
using Lethe.Torch;

namespace Lethe.Runs.Language;

/// <summary>Hidden states and logits of a language model in a safetensors file, under the names and conventions of transformers' output_hidden_states.</summary>
public static class Activations
{
    private const string Ids = "input_ids", Mask = "attention_mask", Positions = "position_ids";

    /// <summary>Runs the model once and writes the file. Only the layers that are needed are loaded. Call on the torch thread.</summary>
    /// <param name="path">The model, see <see cref="LanguageModelPath"/>.</param>
    /// <param name="request">What to write.</param>
    /// <exception cref="UsageException">A layer or site is not there.</exception>
    /// <exception cref="BadInputException">The model or the file with the tokens is damaged, or a token or position is not the model's.</exception>
    public static WrittenActivations Write(string path, ActivationRequest request)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        using var checkpoint = LanguageCheckpoint.Open(path);
        var configuration = checkpoint.Configuration;
        var layers = request.Layers ?? [.. Enumerable.Range(0, configuration.Layers + 1)];
        foreach (var layer in layers)
            if (layer < 0 || layer > configuration.Layers)
                throw new UsageException($"There is no hidden state {layer}: the model has {configuration.Layers} layers, so hidden states 0 to {configuration.Layers}, the last after the final norm.");
        foreach (var site in request.Sites)
            if (site.Layer >= configuration.Layers)
                throw new UsageException($"There is no site {site}: the model has layers 0 to {configuration.Layers - 1}.");

        var input = request.IdsFile is { } file ? Read(file, configuration) : Encode(checkpoint, request.Texts ?? throw new UsageException("Give texts or a file with tokens."));
        var ending = request.Logits || layers.Contains(configuration.Layers);
        var to = ending ? configuration.Layers : Math.Max(layers.DefaultIfEmpty(0).Max(), request.Sites.Select(site => site.Layer + 1).DefaultIfEmpty(0).Max());
        using var model = checkpoint.Load(new LoadOptions { DType = request.DType, Device = request.Device, ToLayer = to, Head = ending });
        using var guard = ModelGuard.Set(model, request.Guardrails);

        var wanted = layers.Where(layer => layer < to).Select(layer => new Site(layer, SiteKind.ResidualBefore)).Concat(request.Sites);
        using var recorder = new SiteRecorder(wanted);
        Tensor? Moved(Tensor? tensor) => tensor?.To(request.Device);
        var context = new ForwardContext { AttentionMask = Moved(input.Mask), PositionIds = Moved(input.Positions), Sites = recorder };
        var last = model.Run(model.Embed(input.Ids, Moved(input.Positions)), 0, to, context);

        var written = new List<KeyValuePair<string, Tensor>> { new(Ids, input.Ids) };
        if (input.Mask is not null)
            written.Add(new(Mask, input.Mask));
        if (input.Positions is not null)
            written.Add(new(Positions, input.Positions));
        var normalised = ending ? model.Normalise(last) : null;
        foreach (var layer in layers.Distinct())
            written.Add(new($"hidden_{layer}", layer == configuration.Layers ? normalised! : layer == to ? last : recorder.Values[new(layer, SiteKind.ResidualBefore)]));
        foreach (var site in request.Sites.Distinct())
            written.Add(new(site.ToString(), recorder.Values.TryGetValue(site, out var value) ? value
                : throw new UsageException($"{site} is not there in {configuration.ModelType}: its attention and MLP run side by side.")));
        if (request.Logits)
            written.Add(new("logits", model.Unembed(normalised!)));
        SafetensorsWriter.Write(request.Output, written.Select(entry => KeyValuePair.Create(entry.Key, entry.Value.To(Device.Cpu).ToHost())));
        return new(path, request.Output, (int)input.Ids.Size(0), (int)input.Ids.Size(1), written.ToDictionary(entry => entry.Key, entry => (IReadOnlyList<long>)entry.Value.Shape.ToArray())) { Guardrails = guard.Facts };
    }

    private static Input Encode(LanguageCheckpoint checkpoint, IReadOnlyList<string> texts)
    {
        var rows = texts.Select(text => GenerateText.Encode(checkpoint, text)).ToArray();
        var longest = rows.Max(row => row.Length);
        if (rows.Any(row => row.Length == 0))
            throw new UsageException("A text has no tokens; give it some characters.");
        CheckLength("the text", longest, checkpoint.Configuration);
        var padding = checkpoint.Special.Pad is { } pad && pad >= 0 && pad < checkpoint.Configuration.VocabularySize ? pad : 0;
        long[] ids = [.. rows.SelectMany(row => row.Concat(Enumerable.Repeat(padding, longest - row.Length))).Select(id => (long)id)];
        long[] mask = [.. rows.SelectMany(row => Enumerable.Repeat(1L, row.Length).Concat(Enumerable.Repeat(0L, longest - row.Length)))];
        return new(Tensor.FromArray(ids, rows.Length, longest), mask.Contains(0) ? Tensor.FromArray(mask, rows.Length, longest) : null, null);
    }

    private static Input Read(string path, LanguageModelConfiguration configuration)
    {
        using var file = SafetensorsFile.Open(path);
        var ids = Whole(file, Ids) ?? throw new BadInputException($"{path}: has no tensor '{Ids}'; it must hold the tokens, whole numbers of shape [tokens] or [rows, tokens].");
        if (ids.Elements == 0)
            throw new BadInputException($"{path}: '{Ids}' is empty.");
        Range(path, Ids, ids, configuration.VocabularySize - 1L, $"the model's vocabulary has {configuration.VocabularySize} tokens");
        CheckLength(path, ids.Size(1), configuration);
        var (mask, positions) = (Whole(file, Mask), Whole(file, Positions));
        foreach (var (name, tensor) in new[] { (Mask, mask), (Positions, positions) })
            if (tensor is not null && !tensor.Shape.SequenceEqual(ids.Shape))
                throw new BadInputException($"{path}: '{name}' is {tensor.Describe()}, but '{Ids}' is {ids.Describe()}; they must have the same shape.");
        if (mask is not null)
            Range(path, Mask, mask, 1, "0 stands for padding and 1 for a token");
        if (positions is not null)
            Range(path, Positions, positions, configuration.MaximumPositions - 1L, $"the model has {configuration.MaximumPositions} positions");
        return new(ids, mask, positions);
    }

    private static Tensor? Whole(SafetensorsFile file, string name)
    {
        if (!file.Contains(name))
            return null;
        var array = file.Read(name);
        if (array.Type.IsFloatingPoint() || array.Shape.Count is not (1 or 2))
            throw new BadInputException($"{file.Path}: '{name}' is {array.Type} [{string.Join(", ", array.Shape)}]; whole numbers of shape [tokens] or [rows, tokens] are needed.");
        var tensor = Tensor.From(array).To(DType.Int64);
        return tensor.Dimensions == 1 ? tensor.Unsqueeze(0) : tensor;
    }

    private static void Range(string path, string name, Tensor tensor, long most, string reason)
    {
        foreach (var value in tensor.ToArray<long>())
            if (value < 0 || value > most)
                throw new BadInputException($"{path}: '{name}' has {value}; {reason}, so 0 to {most} are allowed.");
    }

    private static void CheckLength(string what, long tokens, LanguageModelConfiguration configuration)
    {
        if (tokens > configuration.MaximumPositions)
            throw new BadInputException($"{what}: has {tokens} tokens in a row; the model has {configuration.MaximumPositions} positions.");
    }

    private sealed record Input(Tensor Ids, Tensor? Mask, Tensor? Positions);
}
