using Lethe.Models.Language;
using Lethe.Torch;
using Lethe.Unlearning.Language;
using Lethe.Unlearning.Language.Subspaces;

namespace Lethe.Unlearning.Tests.Language;

public sealed class ConfinedUpdateTests
{
    private const string Down = "model.layers.1.mlp.down_proj.weight";

    [TorchTheory]
    [InlineData("llama", Down, true, true)]
    [InlineData("llama", Down, true, false)]
    [InlineData("llama", Down, false, true)]
    [InlineData("llama", "model.layers.2.self_attn.q_proj.weight", false, true)]
    [InlineData("gpt2", "transformer.h.1.mlp.c_proj.weight", true, true)]
    [InlineData("gpt2", "transformer.h.1.mlp.c_proj.weight", true, false)]
    public void Gradients_are_slopes(string family, string name, bool outputs, bool inputs)
    {
        using var model = Tiny.Model(family, DType.Float64);
        using var random = new RandomStream(3);
        var place = MatrixPlace.Of(model, name);
        using var left = outputs ? OrthonormalBasis.Random(place.OutputSize, 5, random) : null;
        using var right = inputs ? OrthonormalBasis.Random(place.InputSize, 7, random) : null;
        var original = Tiny.Parameter(model, name);
        var weight = new EditedWeight(name, place.Layer, original, DType.Float64);
        using var confined = new ConfinedUpdate(weight, place, left, right);
        using var penalised = new PenalisedUpdate(weight, place, left, right, 0.7);
        Assert.Equal((outputs ? 5 : place.OutputSize) * (inputs ? 7 : place.InputSize), confined.Parameters[0].Value.Elements);
        var reads = Tensor.Randn([6, original.Size(1)], random, DType.Float64);
        Tensor Loss(Tensor change) => reads.MatMul((original + change).T()).Sin().Square().Sum();
        foreach (var space in new IUpdateSpace[] { confined, penalised })
        {
            var parameter = space.Parameters[0].Value;
            Assert.Equal(0, space.Change().Abs().Max().Item());
            parameter.NormalInPlace(0, 0.3, random);
            double Value() => Loss(space.Change()).Item() + (space is PenalisedUpdate soft ? soft.Penalty() : 0);
            var change = space.Change().Detach().Clone();
            change.RequiresGrad = true;
            var gradient = space.Gradients(Autograd.Grad([Loss(change)], [change])[0])[0].ToArray<double>();
            var flat = parameter.View(-1);
            foreach (var at in new[] { 0L, 3, flat.Elements / 2, flat.Elements - 1 })
            {
                const double step = 1e-5;
                var one = flat.Narrow(0, at, 1);
                one.AddInPlace(step);
                var above = Value();
                one.AddInPlace(-2 * step);
                var below = Value();
                one.AddInPlace(step);
                Assert.Equal((above - below) / (2 * step), gradient[at], 1e-6 * Math.Max(1, Math.Abs(gradient[at])));
            }
        }
    }

    [TorchFact]
    public void Many_steps_of_AdamW_stay_inside_both_subspaces()
    {
        using var model = Tiny.Model();
        using var random = new RandomStream(4);
        var place = MatrixPlace.Of(model, Down);
        using var outputs = OrthonormalBasis.Random(16, 4, random);
        using var inputs = OrthonormalBasis.Random(24, 9, random);
        using var space = new ConfinedUpdate(new(Down, 1, Tiny.Parameter(model, Down), DType.Float32), place, outputs, inputs);
        using var optimizer = new AdamW(space.Parameters, 1e-2);
        for (var step = 0; step < 300; step++)
        {
            using var scope = new TensorScope();
            optimizer.Step([.. space.Gradients(Tensor.Randn([16, 24], random) + 0.5)]);
        }
        var change = space.Change(); // (out, in)
        Assert.True(change.Norm().Item() > 1);
        Assert.InRange(1 - outputs.Share(change.T()), -1e-10, 1e-10); // shares are of squares: 1e-5 of the length
        Assert.InRange(1 - inputs.Share(change), -1e-10, 1e-10);
        using var exact = OrthonormalBasis.Of(change);
        Assert.Equal(4, exact.Rank);
        // With the residual as the only side, the penalty of the same change is what lies outside: nothing.
        using var soft = new PenalisedUpdate(new(Down, 1, Tiny.Parameter(model, Down), DType.Float32), place, outputs, null, 5);
        soft.Parameters[0].Value.CopyInPlace(change);
        Assert.InRange(soft.Penalty(), 0, 1e-8);
        soft.Parameters[0].Value.CopyInPlace(outputs.Remove(Tensor.Ones([24, 16])).T());
        Assert.Equal(5 * outputs.Remove(Tensor.Ones([24, 16])).Square().Sum().Item(), soft.Penalty(), 1e-3);
    }

    [TorchTheory]
    [InlineData("llama", "mlp.down_proj")]
    [InlineData("llama", "self_attn.o_proj")]
    [InlineData("gemma2", "mlp.down_proj")]
    [InlineData("gemma2", "self_attn.o_proj")]
    public void What_a_confined_matrix_adds_lies_in_the_subspace_behind_the_norm_that_follows(string family, string part)
    {
        using var model = Tiny.Model(family);
        using var random = new RandomStream(5);
        var name = $"model.layers.1.{part}.weight";
        var place = MatrixPlace.Of(model, name);
        using var stream = OrthonormalBasis.Random(16, 5, random);
        using var residual = place.Residual(stream);
        using var space = new ConfinedUpdate(new(name, 1, Tiny.Parameter(model, name), DType.Float32), place, residual, null);
        space.Parameters[0].Value.NormalInPlace(0, 1, random);
        using var noGrad = Autograd.NoGrad();
        // The matrix with the change alone: with nothing untouched, the norm's common factor changes no direction.
        var weight = Tiny.Parameter(model, name);
        weight.CopyInPlace(space.Change());
        var added = new Site(1, part.StartsWith("mlp", StringComparison.Ordinal) ? SiteKind.MlpAdded : SiteKind.AttentionAdded);
        using var recorder = new SiteRecorder([added]);
        model.Run(model.Embed(Tensor.FromArray(new long[] { 3, 4, 5, 6 }, 1, 4)), 0, 2, new ForwardContext { Sites = recorder });
        Assert.True(recorder.Values[added].Norm().Item() > 0.1);
        Assert.Equal(1, stream.Share(recorder.Values[added]), 1e-6);
        // Without the norm's weights accounted for it would not.
        Assert.Equal(family == "gemma2", stream.Share(residual.Columns.T()) < 0.99);
    }

    [TorchTheory]
    [InlineData("llama", "self_attn.q_proj")]
    [InlineData("llama", "mlp.up_proj")]
    [InlineData("gemma2", "self_attn.v_proj")]
    [InlineData("gemma2", "mlp.gate_proj")]
    public void A_confined_matrix_that_reads_the_stream_sees_nothing_outside_of_the_subspace(string family, string part)
    {
        using var model = Tiny.Model(family);
        using var random = new RandomStream(6);
        var name = $"model.layers.1.{part}.weight";
        var place = MatrixPlace.Of(model, name);
        using var stream = OrthonormalBasis.Random(16, 5, random);
        using var residual = place.Residual(stream);
        using var space = new ConfinedUpdate(new(name, 1, Tiny.Parameter(model, name), DType.Float32), place, null, residual);
        space.Parameters[0].Value.NormalInPlace(0, 1, random);
        var state = Tensor.Randn([50, 16], random);
        var (outside, inside) = (stream.Remove(state), stream.Project(state));
        SubspaceTests.Near(Tensor.Zeros([50, place.OutputSize]), place.Read(outside).MatMul(space.Change().T()), 1e-4); // values of about 10
        Assert.True(place.Read(inside).MatMul(space.Change().T()).Abs().Max().Item() > 1);
    }

    [TorchTheory]
    [InlineData("llama")]
    [InlineData("gemma2")]
    public void What_a_matrix_reads_is_what_the_model_gives_it(string family)
    {
        using var model = Tiny.Model(family);
        using var noGrad = Autograd.NoGrad();
        Site middle = new(1, SiteKind.ResidualMiddle), neurons = new(1, SiteKind.MlpNeurons);
        using var recorder = new SiteRecorder([middle, neurons]);
        model.Run(model.Embed(Tensor.FromArray(new long[] { 3, 4, 5, 6 }, 1, 4)), 0, 2, new ForwardContext { Sites = recorder });
        Tensor Product(string part)
        {
            var place = MatrixPlace.Of(model, $"model.layers.1.mlp.{part}.weight");
            Assert.Equal((middle, false, 24L, 16L), (place.Inputs, place.Writes, place.OutputSize, place.InputSize));
            return place.Read(recorder.Values[middle]).Linear(Tiny.Parameter(model, place.Name));
        }
        var gate = Product("gate_proj");
        SubspaceTests.Near(recorder.Values[neurons], (family == "llama" ? gate.Silu() : gate.Gelu("tanh")) * Product("up_proj"), 1e-3); // values up to 100
        var down = MatrixPlace.Of(model, "model.layers.1.mlp.down_proj.weight");
        Assert.Equal((neurons, true, 16L, 24L), (down.Inputs, down.Writes, down.OutputSize, down.InputSize));
        Assert.Same(recorder.Values[neurons], down.Read(recorder.Values[neurons]));
    }

    [TorchFact]
    public void Matrices_whose_place_is_not_known_are_refused_by_name()
    {
        using var gpt = Tiny.Model("gpt2");
        Assert.Contains("'transformer.h.1.mlp.c_fc.weight' cannot be confined", Assert.Throws<UsageException>(() => MatrixPlace.Of(gpt, "transformer.h.1.mlp.c_fc.weight")).Message, StringComparison.Ordinal);
        using var model = Tiny.Model();
        Assert.Contains("no weight 'model.layers.9.mlp.down_proj.weight'", Assert.Throws<UsageException>(() => MatrixPlace.Of(model, "model.layers.9.mlp.down_proj.weight")).Message, StringComparison.Ordinal);
        using var random = new RandomStream(1);
        using var wide = OrthonormalBasis.Random(17, 2, random);
        Assert.Contains("lies in a space of 17 dimensions", Assert.Throws<BadInputException>(() => MatrixPlace.Of(model, Down).Residual(wide)).Message, StringComparison.Ordinal);
    }
}
