using Lethe.Cli.Doctor;
using Lethe.Torch;

namespace Lethe.Cli.Tests;

public sealed class DoctorTests
{
    [Fact]
    public async Task Doctor_names_what_it_looked_at_and_its_json_says_the_same()
    {
        var text = await CommandLine.Run("doctor");
        var document = (await CommandLine.Run("doctor", "--json")).Json;

        Assert.Equal("lethe.doctor/1", document.GetProperty("schema").GetString());
        var findings = document.GetProperty("findings").EnumerateArray().ToArray();
        Assert.Superset(new HashSet<string?> { ".NET", "processor", "memory", "disk", "packages" }, findings.Select(finding => finding.GetProperty("name").GetString()).ToHashSet());
        Assert.All(findings, finding => Assert.Contains(finding.GetProperty("name").GetString()!, text.Output, StringComparison.Ordinal));
        var missing = findings.Any(finding => finding.GetProperty("state").GetString() == "missing");
        Assert.Equal(missing ? 2 : 0, text.ExitCode);
        Assert.Equal(!missing, document.GetProperty("healthy").GetBoolean());
    }

    [Theory]
    [InlineData("MemTotal:       16384000 kB\nMemAvailable:      1572864 kB\n", FindingState.Ok, "1.5 GiB available")]
    [InlineData("MemTotal:       16384000 kB\nMemAvailable:       524288 kB\n", FindingState.Warning, "0.5 GiB available")]
    [InlineData("nothing of the sort", FindingState.Warning, "unknown")]
    public void Little_memory_is_a_warning_with_the_number(string meminfo, FindingState state, string found)
    {
        var finding = MachineChecks.Memory(meminfo);

        Assert.Equal(state, finding.State);
        Assert.StartsWith(found, finding.Found, StringComparison.Ordinal);
    }

    private static readonly EngineDiagnostics Sound = new("1.13.1", "system", "/usr/lib/libtorch_cpu.so", "/bridge.so", 2, ["/usr/lib/libopenblasp.so"], ["/usr/lib/libgomp.so.1"], 2e-7, 0, "libtorch is built without CUDA", []);

    [Fact]
    public void Tensors_work_here()
    {
        var findings = TorchChecks.Check(threads: 1);

        Assert.Equal(["libtorch", "operators", "BLAS", "OpenMP", "GPU"], findings.Select(finding => finding.Name));
        Assert.All(findings, finding => Assert.NotEqual(FindingState.Missing, finding.State));
        Assert.EndsWith("threads: 1", findings[0].Found, StringComparison.Ordinal);
    }

    [Fact]
    public void A_BLAS_that_computes_wrongly_is_named()
    {
        var finding = TorchChecks.Judge(Sound with { ProductError = 0.25 }).Single(finding => finding.State != FindingState.Ok);

        Assert.Equal(("BLAS", FindingState.Missing), (finding.Name, finding.State));
        Assert.Equal("/usr/lib/libopenblasp.so; float32 products are WRONG by 2.5e-1 of the largest element, 1e-5 would be rounding", finding.Found);
    }

    [Fact]
    public void Operators_that_a_libtorch_lacks_are_named()
    {
        var finding = TorchChecks.Judge(Sound with { MissingOperators = ["aten::mm", "aten::relu"] }).Single(finding => finding.State != FindingState.Ok);

        Assert.Equal(("operators", FindingState.Missing), (finding.Name, finding.State));
        Assert.EndsWith("aten::mm, aten::relu", finding.Found, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_pools_of_threads_are_a_warning_and_a_missing_GPU_says_why()
    {
        var findings = TorchChecks.Judge(Sound with { OpenMp = ["/usr/lib/libgomp.so.1", "/opt/libiomp5.so"] });

        Assert.Equal("OpenMP", findings.Single(finding => finding.State == FindingState.Warning).Name);
        Assert.Equal("none (libtorch is built without CUDA); everything runs on the processor", findings[^1].Found);
    }
}
