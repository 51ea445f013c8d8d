namespace Lethe.Torch.Tests;

public class OperatorManifestTests
{
    [TorchFact]
    public void Every_operator_in_the_code_is_in_the_manifest_with_its_schema()
    {
        var listed = OperatorManifest.Entries.Select(entry => entry.Name).ToHashSet();
        var absent = OperatorManifest.Used().Where(op => !listed.Contains(op.FullName)).Select(op => op.Exists ? op.Schema() : "? " + op.FullName).Order(StringComparer.Ordinal).ToList();
        Assert.True(absent.Count == 0, "add to src/Lethe.Torch/operators.txt:\n" + string.Join('\n', absent));
    }

    [Fact]
    public void Every_line_of_the_manifest_is_an_operator_of_the_code()
    {
        var used = OperatorManifest.Used().Select(op => op.FullName).ToHashSet();
        Assert.All(OperatorManifest.Entries, entry => Assert.Contains(entry.Name, used));
        Assert.Equal(used.Count, OperatorManifest.Entries.Count);
    }

    [Fact]
    public void The_libtorch_at_hand_has_every_operator_as_the_manifest_says() => Assert.Empty(Engine.MissingOperators());

    [TorchFact]
    public void No_operator_of_the_code_is_written_twice()
    {
        var names = OperatorManifest.Used().Select(op => op.FullName).ToList();
        Assert.Equal(names.Count, names.Distinct().Count());
    }

    [Theory]
    [InlineData("aten::f(Tensor self, int[2] size) -> Tensor", "aten::f(Tensor(a) self, SymInt[2] size, *, bool extra=False) -> Tensor(a)", true)]
    [InlineData("aten::f(Tensor[] a) -> Tensor[]", "aten::f(Tensor(a -> *)[] a) -> Tensor(a)[]", true)]
    [InlineData("aten::f(Tensor(a!) self, int[2] stride=[1, 1], str? mode=None) -> Tensor(a!)", "aten::f(Tensor self, int[2] stride=[1, 1], str? mode=None) -> Tensor", true)]
    [InlineData("aten::f(Tensor a) -> (Tensor values, Tensor indices)", "aten::f(Tensor a) -> (Tensor, Tensor)", true)]
    [InlineData("aten::f(Tensor self, int dim) -> Tensor", "aten::f(Tensor self) -> Tensor", false)]
    [InlineData("aten::f(Tensor self, int dim) -> Tensor", "aten::f(Tensor self, int[] dim) -> Tensor", false)]
    [InlineData("aten::f(Tensor self, int dim) -> Tensor", "aten::f(Tensor self, int axis) -> Tensor", false)]
    [InlineData("aten::f(Tensor self) -> Tensor", "aten::f(Tensor self, int needed) -> Tensor", false)]
    [InlineData("aten::f(Tensor self) -> Tensor", "aten::f(Tensor self) -> (Tensor, Tensor)", false)]
    public void A_schema_fits_when_calls_written_for_it_still_work(string expected, string actual, bool fits) =>
        Assert.Equal(fits, OperatorManifest.Fits(expected, actual));
}
