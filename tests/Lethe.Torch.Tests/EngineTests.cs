namespace Lethe.Torch.Tests;

public class EngineTests
{
    [Fact]
    public void Everything_runs_on_one_thread()
    {
        var threads = new HashSet<int>();
        Parallel.For(0, 8, _ => Engine.Run(() => threads.Add(Environment.CurrentManagedThreadId)));
        Assert.Single(threads);
        Assert.DoesNotContain(Environment.CurrentManagedThreadId, threads);
        Assert.False(Engine.OnEngineThread);
    }

    [Fact]
    public void Values_come_back() => Assert.Equal(3.0, Engine.Run(() =>
    {
        using var scope = new TensorScope();
        return (Tensor.Ones([2]) * 1.5).Sum().Item();
    }));

    [Fact]
    public void An_exception_comes_back_as_it_was_thrown()
    {
        var thrown = new InvalidDataException("as it was");
        var caught = Assert.Throws<InvalidDataException>(() => Engine.Run(() => throw thrown));
        Assert.Same(thrown, caught);
        Assert.Contains(nameof(An_exception_comes_back_as_it_was_thrown), caught.StackTrace, StringComparison.Ordinal);
        Assert.Equal(1, Engine.Run(() => 1));
    }

    [Fact]
    public void A_run_inside_a_run_happens_at_once()
    {
        var order = new List<int>();
        Engine.Run(() =>
        {
            order.Add(1);
            Engine.Run(() => order.Add(2));
            Assert.Throws<FormatException>(() => Engine.Run(() => throw new FormatException()));
            order.Add(3);
        });
        Assert.Equal([1, 2, 3], order);
    }

    [Fact]
    public void Tensors_are_refused_on_other_threads()
    {
        var tensor = Engine.Run(() => TensorScope.Detach(Tensor.Ones([2])));
        Assert.Throws<InvalidOperationException>(() => Tensor.Ones([2]));
        Assert.Throws<InvalidOperationException>(() => tensor + 1);
        Assert.Throws<InvalidOperationException>(() => tensor.Shape.ToArray());
        Assert.Throws<InvalidOperationException>(() => tensor.Backward());
        Assert.Throws<InvalidOperationException>(() => tensor.Grad);
        Assert.Throws<InvalidOperationException>(() => tensor.RequiresGrad = true);
        Assert.Throws<InvalidOperationException>(() => new TensorScope());
        Assert.Throws<InvalidOperationException>(() => new RandomStream(1));
        Assert.Throws<InvalidOperationException>(() => Autograd.Enabled);
        tensor.Dispose();
    }

    [Fact]
    public void The_number_of_threads_is_set_and_read()
    {
        var before = Engine.Threads;
        Engine.Threads = 1;
        Assert.Equal(1, Engine.Threads);
        Engine.Threads = before;
        Assert.Equal(before, Engine.Threads);
        Assert.Throws<UsageException>(() => Engine.Threads = 0);
    }

    [Fact]
    public void Diagnostics_name_what_is_really_loaded()
    {
        var found = Engine.Diagnostics();
        Assert.Equal(Engine.Version, found.Version);
        Assert.Equal(Engine.Installation.Source, found.Source);
        Assert.True(File.Exists(found.Library), found.Library);
        Assert.EndsWith("liblethe_torch.so", found.Bridge, StringComparison.Ordinal);
        Assert.InRange(found.ProductError, 0, EngineDiagnostics.AllowedProductError);
        Assert.Empty(found.MissingOperators);
        Assert.True(found.OpenMp.Count <= 1, "more than one OpenMP runtime: " + string.Join(", ", found.OpenMp));
        Assert.All(found.Blas, library => Assert.True(File.Exists(library), library));
        Assert.Equal(found.CudaDevices == 0, found.CudaProblem is not null);
    }

    [Fact]
    public void Beside_the_system_libtorch_the_openmp_build_of_openblas_is_loaded()
    {
        var found = Engine.Diagnostics();
        var wanted = Path.Combine(Path.GetDirectoryName(found.Library)!, "openblas-openmp");
        if (Directory.Exists(wanted))
            Assert.All(found.Blas, library => Assert.StartsWith(wanted, library, StringComparison.Ordinal));
        else
            Assert.DoesNotContain(found.Blas, library => library.Contains("openblas-openmp", StringComparison.Ordinal));
    }

    [Fact]
    public void A_device_that_is_not_there_is_refused_with_the_reason()
    {
        Engine.Require(Device.Cpu);
        var error = Assert.Throws<UsageException>(() => Engine.Require(Device.Parse("cuda:99")));
        Assert.Contains("cuda:99", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cpu", "cpu")]
    [InlineData("cuda", "cuda:0")]
    [InlineData("cuda:3", "cuda:3")]
    public void A_device_is_read_and_written(string text, string written) => Assert.Equal(written, Device.Parse(text).ToString());

    [Theory]
    [InlineData("gpu")]
    [InlineData("cuda:")]
    [InlineData("cuda:-1")]
    [InlineData("cpu:0:1")]
    public void Another_device_is_refused(string text) => Assert.Throws<UsageException>(() => Device.Parse(text));
}
