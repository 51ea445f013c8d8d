using Xunit;

namespace Lethe.Testing;

/// <summary>A test that needs the shared data folder and is skipped, saying so, where it is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SharedFactAttribute : FactAttribute
{
    /// <summary>Skips where there is no shared folder.</summary>
    public SharedFactAttribute()
    {
        if (SharedData.Root is null)
            Skip = SharedData.Missing;
    }
}
