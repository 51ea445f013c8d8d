using Lethe.Torch;
using Lethe.Formats;
using Lethe.Models.SparseAutoencoders;
using Lethe.Models.SparseAutoencoders.Files;

namespace Lethe.Models.Tests.SparseAutoencoders;

/// <summary>Golden values of the reference libraries: tests/Fixtures/sae/make_sae.py.</summary>
public sealed class SaeFilesTests
{
    // float32 against float32 over sums of 48 terms.
    private const double Tolerance = 1e-5;

    public static TheoryData<string> Layouts => new(
        "gemma_scope/layer_3/width_48/average_l0_9", "saelens/standard", "saelens/standard_no_b_dec", "saelens/standard_layer_norm", "saelens/topk", "saelens/jumprelu", "saelens/gated",
        "dictionary_learning/relu", "dictionary_learning/batch_top_k");

    [TorchTheory]
    [MemberData(nameof(Layouts))]
    public void Every_layout_encodes_and_decodes_as_its_own_library_does(string layout)
    {
        using var sae = SaeFiles.Read(Fixture(layout));
        var (x, z, decoded) = Golden(layout);
        Assert.Equal((16, 48), (sae.InputSize, sae.Width));
        Close(z, sae.Encode(x));
        Close(decoded, sae.Decode(z, x));
        Close(decoded, sae.Reconstruct(x));
        // Leading dimensions pass through.
        var cube = x.Narrow(0, 0, 6).Reshape(2, 3, 16);
        Close(z.Narrow(0, 0, 6).Reshape(2, 3, 48), sae.Encode(cube));
        Close(decoded.Narrow(0, 0, 6).Reshape(2, 3, 16), sae.Reconstruct(cube));
    }

    [TorchTheory]
    [MemberData(nameof(Layouts))]
    public void Saved_as_saelens_does_it_reads_back_the_same_to_the_bit(string layout)
    {
        using var folder = new TempFolder();
        using var sae = SaeFiles.Read(Fixture(layout));
        SaeLensFolder.Write(sae, folder.Path, [.. Enumerable.Repeat(0.125, 48)]);
        using var again = SaeFiles.Read(folder.Path);
        Assert.Equal(sae.Configuration with { Training = again.Configuration.Training, ContextSize = again.Configuration.ContextSize }, again.Configuration);
        var (x, _, _) = Golden(layout);
        Assert.Equal(sae.Reconstruct(x).ToArray<float>(), again.Reconstruct(x).ToArray<float>());
        using var sparsity = SafetensorsFile.Open(folder.File(SaeLensFolder.SparsityName));
        Assert.Equal(Math.Log10(0.125), Tensor.From(sparsity.Read("sparsity")).ToArray<float>()[47], 6);
    }

    [TorchFact]
    public void Sites_come_from_folders_and_configurations()
    {
        string? SiteOf(string layout)
        {
            using var sae = SaeFiles.Read(Fixture(layout));
            return sae.Site?.Name;
        }
        Assert.Equal("layers.3.residual_after", SiteOf("gemma_scope/layer_3/width_48/average_l0_9"));
        Assert.Equal("layers.3.residual_after", SiteOf("dictionary_learning/relu"));
        Assert.Null(SiteOf("saelens/topk"));
        using var folder = new TempFolder();
        var npz = Path.Combine(Fixture("gemma_scope/layer_3/width_48/average_l0_9"), "params.npz");
        foreach (var (repository, site) in new[] { ("gemma-scope-2b-pt-att", "layers.12.heads"), ("gemma-scope-2b-pt-mlp", "layers.12.mlp_added"), ("gemma-scope-2b-pt-res", "layers.12.residual_after") })
        {
            var copy = folder.File(repository, "layer_12", "width_48", "average_l0_9", "params.npz");
            File.Copy(npz, copy);
            using var sae = SaeFiles.Read(copy);
            Assert.Equal(new SaeSite(site, 12), sae.Site);
        }
        var wrong = folder.File("layer_1", "width_16k", "params.npz");
        File.Copy(npz, wrong);
        Refused("has 48 latents; the folder's name says 16384", () => SaeFiles.Read(wrong));
    }

    [TorchFact]
    public void Gemma_scope_files_are_written_as_they_were_read()
    {
        using var folder = new TempFolder();
        var source = Path.Combine(Fixture("gemma_scope/layer_3/width_48/average_l0_9"), "params.npz");
        using var sae = SaeFiles.Read(source);
        var copy = folder.File("layer_3", "width_48", "params.npz");
        GemmaScopeFile.Write(sae, copy);
        using var before = NpzFile.Open(source);
        using var after = NpzFile.Open(copy);
        foreach (var name in before.Names)
            Assert.Equal(before.Read(name).Bytes.ToArray(), after.Read(name).Bytes.ToArray());
        using var topk = SaeFiles.Read(Fixture("saelens/topk"));
        Assert.Contains("topk", Assert.Throws<UsageException>(() => GemmaScopeFile.Write(topk, copy)).Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void A_configuration_of_saelens_before_version_6_reads_as_the_new_one()
    {
        using var folder = new TempFolder();
        var (x, z, _) = Golden("saelens/topk");
        var old = folder.Copy(Fixture("saelens/topk"), "old");
        File.WriteAllText(Path.Combine(old, "cfg.json"), """
            {"architecture": "standard", "d_in": 16, "d_sae": 48, "dtype": "torch.float32", "device": "cuda", "model_name": "gpt2-small", "hook_point": "blocks.8.hook_resid_pre", "hook_point_layer": 8,
             "activation_fn_str": "topk", "activation_fn_kwargs": {"k": 6}, "normalize_activations": false, "context_size": 128, "prepend_bos": true, "sae_lens_training_version": null}
            """);
        using var sae = SaeFiles.Read(old);
        Close(z, sae.Encode(x));
        Assert.Equal(new SaeSite("layers.8.residual_before", 8), sae.Site);
        Assert.Equal(("gpt2-small", 128L), (sae.Configuration.Model, sae.Configuration.ContextSize));

        var plain = folder.Copy(Fixture("saelens/standard"), "plain");
        File.WriteAllText(Path.Combine(plain, "cfg.json"), """{"d_in": 16, "d_sae": 48, "hook_name": "blocks.1.attn.hook_z", "normalize_activations": "expected_average_only_in"}""");
        using var heads = SaeFiles.Read(plain);
        var (flat, latents, decoded) = Golden("saelens/standard");
        Close(latents, heads.Encode(flat.Reshape(7, 4, 4)));
        Close(decoded.Reshape(7, 4, 4), heads.Reconstruct(flat.Reshape(7, 4, 4)));
    }

    [TorchFact]
    public void Constant_norm_brings_each_activation_to_root_d_and_back()
    {
        using var folder = new TempFolder();
        var copy = folder.Copy(Fixture("saelens/standard"), "constant");
        var config = Path.Combine(copy, "cfg.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"normalize_activations\": \"none\"", "\"normalize_activations\": \"constant_norm_rescale\"", StringComparison.Ordinal));
        using var sae = SaeFiles.Read(copy);
        using var plain = SaeFiles.Read(Fixture("saelens/standard"));
        var (x, _, _) = Golden("saelens/standard");
        var norm = x.Norm(2, [-1], keep: true);
        Close(plain.Encode(x / norm * 4), sae.Encode(x));
        Close(plain.Reconstruct(x / norm * 4) * norm / 4, sae.Reconstruct(x));
        Assert.Throws<ArgumentException>(() => sae.Decode(sae.Encode(x)));
    }

    [Fact]
    public void A_run_of_several_means_all_of_them_and_an_autoencoder_itself_alone()
    {
        using var folder = new TempFolder();
        string[] several = [.. new[] { "layers.0", "layers.1" }.Select(name => Path.GetDirectoryName(folder.File("run", "model", name, "cfg.json"))!)];
        foreach (var one in several)
            File.WriteAllText(Path.Combine(one, "cfg.json"), "{}");

        Assert.Equal(several, SaeFiles.AllOf(Path.Combine(folder.Path, "run")));
        Assert.Equal(several, SaeFiles.AllOf(Path.Combine(folder.Path, "run", "model")));
        Assert.Equal([several[0]], SaeFiles.AllOf(several[0]));
        Assert.Equal([folder.File("absent")], SaeFiles.AllOf(folder.File("absent")));

        // Other autoencoders may lie in folders below one.
        File.WriteAllText(folder.File("run", "model", "params.npz"), "");
        Assert.Equal([Path.Combine(folder.Path, "run", "model")], SaeFiles.AllOf(Path.Combine(folder.Path, "run", "model")));
    }

    [SharedTorchFact]
    public void Autoencoders_found_in_the_wild_are_read()
    {
        using var relu = SaeFiles.Read(SharedData.Path("models", "saes", "routing12_sae_32x64.safetensors"));
        Assert.Equal((32, 64, ReluAutoencoder.Name), (relu.InputSize, relu.Width, relu.Configuration.Architecture));
        Assert.Null(relu.Site);
    }

    [TorchFact]
    public void Damaged_and_foreign_files_are_refused_in_a_sentence()
    {
        using var folder = new TempFolder();
        var n = 0;
        string Changed(string fixture, string file, Func<byte[], byte[]> change)
        {
            var copy = folder.Copy(Fixture(fixture), $"{n++}");
            var path = Path.Combine(copy, file);
            File.WriteAllBytes(path, change(File.ReadAllBytes(path)));
            return copy;
        }
        string Config(string fixture, string from, string to, string file = "cfg.json") =>
            Changed(fixture, file, bytes => System.Text.Encoding.UTF8.GetBytes(System.Text.Encoding.UTF8.GetString(bytes).Replace(from, to, StringComparison.Ordinal)));
        Refused("there is no such autoencoder", () => SaeFiles.Read(Path.Combine(folder.Path, "nowhere")));
        Refused("holds no autoencoder", () => SaeFiles.Read(folder.Path));
        Refused("'d_in' is 17", () => SaeFiles.Read(Config("saelens/topk", "\"d_in\": 16", "\"d_in\": 17")), "[17, 48] is needed");
        Refused("'d_sae' is -3", () => SaeFiles.Read(Config("saelens/topk", "\"d_sae\": 48", "\"d_sae\": -3")), "'d_sae' is -3");
        Refused("huge", () => SaeFiles.Read(Config("saelens/topk", "\"d_sae\": 48", "\"d_sae\": 9000000000000000000")), "9000000000000000000");
        Refused("k", () => SaeFiles.Read(Config("saelens/topk", "\"k\": 6", "\"k\": 49")), "k is 49; 1 to 48");
        Refused("k", () => SaeFiles.Read(Config("saelens/topk", "\"k\": 6", "\"k\": \"six\"")), "'k' is \"six\"; a whole number is needed");
        Refused("arch", () => SaeFiles.Read(Config("saelens/topk", "\"architecture\": \"topk\"", "\"architecture\": \"transcoder\"")), "the architecture is 'transcoder'; standard, topk, jumprelu, gated are read");
        Refused("arch", () => SaeFiles.Read(Config("saelens/standard", "\"architecture\": \"standard\"", "\"architecture\": \"jumprelu\"")), "has no tensor 'threshold'");
        Refused("arch", () => SaeFiles.Read(Config("saelens/jumprelu", "\"architecture\": \"jumprelu\"", "\"architecture\": \"standard\"")), "holds a tensor 'threshold'");
        Refused("norm", () => SaeFiles.Read(Config("saelens/standard", "\"normalize_activations\": \"none\"", "\"normalize_activations\": \"batch\"")), "'normalize_activations' is \"batch\"");
        Refused("json", () => SaeFiles.Read(Changed("saelens/topk", "cfg.json", bytes => bytes[..20])), "is no JSON");
        Refused("json", () => SaeFiles.Read(Changed("saelens/topk", "cfg.json", _ => "[1]"u8.ToArray())), "is array; an object is needed");
        Refused("cut", () => SaeFiles.Read(Changed("saelens/topk", "sae_weights.safetensors", bytes => bytes[..200])), "sae_weights.safetensors");
        Refused("nan", () => SaeFiles.Read(Changed("saelens/topk", "sae_weights.safetensors", bytes => { bytes.AsSpan(^4..).Fill(0xff); return bytes; })), "not finite");
        Refused("class", () => SaeFiles.Read(Config("dictionary_learning/relu", "\"AutoEncoder\"", "\"CrossCoder\"", "config.json")), "'dict_class' is 'CrossCoder'; AutoEncoder, AutoEncoderTopK, BatchTopKSAE are read");
        Refused("dim", () => SaeFiles.Read(Config("dictionary_learning/relu", "\"activation_dim\": 16", "\"activation_dim\": 15", "config.json")), "'activation_dim' is 15; the tensors in ae.pt say 16");
        Refused("cut", () => SaeFiles.Read(Changed("dictionary_learning/relu", "ae.pt", bytes => bytes[..3000])), "ae.pt");
        Refused("cut", () => SaeFiles.Read(Changed("gemma_scope/layer_3/width_48/average_l0_9", "params.npz", bytes => bytes[..3000])), "params.npz");
        Refused("foreign", () => SaeFiles.Read(Repository.Fixture("npz", "stored.npz")), "is no autoencoder of Gemma Scope");
        Refused("foreign", () => SaeFiles.Read(Repository.Fixture("modules", "golden.safetensors")), "has no matrices 'W_enc' and 'W_dec'");
    }

    [TorchFact]
    public void Files_damaged_at_random_are_read_or_refused_and_nothing_else()
    {
        var random = new Random(7);
        using var folder = new TempFolder();
        var refused = 0;
        foreach (var (layout, file) in new[] { ("saelens/gated", "cfg.json"), ("saelens/topk", "cfg.json"), ("saelens/topk", "sae_weights.safetensors"), ("dictionary_learning/batch_top_k", "ae.pt"), ("dictionary_learning/relu", "config.json"), ("gemma_scope/layer_3/width_48/average_l0_9", "params.npz") })
        {
            var copy = folder.Copy(Fixture(layout), layout.Replace('/', '-') + "-" + file);
            var path = Path.Combine(copy, file);
            var good = File.ReadAllBytes(path);
            for (var trial = 0; trial < 60; trial++)
            {
                var bytes = (byte[])good.Clone();
                for (var edit = random.Next(1, 4); edit > 0; edit--)
                    bytes[random.Next(Math.Min(bytes.Length, 600))] = (byte)random.Next(256);
                File.WriteAllBytes(path, bytes);
                try
                {
                    SaeFiles.Read(copy).Dispose();
                }
                catch (BadInputException)
                {
                    refused++;
                }
            }
        }
        Assert.True(refused > 100, $"only {refused} were refused");
    }

    internal static string Fixture(string layout) => Repository.Fixture(["sae", .. layout.Split('/')]);

    internal static (Tensor X, Tensor Z, Tensor Decoded) Golden(string layout)
    {
        using var file = SafetensorsFile.Open(Path.Combine(Fixture(layout), "golden.safetensors"));
        return (Tensor.From(file.Read("x")), Tensor.From(file.Read("z")), Tensor.From(file.Read("x_hat")));
    }

    private static void Close(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.Shape.ToArray(), actual.Shape.ToArray());
        Assert.InRange((expected - actual).Abs().Max().Item(), 0, Tolerance);
    }

    private static void Refused(string what, Action read, string? expected = null) =>
        Assert.Contains(expected ?? what, Assert.Throws<BadInputException>(read).Message, StringComparison.Ordinal);
}
