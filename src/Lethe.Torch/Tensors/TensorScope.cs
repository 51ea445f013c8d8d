namespace Lethe.Torch;

/// <summary>
/// Frees every tensor made inside it, unless it is kept. Scopes nest, belong to the torch thread and never live across an await.
/// </summary>
/// <example><code>
/// using var scope = new TensorScope();
/// var loss = model.Loss(batch);
/// return scope.Keep(loss);
/// </code></example>
public sealed class TensorScope : IDisposable
{
    // One thread makes all tensors (Engine), so one chain of scopes is enough; finalisers make none.
    private readonly TensorScope? parent;
    private readonly List<Tensor?> tensors = Pool.Count > 0 ? Pool.Pop() : new List<Tensor?>(64);

    [ThreadStatic]
    private static TensorScope? current;

    [ThreadStatic]
    private static Stack<List<Tensor?>>? pool;

    /// <summary>Opens a scope inside the present one.</summary>
    public TensorScope()
    {
        Engine.Verify();
        parent = current;
        current = this;
    }

    internal static TensorScope? Current => current;

    private static Stack<List<Tensor?>> Pool => pool ??= new();

    /// <summary>
    /// Moves a tensor made inside this scope to the enclosing one, or out of all scopes. A tensor that lives longer anyway (a parameter,
    /// one made before this scope was opened) stays where it is.
    /// </summary>
    public Tensor Keep(Tensor tensor)
    {
        for (var scope = current; scope is not null && scope != parent; scope = scope.parent)
            if (scope == tensor.Scope)
            {
                scope.Remove(tensor);
                parent?.Add(tensor);
                break;
            }
        return tensor;
    }

    /// <summary>Whether leaving this scope frees the tensor.</summary>
    public bool Owns(Tensor tensor) => tensor.Scope == this;

    /// <summary>Moves a tensor out of all scopes: whoever takes it disposes it.</summary>
    public static Tensor Detach(Tensor tensor)
    {
        tensor.Scope?.Remove(tensor);
        return tensor;
    }

    /// <summary>Frees what was not kept and goes back to the enclosing scope.</summary>
    public void Dispose()
    {
        if (current != this)
            throw new InvalidOperationException("Scopes close in the reverse order in which they were opened.");
        current = parent;
        for (var k = tensors.Count - 1; k >= 0; k--)
            if (tensors[k] is { } tensor)
            {
                tensor.Scope = null;
                tensor.Dispose();
            }
        tensors.Clear();
        Pool.Push(tensors);
    }

    internal void Add(Tensor tensor)
    {
        tensor.Scope = this;
        tensor.ScopeIndex = tensors.Count;
        tensors.Add(tensor);
    }

    internal void Remove(Tensor tensor)
    {
        tensors[tensor.ScopeIndex] = null;
        tensor.Scope = null;
        // A tensor freed in the order in which it was made leaves no hole behind: long-lived scopes do not grow.
        while (tensors.Count > 0 && tensors[^1] is null)
            tensors.RemoveAt(tensors.Count - 1);
    }
}
