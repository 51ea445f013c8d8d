using System.Text.Json;
using Lethe.Formats;
using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.Language.Generation;
using Lethe.Torch;

namespace Lethe.Models.Tests.Language;

/// <summary>Models from files of every kind, against what the reference libraries computed with them.</summary>
public sealed class RealModelTests
{
    private static JsonElement Json(params string[] parts) => JsonDocument.Parse(File.ReadAllBytes(SharedData.Path(parts))).RootElement;

    private static double[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(value => value.GetDouble())];

    private static long[] Ids(JsonElement array) => [.. array.EnumerateArray().Select(value => value.GetInt64())];

    private static void Near(double expected, double actual, double tolerance) => Assert.InRange(actual, expected - tolerance * Math.Max(1, Math.Abs(expected)), expected + tolerance * Math.Max(1, Math.Abs(expected)));

    [SharedTorchFact]
    public void The_F32_GGUF_gives_the_logits_of_the_directory_that_it_was_made_from()
    {
        using var checkpoint = LanguageCheckpoint.Open(SharedData.Path("fixtures", "gguf", "llama_f32.gguf"));
        using var model = checkpoint.Load();
        using var noGrad = Autograd.NoGrad();
        var mask = Golden.Value("llama", "attention_mask");
        Assert.InRange(Golden.Difference(Golden.Value("llama", "logits"), model.Logits(Golden.Value("llama", "input_ids"), new ForwardContext { AttentionMask = mask }), mask), 0, 1e-4);
    }

    [SharedTorchFact]
    public void Stories260K_says_what_its_golden_text_says_from_either_of_its_files()
    {
        foreach (var file in (string[])["", "stories260K.bin"])
        {
            using var checkpoint = LanguageCheckpoint.Open(SharedData.Path("models", "stories260K", file));
            using var model = checkpoint.Load();
            using var noGrad = Autograd.NoGrad();
            foreach (var text in Json("models", "stories260K", "golden.json").GetProperty("cases").EnumerateArray())
            {
                var ids = Ids(text.GetProperty("ids"));
                var sites = Enumerable.Range(0, model.LayerCount).Select(layer => new Site(layer, SiteKind.ResidualAfter)).Prepend(new Site(0, SiteKind.ResidualBefore)).ToArray();
                using var recorder = new SiteRecorder(sites);
                var logits = model.Logits(Tensor.FromArray(ids, 1, ids.Length), new ForwardContext { Sites = recorder }).Select(0, 0);
                var last = logits.Select(0, ids.Length - 1);
                // The file gives five decimals of the logits and four of the norms.
                foreach (var (expected, actual) in Numbers(text.GetProperty("last_logits_first8")).Zip(last.ToArray<float>()))
                    Near(expected, actual, 1e-4);
                Assert.Equal(text.GetProperty("argmax_last").GetInt64(), (long)last.Argmax(-1).Item());
                foreach (var (expected, site) in Numbers(text.GetProperty("resid_l2_after_each_block_last_tok")).Zip(sites))
                    Near(expected, recorder.Values[site].Select(0, 0).Select(0, ids.Length - 1).Norm().Item(), 1e-4);
                Near(text.GetProperty("mean_ce").GetDouble(), logits.Narrow(0, 0, ids.Length - 1).CrossEntropyLoss(Tensor.FromArray(ids[1..])).Item(), 1e-4);
            }
        }
    }

    [SharedTorchFact]
    public void SmolLM2_gives_the_hidden_states_the_logits_and_the_greedy_text_of_transformers()
    {
        using var checkpoint = LanguageCheckpoint.Open(SharedData.Path("models", "smollm2-135m-instruct"));
        using var model = checkpoint.Load();
        using var noGrad = Autograd.NoGrad();
        var golden = Json("fixtures", "scores", "smollm2_activations.json");
        foreach (var text in golden.GetProperty("forward").EnumerateArray())
        {
            using var scope = new TensorScope();
            var ids = Ids(text.GetProperty("ids"));
            Assert.Equal(ids, checkpoint.Tokenizer.Encode(text.GetProperty("text").GetString()!).Select(id => (long)id));
            using var recorder = new SiteRecorder(Enumerable.Range(0, model.LayerCount).Select(layer => new Site(layer, SiteKind.ResidualBefore)));
            var hidden = model.Hidden(Tensor.FromArray(ids, 1, ids.Length), new ForwardContext { Sites = recorder }).Select(1, ids.Length - 1);
            var states = recorder.Values.OrderBy(entry => entry.Key.Layer).Select(entry => entry.Value.Select(1, ids.Length - 1)).Append(model.Normalise(hidden)).ToArray();
            var expected = text.GetProperty("hidden").EnumerateArray().ToArray();
            Assert.Equal(expected.Length, states.Length);
            for (var k = 0; k < states.Length; k++)
            {
                Near(expected[k].GetProperty("norm").GetDouble(), states[k].Norm().Item(), 1e-4);
                foreach (var (x, y) in Numbers(expected[k].GetProperty("first")).Zip(states[k].Reshape(-1).ToArray<float>()))
                    Near(x, y, 1e-4);
            }
            var logits = model.Head(hidden).Reshape(-1);
            var top = logits.TopK(20);
            Assert.Equal(Ids(text.GetProperty("top_ids")), top[1].ToArray<long>());
            foreach (var (x, y) in Numbers(text.GetProperty("top_logits")).Zip(top[0].ToArray<float>()))
                Near(x, y, 1e-4);
        }
        foreach (var text in golden.GetProperty("greedy").EnumerateArray())
        {
            var expected = Ids(text.GetProperty("generated_ids")).Select(id => (int)id).ToArray();
            var stops = text.GetProperty("stops_at_eos").GetBoolean();
            var made = TokenGeneration.Run(model, [[.. Ids(text.GetProperty("ids")).Select(id => (int)id)]], new GenerationOptions { MaximumTokens = 40, EndTokens = stops ? checkpoint.Special.Stop : [] })[0];
            Assert.Equal(stops ? expected.TakeWhile(id => !checkpoint.Special.Stop.Contains(id)) : expected, made.Tokens);
        }
    }

    [SharedTorchFact]
    public void A_text_comes_in_whole_characters_and_ends_before_a_stop_string()
    {
        using var checkpoint = LanguageCheckpoint.Open(SharedData.Path("models", "stories260K", "stories260K.bin"));
        using var model = checkpoint.Load();
        var generation = new TextGeneration(model, checkpoint.Tokenizer);
        int[][] prompts = [checkpoint.Tokenizer.Encode("Once upon a time", true), checkpoint.Tokenizer.Encode("The cat", true)];
        var free = generation.Run(prompts, new GenerationOptions { MaximumTokens = 40 });
        var stop = free[0].Text[20..24];
        var pieces = new[] { "", "" };
        var stopped = generation.Run(prompts, new GenerationOptions { MaximumTokens = 40, StopStrings = [stop] }, (row, piece) => pieces[row] += piece);
        Assert.Equal(free[0].Text[..free[0].Text.IndexOf(stop, StringComparison.Ordinal)], stopped[0].Text);
        Assert.Equal(StopReason.StopString, stopped[0].Reason);
        Assert.Equal(stopped.Select(answer => answer.Text), pieces);
        Assert.Equal(checkpoint.Tokenizer.Decode(free[1].Tokens, skipSpecialTokens: true), free[1].Text);
    }
}
