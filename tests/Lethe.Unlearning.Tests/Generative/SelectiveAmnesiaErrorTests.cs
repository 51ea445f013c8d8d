using Lethe.Models.Generative;
using Lethe.Torch;
using Lethe.Unlearning.Generative;

namespace Lethe.Unlearning.Tests.Generative;

public class SelectiveAmnesiaErrorTests
{
    [TorchTheory]
    [InlineData(new int[0], new[] { 0 }, "There is nothing to forget: name at least one concept.")]
    [InlineData(new[] { 1 }, new int[0], "There is nothing to retain: at least one condition must stay.")]
    [InlineData(new[] { 1, 1 }, new[] { 0 }, "Condition 1 is to be forgotten twice; name it once.")]
    [InlineData(new[] { 1, 2 }, new[] { 0, 2 }, "Condition 2 is to be forgotten and retained; leave it out of one of the two.")]
    [InlineData(new[] { 4 }, new[] { 0 }, "Condition 4 does not exist; the model has 0 to 3.")]
    [InlineData(new[] { 1 }, new[] { -1 }, "Condition -1 does not exist; the model has 0 to 3.")]
    public void Wrong_conditions_are_refused_before_anything_is_made(int[] forgotten, int[] retained, string sentence)
    {
        using var bench = new Bench();
        var live = Tensor.Live;
        var error = Assert.Throws<UsageException>(() => new SelectiveAmnesia(bench.Model, bench.Frozen, bench.Fisher, [.. forgotten.Select(bench.Noise)], retained, Bench.Quick, 0));
        Assert.Equal(sentence, error.Message);
        Assert.Equal(live, Tensor.Live);
    }

    [TorchFact]
    public void More_concepts_than_images_in_a_step_are_refused()
    {
        using var bench = new Bench();
        var error = Assert.Throws<UsageException>(() => bench.Forget(Bench.Quick with { ForgetBatch = 1 }, bench.Noise(0), bench.Noise(1)));
        Assert.Equal("method.forget_batch is 1, too few for 2 concepts: each needs at least one image a step.", error.Message);
    }

    [TorchFact]
    public void A_first_stage_is_refused_where_no_weights_belong_to_one_condition()
    {
        using var random = new RandomStream(5);
        using var model = new LogisticGenerator(6, 3, 4, random);
        using var frozen = new LogisticGenerator(6, 3, 4, random);
        var information = new FisherInformation(0, 1, null, model.StateDict());
        var live = Tensor.Live;
        var error = Assert.Throws<UsageException>(() => new SelectiveAmnesia(model, frozen, information, [new(1, new NoiseSurrogate(model))], [0], Bench.Quick with { OwnInformation = 1 }, 0));
        Assert.Equal("method.column_steps is 5, but this model has no weights that condition 1 alone reads; set it to 0.", error.Message);
        Assert.Equal(live, Tensor.Live);
    }

    [TorchFact]
    public void A_mean_matrix_is_refused_unless_all_conditions_weigh_alike()
    {
        using var bench = new Bench();
        var mean = new FisherInformation(0, 1, null, bench.State);
        SelectiveAmnesia Make(double ownInformation) => new(bench.Model, bench.Frozen, mean, [bench.Noise(1)], [0], Bench.Quick with { OwnInformation = ownInformation }, 0);
        var live = Tensor.Live;
        Assert.Contains("method.own_information 1 alone, not 0", Assert.Throws<UsageException>(() => Make(0)).Message, StringComparison.Ordinal);
        Assert.Equal(live, Tensor.Live);
        using var accepted = Make(1);
    }

    [TorchFact]
    public void The_model_itself_cannot_give_the_replay()
    {
        using var bench = new Bench();
        Assert.Throws<ArgumentException>(() => new SelectiveAmnesia(bench.Model, bench.Model, bench.Fisher, [bench.Noise(1)], [0], Bench.Quick, 0));
    }

    [TorchFact]
    public void A_loss_that_is_not_finite_ends_the_run_and_names_the_step()
    {
        using var bench = new Bench();
        using var method = bench.Forget(Bench.Quick with { ColumnSteps = 0 }, new ForgetTarget(1, new ImagesSurrogate(Tensor.Full([1, 12], double.NaN))));
        var error = Assert.Throws<RunFailedException>(method.Advance);
        Assert.Contains("not finite at step 0", error.Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void A_state_of_another_model_is_refused()
    {
        using var bench = new Bench();
        using var method = bench.Forget(Bench.Quick, bench.Noise(1));
        var state = new StateWriter();
        method.Save(state);
        var tensors = state.Tensors.ToDictionary();
        tensors["parameters.fc1.bias"] = Tensor.Zeros([1]).ToHost(); // would broadcast
        Assert.Contains("'parameters.fc1.bias'", Assert.Throws<BadInputException>(() => method.Load(new StateReader(tensors, state.Values))).Message, StringComparison.Ordinal);
    }
}
