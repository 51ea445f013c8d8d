using Xunit;

namespace Lethe.Testing;

/// <summary>A test with rows of data that needs the shared data folder and is skipped, saying so, where it is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SharedTheoryAttribute : TheoryAttribute
{
    /// <summary>Skips where there is no shared folder.</summary>
    public SharedTheoryAttribute()
    {
        if (SharedData.Root is null)
            Skip = SharedData.Missing;
    }
}
