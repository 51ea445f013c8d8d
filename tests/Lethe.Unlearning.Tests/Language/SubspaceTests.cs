using Lethe.Formats;
using Lethe.Torch;
using Lethe.Unlearning.Language.Subspaces;

namespace Lethe.Unlearning.Tests.Language;

public sealed class SubspaceTests
{
    [SharedTorchFact]
    public void Rank_projectors_and_angles_are_those_of_the_reference()
    {
        using var file = SafetensorsFile.Open(SharedData.Path("fixtures", "unlearning", "subspaces.safetensors"));
        Tensor Read(string name) => Tensor.From(file.Read(name));
        var (relevantRows, irrelevantRows) = (Read("V").T(), Read("W").T());

        // One row of V repeats another to 1e-12, one is a sum of two.
        using var basis = OrthonormalBasis.Of(relevantRows, 1e-8);
        Assert.Equal(Read("rank").Item(), basis.Rank);
        Assert.Equal(Read("singular_values").ToArray<double>(), basis.SingularValues, (a, b) => Math.Abs(a - b) < 1e-10);
        Near(Read("projector_relevant"), basis.Projector(), 1e-10);

        using var pair = SubspacePair.Of(relevantRows, irrelevantRows, 1e-8);
        Near(Read("projector_irrelevant_given_relevant"), pair.Irrelevant.Projector(), 1e-10);
        var angles = Read("principal_angles_before").ToArray<double>();
        Assert.Equal(angles, pair.AnglesBefore, (a, b) => Math.Abs(a - b) < 1e-9);
        var reading = pair.Read();
        Assert.Equal((6, 6, 24L), (reading.RelevantRank, reading.IrrelevantRank, reading.Size));
        Assert.Equal(angles.Sum(angle => Math.Cos(angle) * Math.Cos(angle)), reading.OverlapBefore, 1e-9);
        Assert.InRange(reading.Overlap, 0, 1e-20);
    }

    [TorchFact]
    public void Parts_inside_and_outside_make_the_vector_again_and_shares_are_squared_cosines()
    {
        using var basis = OrthonormalBasis.Of(Tensor.FromArray(new[] { 1.0, 1, 0, 0, 2, 2, 0, 0, 0, 0, 5, 0 }, 3, 4));
        Assert.Equal(2, basis.Rank);
        var x = Tensor.FromArray(new[] { 3f, 1, 4, 2 }, 1, 4);
        Assert.Equal([2f, 2, 4, 0], basis.Project(x).ToArray<float>(), (a, b) => Math.Abs(a - b) < 1e-6);
        Assert.Equal([1f, -1, 0, 2], basis.Remove(x).ToArray<float>(), (a, b) => Math.Abs(a - b) < 1e-6);
        Assert.Equal(24.0 / 30, basis.Share(x), 1e-12);
        Assert.Equal(0, basis.Share(x.ZerosLike()));
    }

    [TorchFact]
    public void Small_angles_keep_their_digits_and_ranks_may_differ()
    {
        const double angle = 1e-9;
        using var plane = OrthonormalBasis.Of(Tensor.FromArray(new[] { 1.0, 0, 0, 0, 1, 0 }, 2, 3));
        using var line = OrthonormalBasis.Of(Tensor.FromArray(new[] { Math.Cos(angle), 0, Math.Sin(angle) }, 1, 3));
        // The cosine of 1e-9 is 1 in double precision: by cosines the angle would be 0.
        Assert.Equal(angle, Assert.Single(PrincipalAngles.Between(plane, line)), 1e-20);
        Assert.Equal(PrincipalAngles.Between(plane, line), PrincipalAngles.Between(line, plane));
        using var up = OrthonormalBasis.Of(Tensor.FromArray(new[] { 0.0, 0, 3 }, 1, 3));
        Assert.Equal(Math.PI / 2, PrincipalAngles.Between(plane, up)[0], 1e-12);
    }

    [TorchFact]
    public void Controls_have_the_rank_asked_for()
    {
        using var random = new RandomStream(3);
        using var drawn = OrthonormalBasis.Random(40, 7, random);
        Near(Tensor.Eye(7, DType.Float64), drawn.Columns.T().Mm(drawn.Columns), 1e-12);
        // Three strong directions, the first with a mean, which is no spread.
        var mixed = Tensor.Randn([500, 40], random) * 0.01;
        for (var k = 0; k < 3; k++)
            mixed.Select(1, k).AddInPlace(Tensor.Randn([500], random) * (3.0 + k));
        mixed.Select(1, 9).AddInPlace(100.0);
        using var moments = new SecondMoments(40);
        moments.Add(mixed.Narrow(0, 0, 123));
        moments.Add(mixed.Narrow(0, 123, 377));
        Near(mixed.To(DType.Float64).T().Mm(mixed.To(DType.Float64)) / 500.0, moments.Products(), 1e-2); // batches are multiplied in float32; values up to 1e4
        using var principal = OrthonormalBasis.Principal(moments.Covariance(), 3);
        using var axes = OrthonormalBasis.Of(Tensor.Eye(40).Narrow(0, 0, 3));
        Assert.All(PrincipalAngles.Between(principal, axes), angle => Assert.InRange(angle, 0, 0.01));
    }

    [TorchFact]
    public void A_subspace_that_is_none_is_refused_in_one_sentence()
    {
        Assert.Contains("relevant directions span a subspace of rank 0", Assert.Throws<BadInputException>(() => OrthonormalBasis.Of(Tensor.Zeros([3, 5]), what: "relevant directions")).Message, StringComparison.Ordinal);
        Assert.Contains("there are none", Assert.Throws<BadInputException>(() => OrthonormalBasis.Of(Tensor.Zeros([0, 5]))).Message, StringComparison.Ordinal);
        Assert.Contains("not finite", Assert.Throws<BadInputException>(() => OrthonormalBasis.Of(Tensor.Full([2, 2], double.NaN))).Message, StringComparison.Ordinal);
        var rows = Tensor.FromArray(new[] { 1.0, 2, 3, 0, 1, 1 }, 2, 3);
        // The same directions on both sides leave nothing that is irrelevant.
        Assert.Contains("irrelevant directions without the relevant ones", Assert.Throws<BadInputException>(() => SubspacePair.Of(rows, rows.Flip(0) * 3.0)).Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void A_subspace_is_carried_through_factors_and_back()
    {
        using var random = new RandomStream(8);
        using var basis = OrthonormalBasis.Random(12, 4, random);
        double[] factors = [.. Enumerable.Range(1, 12).Select(k => k % 2 == 0 ? 0.1 * k : -0.3 * k)];
        using var through = basis.Through(factors);
        using var back = through.Through([.. factors.Select(factor => 1 / factor)]);
        Near(Tensor.Eye(4, DType.Float64), through.Columns.T().Mm(through.Columns), 1e-12);
        Near(basis.Projector(), back.Projector(), 1e-10);
        Assert.Contains("dimension 3", Assert.Throws<BadInputException>(() => basis.Through([1, 1, 1, double.PositiveInfinity, .. Enumerable.Repeat(1.0, 8)])).Message, StringComparison.Ordinal);
    }

    internal static void Near(Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.Shape.ToArray(), actual.Shape.ToArray());
        Assert.InRange((expected.To(DType.Float64) - actual.To(DType.Float64)).Abs().Max().Item(), 0, tolerance);
    }
}
