using System.ComponentModel;
using Lethe.Torch;
using Xunit;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Lethe.Testing;

/// <summary>A test that runs on the torch thread, in a scope that frees its tensors.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("Lethe.Testing.TorchFactDiscoverer", "Lethe.Testing")]
public class TorchFactAttribute : FactAttribute;

/// <summary>The same for tests that need the shared data folder.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("Lethe.Testing.TorchFactDiscoverer", "Lethe.Testing")]
public sealed class SharedTorchFactAttribute : TorchFactAttribute
{
    /// <summary>Skips where there is no shared folder.</summary>
    public SharedTorchFactAttribute()
    {
        if (SharedData.Root is null)
            Skip = SharedData.Missing;
    }
}

/// <summary>A test with rows of data that runs on the torch thread.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("Lethe.Testing.TorchTheoryDiscoverer", "Lethe.Testing")]
public sealed class TorchTheoryAttribute : TheoryAttribute;

/// <summary>Makes the test cases of <see cref="TorchFactAttribute"/>.</summary>
public sealed class TorchFactDiscoverer(IMessageSink sink) : FactDiscoverer(sink)
{
    /// <inheritdoc/>
    protected override IXunitTestCase CreateTestCase(ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute) =>
        new TorchTestCase(DiagnosticMessageSink, discoveryOptions.MethodDisplayOrDefault(), discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod);
}

/// <summary>Makes the test cases of <see cref="TorchTheoryAttribute"/>.</summary>
public sealed class TorchTheoryDiscoverer(IMessageSink sink) : TheoryDiscoverer(sink)
{
    /// <inheritdoc/>
    protected override IEnumerable<IXunitTestCase> CreateTestCasesForDataRow(ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo theoryAttribute, object[] dataRow) =>
        [new TorchTestCase(DiagnosticMessageSink, discoveryOptions.MethodDisplayOrDefault(), discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod, dataRow)];
}

/// <summary>A test case whose whole run happens on the torch thread.</summary>
public sealed class TorchTestCase : XunitTestCase
{
    /// <summary>For deserialisation.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    [Obsolete("Called by the de-serializer")]
    public TorchTestCase() { }

    /// <summary>Makes a test case.</summary>
    public TorchTestCase(IMessageSink sink, TestMethodDisplay display, TestMethodDisplayOptions options, ITestMethod method, object[]? arguments = null)
        : base(sink, display, options, method, arguments) { }

    /// <inheritdoc/>
    public override Task<RunSummary> RunAsync(IMessageSink diagnosticMessageSink, IMessageBus messageBus, object[] constructorArguments, ExceptionAggregator aggregator, CancellationTokenSource cancellationTokenSource) =>
        Task.FromResult(Engine.Run(() =>
        {
            using var scope = new TensorScope();
            return base.RunAsync(diagnosticMessageSink, messageBus, constructorArguments, aggregator, cancellationTokenSource).GetAwaiter().GetResult();
        }));
}
