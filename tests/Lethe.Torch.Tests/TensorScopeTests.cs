using System.Runtime.CompilerServices;

namespace Lethe.Torch.Tests;

public class TensorScopeTests
{
    [TorchFact]
    public void A_scope_frees_what_was_made_inside()
    {
        var before = Tensor.Live;
        Tensor inside;
        using (new TensorScope())
        {
            inside = Tensor.Ones([2]) + 1;
            Assert.Equal(before + 2, Tensor.Live);
        }
        Assert.Equal(before, Tensor.Live);
        Assert.True(inside.IsDisposed);
    }

    [TorchFact]
    public void Using_a_freed_tensor_says_how_to_keep_it()
    {
        Tensor inside;
        using (new TensorScope())
            inside = Tensor.Ones([2]);
        var error = Assert.Throws<ObjectDisposedException>(() => inside + 1);
        Assert.Contains("TensorScope.Keep", error.Message, StringComparison.Ordinal);
        Assert.Throws<ObjectDisposedException>(() => Tensor.Ones([2]) + inside);
        Assert.Throws<ObjectDisposedException>(() => Tensor.Cat([inside]));
        Assert.Throws<ObjectDisposedException>(() => inside.ToHost());
        Assert.Throws<ObjectDisposedException>(() => inside.Backward());
        inside.Dispose();
    }

    [TorchFact]
    public void A_kept_tensor_lives_as_long_as_the_enclosing_scope()
    {
        Tensor kept;
        using (new TensorScope())
        {
            using (var inner = new TensorScope())
                kept = inner.Keep(Tensor.Ones([2]));
            Assert.Equal(2.0, kept.Sum().Item());
        }
        Assert.True(kept.IsDisposed);
    }

    [TorchFact]
    public void An_outer_scope_keeps_what_an_inner_one_made()
    {
        Tensor kept;
        using (var outer = new TensorScope())
        {
            using (new TensorScope())
                kept = outer.Keep(Tensor.Ones([2]));
            Assert.False(kept.IsDisposed);
        }
        Assert.False(kept.IsDisposed);
    }

    [TorchFact]
    public void Keeping_never_shortens_a_life()
    {
        var detached = TensorScope.Detach(Tensor.Ones([2]));
        var older = Tensor.Ones([2]);
        using (new TensorScope())
        using (var inner = new TensorScope())
        {
            inner.Keep(detached);
            inner.Keep(older);
        }
        Assert.False(detached.IsDisposed);
        Assert.False(older.IsDisposed);
        detached.Dispose();
    }

    [TorchFact]
    public void A_detached_tensor_outlives_all_scopes_until_it_is_disposed()
    {
        var before = Tensor.Live;
        Tensor detached;
        using (new TensorScope())
        using (new TensorScope())
            detached = TensorScope.Detach(Tensor.Ones([2]));
        Assert.Equal(before + 1, Tensor.Live);
        detached.Dispose();
        detached.Dispose();
        Assert.Equal(before, Tensor.Live);
    }

    [TorchFact]
    public void Scopes_close_in_the_reverse_order()
    {
        var outer = new TensorScope();
        var inner = new TensorScope();
        Assert.Throws<InvalidOperationException>(outer.Dispose);
        inner.Dispose();
        outer.Dispose();
    }

    [TorchFact]
    public void An_exception_frees_what_was_made_on_the_way()
    {
        var before = Tensor.Live;
        Assert.Throws<TorchException>(() =>
        {
            using var scope = new TensorScope();
            var a = Tensor.Ones([2, 3]);
            return a.Mm(a);
        });
        Assert.Equal(before, Tensor.Live);
    }

    [TorchFact]
    public void A_tensor_may_be_freed_before_its_scope_closes()
    {
        var before = Tensor.Live;
        using (new TensorScope())
        {
            var (a, b, c) = (Tensor.Ones([1]), Tensor.Ones([1]), Tensor.Ones([1]));
            b.Dispose();
            c.Dispose();
            Assert.Equal(1.0, a.Item());
            Assert.Equal(before + 1, Tensor.Live);
        }
        Assert.Equal(before, Tensor.Live);
    }

    [TorchFact]
    public void The_memory_lives_while_another_tensor_sees_it()
    {
        Tensor view;
        using (var scope = new TensorScope())
            view = scope.Keep(Tensor.FromArray([1f, 2, 3]).Slice(0, 1, 3));
        Assert.Equal([2f, 3], view.ToArray<float>());
    }

    [TorchFact]
    public void A_tensor_that_nobody_frees_is_freed_by_the_finaliser_and_counted_as_a_leak()
    {
        var (live, leaked) = (Tensor.Live, Tensor.Leaked);
        Forget();
        for (var k = 0; k < 20 && Tensor.Leaked < leaked + 3; k++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Assert.Equal(leaked + 3, Tensor.Leaked);
        Assert.Equal(live, Tensor.Live);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Forget()
    {
        for (var k = 0; k < 3; k++)
            TensorScope.Detach(Tensor.Ones([2]));
    }
}
