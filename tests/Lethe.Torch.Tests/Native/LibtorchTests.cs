using Lethe.Torch.Native;

namespace Lethe.Torch.Tests.Native;

public sealed class LibtorchTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lethe-libtorch-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void The_named_libtorch_comes_first_then_pythons_then_the_systems()
    {
        var (named, python, system) = (Fake("named", "2.5.1"), Fake("python", "2.4.0"), Fake("system", "1.13.1"));
        string[] includes = [Path.Combine(system, "include")], libraries = [Path.Combine(system, "lib")];
        var found = Libtorch.Find(named, () => python, includes, libraries);
        Assert.Equal(("LETHE_LIBTORCH", "2.5.1"), (found.Source, found.Version));
        Assert.Equal(Path.Combine(named, "lib", "libtorch_cpu.so"), found.Library);
        found = Libtorch.Find(null, () => python, includes, libraries);
        Assert.Equal(("python", "2.4.0"), (found.Source, found.Version));
        found = Libtorch.Find("", () => null, includes, libraries);
        Assert.Equal(("system", "1.13.1"), (found.Source, found.Version));
    }

    [Fact]
    public void A_python_torch_without_headers_is_passed_over()
    {
        var (python, system) = (Fake("python", "2.4.0"), Fake("system", "1.13.1"));
        Directory.Delete(Path.Combine(python, "include"), recursive: true);
        Assert.Equal("system", Libtorch.Find(null, () => python, [Path.Combine(system, "include")], [Path.Combine(system, "lib")]).Source);
    }

    [Fact]
    public void A_named_folder_that_is_no_libtorch_is_refused_even_if_there_is_another()
    {
        var error = Assert.Throws<UsageException>(() => Libtorch.Find("/nonsense", () => Fake("python", "2.4.0"), [], []));
        Assert.Contains("'/nonsense'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_any_libtorch_the_error_says_how_to_get_one()
    {
        var error = Assert.Throws<UsageException>(() => Libtorch.Find(null, () => null, [], []));
        Assert.Contains("apt-get install libtorch-dev", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_file_behind_links_is_found_and_the_string_abi_read()
    {
        var (real, linked) = (Fake("real", "1.13.1"), Fake("linked", "1.13.1"));
        var link = Path.Combine(linked, "lib", "libtorch_cpu.so");
        File.Delete(link);
        File.CreateSymbolicLink(link, Path.Combine(real, "lib", "libtorch_cpu.so"));
        var found = Libtorch.Find(linked, () => null, [], []);
        Assert.Equal(Path.Combine(real, "lib", "libtorch_cpu.so"), found.RealLibrary);
        Assert.False(found.NewStringAbi);
        File.WriteAllText(Path.Combine(linked, "lib", "libc10.so"), "_ZN3c105ErrorC1ENSt7__cxx1112basic_string");
        Assert.True(found.NewStringAbi);
    }

    [Fact]
    public void The_engine_of_a_process_with_a_nonsensical_LETHE_LIBTORCH_says_so_in_one_sentence()
    {
        var (code, output) = Program.Start("version", ("LETHE_LIBTORCH", "/nonsense")).Finish();
        Assert.Equal(2, code);
        Assert.StartsWith("UsageException: LETHE_LIBTORCH is '/nonsense', which is no libtorch", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Waiting_threads_sleep_unless_the_user_wants_otherwise()
    {
        Assert.Equal((0, "passive"), Program.Start("environment").Finish());
        Assert.Equal((0, "active"), Program.Start("environment", ("OMP_WAIT_POLICY", "active")).Finish());
    }

    private string Fake(string name, string version)
    {
        var root = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.Combine(root, "include", "torch"));
        Directory.CreateDirectory(Path.Combine(root, "lib"));
        var parts = version.Split('.');
        File.WriteAllText(Path.Combine(root, "include", "torch", "version.h"),
            $"#pragma once\n\n#define TORCH_VERSION_MAJOR {parts[0]}\n#define TORCH_VERSION_MINOR {parts[1]}\n#define TORCH_VERSION_PATCH {parts[2]}\n#define TORCH_VERSION \"{version}\"\n");
        File.WriteAllText(Path.Combine(root, "lib", "libtorch_cpu.so"), "");
        File.WriteAllText(Path.Combine(root, "lib", "libc10.so"), "");
        return root;
    }
}
