using Lethe.Cli.Doctor;

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

    [Fact]
    public void The_BLAS_that_is_really_loaded_is_read_from_the_memory_map()
    {
        const string maps = """
            7f10-7f11 r--p 00000000 fe:01 11 /usr/lib/x/openblas-openmp/libopenblasp-r0.3.21.so
            7f11-7f12 r-xp 00000000 fe:01 11 /usr/lib/x/openblas-openmp/libopenblasp-r0.3.21.so
            7f12-7f13 r-xp 00000000 fe:01 12 /usr/lib/x/libtorch_cpu.so.1.13
            7f13-7f14 rw-p 00000000 00:00 0
            7f14-7f15 r--p 00000000 fe:01 13 /usr/lib/x/openblas-openmp/libblas.so.3
            """;

        Assert.Equal(["/usr/lib/x/openblas-openmp/libblas.so.3", "/usr/lib/x/openblas-openmp/libopenblasp-r0.3.21.so"], TorchChecks.LoadedBlas(maps));
    }

    [Fact]
    public void Tensors_work_here_and_doctor_checks_a_product_to_know()
    {
        var findings = TorchChecks.Check(threads: 1);

        Assert.Equal(["libtorch", "BLAS", "GPU"], findings.Select(finding => finding.Name));
        Assert.All(findings, finding => Assert.Equal(FindingState.Ok, finding.State));
        Assert.EndsWith("threads: 1", findings[0].Found, StringComparison.Ordinal);
        Assert.Matches(@"float32 product is off by \d\.\dE-00[6789] of its norm$", findings[1].Found);
    }
}
