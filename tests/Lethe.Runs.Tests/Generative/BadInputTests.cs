using Lethe.Runs.Generative;
using Lethe.Runs.Plans;
using Lethe.Torch;

namespace Lethe.Runs.Tests.Generative;

/// <summary>What a pipeline refuses, in one sentence, before it makes a folder.</summary>
public sealed class BadInputTests(TinyRuns runs) : IClassFixture<TinyRuns>
{
    [TorchTheory]
    [InlineData("forget.0.label=11", "forget[0].label is '11', which is no label")]
    [InlineData("forget.0.label=zero", "forget[0].label is 'zero', which is no label")]
    [InlineData("retain=[3, 4]", "3 is to be forgotten and retained")]
    [InlineData("retain=[44]", "retain is '44', which is no label")]
    [InlineData("forget=[{label: 3}, {label: 3}]", "forget names 3 twice")]
    [InlineData("forget=[{label: 0}, {label: 1}, {label: 2}, {label: 3}, {label: 4}, {label: 5}, {label: 6}, {label: 7}, {label: 8}, {label: 9}]", "Every label is to be forgotten")]
    [InlineData("forget.0.surrogate={kind: label, target: 3}", "forget[0].surrogate.target is '3', which is the concept to forget itself")]
    [InlineData("forget.0.surrogate={kind: blend, first: {kind: noise}, second: {kind: label, target: 3}}", "forget[0].surrogate.second.target is '3'")]
    [InlineData("forget.0.surrogate={kind: label, target: thirteen}", "forget[0].surrogate.target is 'thirteen', which is no label")]
    [InlineData("method.stepps=3", "did you mean 'steps'")]
    public void A_plan_that_asks_for_what_cannot_be_is_wrong_usage(string change, string sentence)
    {
        var error = Assert.Throws<UsageException>(() => runs.Run("refused", change));
        Assert.Contains(sentence, error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(runs["runs", "refused"]));
    }

    [TorchTheory]
    [InlineData("data.folder=/nonexistent", "MNIST was not found in /nonexistent")]
    [InlineData("base={kind: checkpoint, path: nowhere.safetensors}", "nowhere.safetensors: there is no such model")]
    [InlineData("base={kind: checkpoint, path: empty}", "0 model files are there, one is expected")]
    [InlineData("base={kind: checkpoint, path: truncated.safetensors}", "truncated.safetensors")]
    [InlineData("base={kind: checkpoint, path: hostile.safetensors}", "hostile.safetensors: The checkpoint is no conditional VAE: it has no matrix 'fc4.weight'")]
    [InlineData("base={kind: checkpoint, path: text.pt}", "text.pt")]
    [InlineData("base={kind: checkpoint, path: judge.safetensors}", "judge.safetensors: The checkpoint is no conditional VAE: it has no matrix 'fc31.weight'")]
    [InlineData("base={kind: checkpoint, path: small.safetensors}", "small.safetensors: The model makes images of 12 pixels; those of MNIST have 784.")]
    [InlineData("base={kind: checkpoint, path: three.safetensors}", "three.safetensors: The model has 3 conditions; MNIST has 10 labels.")]
    [InlineData("base={kind: checkpoint, path: broken.safetensors}", "broken.safetensors: The tensor 'fc5.bias' holds a value that is not finite.")]
    [InlineData("judge={kind: checkpoint, path: model.safetensors}", "model.safetensors: The checkpoint is no judge: it has no matrix 'fc2.weight'")]
    [InlineData("judge={kind: checkpoint, path: nowhere.safetensors}", "nowhere.safetensors: there is no such model")]
    [InlineData("relearn.control={kind: checkpoint, path: three.safetensors}", "three.safetensors: The model has 3 conditions")]
    [InlineData("forget.0.surrogate={kind: images, folder: nowhere}", "forget[0].surrogate.folder is")]
    [InlineData("forget.0.surrogate={kind: images, folder: empty}", "there is no PNG file")]
    public void What_is_missing_or_damaged_is_bad_input(string change, string sentence)
    {
        WriteModels();
        var error = Assert.Throws<BadInputException>(() => runs.Run("refused", change));
        Assert.Contains(sentence, error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(runs["runs", "refused"]));
    }

    [TorchFact]
    public void Data_without_images_of_a_label_are_refused_before_the_work()
    {
        string Refusal(int train, int test)
        {
            using var other = new TemporaryFolder();
            TinyData.WriteBars(other.Path, train, test);
            return Assert.Throws<BadInputException>(() => runs.Run("refused", $"data.folder={other.Path}")).Message;
        }
        Assert.Contains("no test image shows 9", Refusal(400, 9), StringComparison.Ordinal);
        Assert.Contains("27 test images show what must stay", Refusal(400, 30), StringComparison.Ordinal);
        Assert.Contains("no training image shows 3", Refusal(3, 60), StringComparison.Ordinal);
    }

    [TorchFact]
    public void An_export_in_which_nothing_changed_fails_and_leaves_what_was_there()
    {
        var model = ModelFiles.Read(Path.Combine(runs.FirstPaths.Stage("base"), "model.safetensors"));
        Directory.CreateDirectory(runs["export"]);
        File.WriteAllText(runs["export", "earlier"], "");
        Assert.Contains("nothing was forgotten", Assert.Throws<RunFailedException>(() => ModelFiles.Export(model, model.Tensors, runs["export"])).Message, StringComparison.Ordinal);
        Assert.True(File.Exists(runs["export", "earlier"]));
    }

    [TorchFact]
    public void A_folder_without_a_result_is_no_run()
    {
        Directory.CreateDirectory(runs["empty"]);
        Assert.Contains("there is no result.json", Assert.Throws<BadInputException>(() => UnlearnPipeline.ReadResult(new RunPaths(runs["empty"]))).Message, StringComparison.Ordinal);
    }

    private void WriteModels()
    {
        Directory.CreateDirectory(runs["empty"]);
        File.WriteAllText(runs["text.pt"], "import os; os.system('true')");
        File.Copy(Path.Combine(runs.FirstPaths.Stage("base"), "model.safetensors"), runs["model.safetensors"], overwrite: true);
        File.Copy(Path.Combine(runs.FirstPaths.Stage("judge"), "model.safetensors"), runs["judge.safetensors"], overwrite: true);
        var bytes = File.ReadAllBytes(runs["model.safetensors"]);
        File.WriteAllBytes(runs["truncated.safetensors"], bytes[..(bytes.Length / 2)]);
        var tensors = ModelFiles.Read(runs["model.safetensors"]).Tensors.ToDictionary();
        ModelFiles.Write(runs["broken.safetensors"], new Dictionary<string, HostArray>(tensors) { ["fc5.bias"] = Tensor.Full([32], double.NaN).ToHost() });
        ModelFiles.Write(runs["hostile.safetensors"], new Dictionary<string, HostArray>(tensors) { ["fc4.weight"] = new(DType.Float32, [0, 1L << 40], ReadOnlyMemory<byte>.Empty) });
        foreach (var (name, options) in new[] { ("small", new Models.Generative.ConditionalVaeOptions { Pixels = 12 }), ("three", new() { Conditions = 3 }) })
        {
            using var random = new RandomStream(1);
            using var model = new Models.Generative.ConditionalVae(options with { Outer = 8, Inner = 8, Latent = 2 }, random);
            ModelFiles.Write(runs[name + ".safetensors"], model.StateDict());
        }
    }
}
