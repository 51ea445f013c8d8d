using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;

namespace Lethe.Models.Tests.Language;

public sealed class CausalLanguageModelTests
{
    public static IEnumerable<object[]> Families => Golden.Names.Select(name => (object[])[name]);

    [TorchTheory, MemberData(nameof(Families))]
    public void A_slice_touches_nothing_but_its_own_layers_and_the_rows_it_embeds(string name)
    {
        using var loaded = Golden.Load(name, new LoadOptions { FromLayer = 1, ToLayer = 3, Head = false });
        using var noGrad = Autograd.NoGrad();
        var model = loaded.Model;
        var mask = Golden.Value(name, "attention_mask");
        var context = new ForwardContext { AttentionMask = mask };
        var after = model.Run(Golden.Value(name, "hidden_1"), 1, 3, context);
        Assert.InRange(Golden.Difference(Golden.Value(name, "hidden_3"), after, mask), 0, 1e-4);
        Assert.InRange(Golden.Difference(Golden.Value(name, "hidden_0"), model.Embed(Golden.Value(name, "input_ids")), mask), 0, 1e-5);
        Assert.False(model.HasEmbedding);
        Assert.DoesNotContain(((SafetensorsWeights)loaded.Weights).Touched, tensor => tensor.Contains(".0.", StringComparison.Ordinal) || tensor.Contains(".3.", StringComparison.Ordinal) || tensor.Contains("norm.weight", StringComparison.Ordinal) && !tensor.Contains('1') && !tensor.Contains('2'));
        Assert.All(model.NamedParameters(), entry => Assert.Contains(entry.Name, loaded.Weights.Names));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Run(after, 0, 1));
        Assert.Throws<InvalidOperationException>(() => model.Head(after));
        Assert.Throws<InvalidOperationException>(() => model.Logits(Golden.Value(name, "input_ids")));
    }

    [TorchTheory, MemberData(nameof(Families))]
    public void Parameters_have_the_names_and_values_of_the_checkpoint(string name)
    {
        using var loaded = Golden.Load(name, new LoadOptions { TrainableParameters = [Golden.Configuration(name).ModelType switch { "gpt2" => "transformer.wte.weight", "gpt_neox" => "gpt_neox.embed_in.weight", _ => "model.embed_tokens.weight" }] });
        Assert.Equal(loaded.Weights.Names.Order(StringComparer.Ordinal), loaded.Model.NamedParameters().Select(entry => entry.Name).Order(StringComparer.Ordinal));
        foreach (var (parameter, tensor) in loaded.Model.NamedParameters())
            Assert.Equal(loaded.Weights.Read(parameter).Bytes.ToArray(), tensor.ToHost().Bytes.ToArray());
        Assert.Single(loaded.Model.NamedParameters(), entry => entry.Tensor.RequiresGrad);
    }

    [TorchTheory, MemberData(nameof(Families))]
    public void Gradients_are_the_slopes(string name)
    {
        // Closed form against central differences, in float64.
        var configuration = Golden.Configuration(name) with { HiddenSize = 8, IntermediateSize = 6, Layers = 2, Heads = 4, KeyValueHeads = Golden.Configuration(name).KeyValueHeads == 4 ? 4 : 2, HeadSize = name is "gpt2" or "gpt_neox" ? 2 : 4, RotaryShare = 1, VocabularySize = 11, SlidingWindow = Golden.Configuration(name).SlidingWindow is null ? null : 3, LayerKinds = [.. Golden.Configuration(name).LayerKinds.Take(2)] };
        using var random = new RandomStream(1);
        using var model = CausalLanguageModel.Initialise(configuration, random, DType.Float64);
        using (Autograd.NoGrad())
            foreach (var parameter in model.Parameters())
                parameter.AddInPlace(Tensor.Randn(parameter.Shape.ToArray(), random, DType.Float64).MulInPlace(0.3));
        var ids = Tensor.RandInt(0, 11, [2, 6], random);
        var mask = Tensor.Ones([2, 6], DType.Int64);
        mask.Narrow(0, 1, 1).Narrow(1, 0, 2).ZeroInPlace();
        GradientCheck.Verify(() => model.Logits(ids, new ForwardContext { AttentionMask = mask }).Narrow(1, 2, 4), 1e-6, model.Parameters());
    }

    [TorchFact]
    public void Training_a_part_of_a_joined_matrix_changes_what_the_whole_computes()
    {
        using var loaded = Golden.Load("llama", new LoadOptions { TrainableParameters = ["model.layers.1.self_attn.k_proj.weight", "model.layers.2.mlp.up_proj.weight"] });
        var ids = Golden.Value("llama", "input_ids");
        loaded.Model.Logits(ids).Square().Mean().Backward();
        var trained = loaded.Model.NamedParameters().Where(entry => entry.Tensor.RequiresGrad).ToList();
        Assert.Equal(2, trained.Count);
        foreach (var (_, tensor) in trained)
            using (Autograd.NoGrad())
            {
                Assert.True(tensor.Grad!.Abs().Sum().Item() > 0);
                tensor.SubInPlace(tensor.Grad * 10.0);
            }
        var separate = loaded.Model.Logits(ids);
        using var noGrad = Autograd.NoGrad();
        var joined = loaded.Model.Logits(ids);
        Assert.InRange(Golden.Difference(separate, joined), 0, 1e-5);
        Assert.True(Golden.Difference(Golden.Value("llama", "logits"), joined) > 0.01, "the step changed the model");
    }

    [TorchFact]
    public void A_long_text_in_blocks_gives_what_it_gives_token_by_token()
    {
        foreach (var name in (string[])["llama", "mistral", "gemma2"])
        {
            var configuration = Golden.Configuration(name) with { MaximumPositions = 2048, SlidingWindow = Golden.Configuration(name).SlidingWindow is null ? null : 100 };
            using var weights = new SafetensorsWeights(Golden.Folder(name));
            using var model = CausalLanguageModel.Create(configuration, weights, new());
            using var noGrad = Autograd.NoGrad();
            using var random = new RandomStream(2);
            var ids = Tensor.RandInt(3, 160, [2, 600], random);
            var mask = Tensor.Ones([2, 600], DType.Int64);
            mask.Narrow(0, 1, 1).Narrow(1, 0, 270).ZeroInPlace();
            var whole = model.Logits(ids, new ForwardContext { AttentionMask = mask });
            using var cache = new KeyValueCache(model, 2, 600);
            var parts = new List<Tensor>();
            for (var (at, size) = (0, 1); at < 600; at += size, size = Math.Min(size * 2 + 1, 600 - at))
                parts.Add(model.Logits(ids.Narrow(1, at, Math.Min(size, 600 - at)), new ForwardContext { AttentionMask = mask.Narrow(1, 0, Math.Min(at + size, 600)), Cache = cache }));
            Assert.InRange(Golden.Difference(whole, Tensor.Cat([.. parts], 1), mask), 0, 2e-5);
        }
    }

    [TorchFact]
    public void Rows_of_a_cache_can_be_dropped_repeated_and_cut()
    {
        using var loaded = Golden.Load("llama");
        using var noGrad = Autograd.NoGrad();
        var model = loaded.Model;
        using var cache = new KeyValueCache(model, 1, 30);
        var ids = Golden.Value("llama", "input_ids").Narrow(0, 0, 1);
        model.Logits(ids.Narrow(1, 0, 15), new ForwardContext { Cache = cache });
        cache.Truncate(12);
        cache.Select([0, 0, 0]);
        var logits = model.Logits(ids.Narrow(1, 12, 8).Repeat(3, 1), new ForwardContext { Cache = cache });
        for (var row = 0; row < 3; row++)
            Assert.InRange(Golden.Difference(Golden.Value("llama", "logits").Narrow(0, 0, 1).Narrow(1, 12, 8), logits.Narrow(0, row, 1)), 0, 1e-4);
        Assert.Equal((3, 20), (cache.Rows, cache.Length));
        Assert.Equal(2L * 4 * 3 * 2 * 30 * 8 * 4, cache.Bytes);
    }

    [TorchTheory]
    [InlineData("llama")]
    [InlineData("gemma2")]
    [InlineData("gpt2")]
    public void Bfloat16_on_the_CPU_halves_the_memory_and_computes_in_float32(string name)
    {
        using var loaded = Golden.Load(name, new LoadOptions { DType = DType.BFloat16 });
        using var noGrad = Autograd.NoGrad();
        Assert.All(loaded.Model.Parameters(), tensor => Assert.Equal(DType.BFloat16, tensor.DType));
        var mask = Golden.Value(name, "attention_mask");
        var logits = loaded.Model.Logits(Golden.Value(name, "input_ids"), new ForwardContext { AttentionMask = mask });
        Assert.Equal(DType.Float32, logits.DType);
        // Weights lose 16 of 24 bits: relative errors of 2⁻⁹ in each, some tenths in the logits of a random model.
        Assert.InRange(Golden.Difference(Golden.Value(name, "logits"), logits, mask), 1e-5, 0.3);
    }

    [TorchTheory]
    [InlineData("llama")]
    [InlineData("gemma2")]
    [InlineData("gpt2")]
    [InlineData("gpt_neox")]
    public void Rounded_products_give_what_widened_weights_give_up_to_the_rounding_of_inputs_and_results(string name)
    {
        using var noGrad = Autograd.NoGrad();
        var (ids, mask) = (Golden.Value(name, "input_ids"), Golden.Value(name, "attention_mask"));
        var options = new LoadOptions { DType = DType.BFloat16 };
        if (!Engine.HasBfloat16Products)
        {
            Assert.Contains("no instructions", Assert.Throws<UsageException>(() => Golden.Load(name, options with { RoundedProducts = true })).Message, StringComparison.Ordinal);
            return;
        }
        using var widened = Golden.Load(name, options);
        using var rounded = Golden.Load(name, options with { RoundedProducts = true });
        var expected = widened.Model.Logits(ids, new ForwardContext { AttentionMask = mask });
        var logits = rounded.Model.Logits(ids, new ForwardContext { AttentionMask = mask });
        Assert.Equal(DType.Float32, logits.DType);
        // 2⁻⁹ of each factor and result again, as the rounding of the weights itself; it must not be nothing, or nothing was rounded.
        Assert.InRange(Golden.Difference(expected, logits, mask), 1e-5, 0.3);
        Assert.Throws<UsageException>(() => Golden.Load(name, new LoadOptions { RoundedProducts = true }));
    }

    [TorchFact]
    public void Gemma_2_shows_attention_and_MLP_before_and_after_the_norms_that_follow()
    {
        using var loaded = Golden.Load("gemma2");
        using var noGrad = Autograd.NoGrad();
        using var recorder = new SiteRecorder(Enum.GetValues<SiteKind>().Select(kind => new Site(1, kind)));
        loaded.Model.Run(Golden.Value("gemma2", "hidden_1").Narrow(0, 0, 1), 1, 2, new ForwardContext { Sites = recorder });
        Tensor At(SiteKind kind) => recorder.Values[new(1, kind)];
        var weights = loaded.Model.NamedParameters().ToDictionary(entry => entry.Name, entry => entry.Tensor);
        Tensor Norm(Tensor x, string name) => x * (x.Square().Mean(-1, true) + 1e-6).Rsqrt() * (weights[$"model.layers.1.{name}.weight"] + 1.0);

        Assert.Equal(Enum.GetValues<SiteKind>().Length, recorder.Values.Count);
        Assert.InRange(Golden.Difference(At(SiteKind.Heads).Linear(weights["model.layers.1.self_attn.o_proj.weight"]), At(SiteKind.AttentionOutput)), 0, 1e-5);
        Assert.InRange(Golden.Difference(Norm(At(SiteKind.AttentionOutput), "post_attention_layernorm"), At(SiteKind.AttentionAdded)), 0, 1e-5);
        Assert.InRange(Golden.Difference(At(SiteKind.ResidualBefore) + At(SiteKind.AttentionAdded), At(SiteKind.ResidualMiddle)), 0, 1e-5);
        Assert.InRange(Golden.Difference(At(SiteKind.MlpNeurons).Linear(weights["model.layers.1.mlp.down_proj.weight"]), At(SiteKind.MlpOutput)), 0, 1e-5);
        Assert.InRange(Golden.Difference(Norm(At(SiteKind.MlpOutput), "post_feedforward_layernorm"), At(SiteKind.MlpAdded)), 0, 1e-5);
        Assert.InRange(Golden.Difference(At(SiteKind.ResidualMiddle) + At(SiteKind.MlpAdded), At(SiteKind.ResidualAfter)), 0, 1e-5);
        Assert.True(Golden.Difference(At(SiteKind.MlpOutput), At(SiteKind.MlpAdded)) > 0.01);
    }

    [TorchTheory, MemberData(nameof(Families))]
    public void What_a_visitor_puts_in_place_goes_on(string name)
    {
        using var loaded = Golden.Load(name);
        using var noGrad = Autograd.NoGrad();
        var ids = Golden.Value(name, "input_ids").Narrow(0, 0, 1);
        // The stream after layer 1 replaced by the golden one after layer 0: the rest is as if layer 1 were not there.
        using var replace = new Replacement(new Site(1, SiteKind.ResidualAfter), Golden.Value(name, "hidden_1").Narrow(0, 0, 1));
        var replaced = loaded.Model.Run(loaded.Model.Embed(ids), 0, 4, new ForwardContext { Sites = replace });
        var without = loaded.Model.Run(Golden.Value(name, "hidden_1").Narrow(0, 0, 1), 2, 4);
        Assert.InRange(Golden.Difference(without, replaced), 0, 1e-5);
        Assert.False(replace.Value.IsDisposed);
        using var wrong = new Replacement(new Site(0, SiteKind.MlpOutput), Tensor.Zeros([1, 1]));
        Assert.Contains("layers.0.mlp_output", Assert.Throws<InvalidOperationException>(() => loaded.Model.Logits(ids, new ForwardContext { Sites = wrong })).Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void What_does_not_fit_the_configuration_is_refused_by_name_and_nothing_leaks()
    {
        using var weights = new SafetensorsWeights(Golden.Folder("llama"));
        var configuration = Golden.Configuration("llama");
        var live = Tensor.Live;
        Assert.Contains("model.layers.0.mlp.gate_proj.weight", Assert.Throws<BadInputException>(() => CausalLanguageModel.Create(configuration with { IntermediateSize = 65 }, weights, new())).Message, StringComparison.Ordinal);
        Assert.Contains("lm_head.weight", Assert.Throws<BadInputException>(() => CausalLanguageModel.Create(configuration with { VocabularySize = 161 }, weights, new())).Message, StringComparison.Ordinal);
        Assert.Contains("model.layers.4.input_layernorm.weight", Assert.Throws<BadInputException>(() => CausalLanguageModel.Create(configuration with { Layers = 5 }, weights, new())).Message, StringComparison.Ordinal);
        Assert.Contains("'phi3'", Assert.Throws<BadInputException>(() => CausalLanguageModel.Create(configuration with { ModelType = "phi3" }, weights, new())).Message, StringComparison.Ordinal);
        Assert.Contains("layers 0 to 3", Assert.Throws<UsageException>(() => CausalLanguageModel.Create(configuration, weights, new() { ToLayer = 5 })).Message, StringComparison.Ordinal);
        Assert.Contains("'model.layers.3.mlp.up_proj'", Assert.Throws<UsageException>(() => CausalLanguageModel.Create(configuration, weights, new() { TrainableParameters = ["model.layers.3.mlp.up_proj"] })).Message, StringComparison.Ordinal);
        Assert.Equal(live, Tensor.Live);
    }

    [TorchFact]
    public void Linear_scaling_stretches_positions()
    {
        using var weights = new SafetensorsWeights(Golden.Folder("llama"));
        using var stretched = CausalLanguageModel.Create(Golden.Configuration("llama") with { RopeScaling = new(RopeScalingKind.Linear, 2) }, weights, new());
        using var plain = CausalLanguageModel.Create(Golden.Configuration("llama"), weights, new());
        using var noGrad = Autograd.NoGrad();
        var ids = Golden.Value("llama", "input_ids").Narrow(0, 0, 1);
        // Positions 0, 2, 4, … stretched by 2 are 0, 1, 2, ….
        var everyOther = stretched.Logits(ids, new ForwardContext { PositionIds = Tensor.Arange(0, 40, 2).View(1, 20) });
        Assert.InRange(Golden.Difference(plain.Logits(ids), everyOther), 0, 1e-5);
    }

    private sealed class Replacement(Site site, Tensor value) : ISiteVisitor, IDisposable
    {
        public Tensor Value { get; } = TensorScope.Detach(value.Clone());

        public bool Wants(Site asked) => asked == site;

        public Tensor Visit(Site asked, Tensor old) => Value;

        public void Dispose() => Value.Dispose();
    }
}
