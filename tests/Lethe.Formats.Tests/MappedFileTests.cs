namespace Lethe.Formats.Tests;

public sealed unsafe class MappedFileTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_lease_keeps_the_mapping_after_its_owner_is_gone()
    {
        var path = folder.Write("a", [1, 2, 3]);
        var file = MappedFile.Open(path);
        var lease = file.Acquire();
        file.Dispose();
        Assert.True(MappedFile.IsMapped(path));
        Assert.Equal(3, lease.Length);
        Assert.Equal(2, lease.Pointer[1]);
        lease.Dispose();
        Assert.False(MappedFile.IsMapped(path));
        Assert.Throws<ObjectDisposedException>(() => lease.Pointer[0]);
        Assert.Throws<ObjectDisposedException>(file.Acquire);
    }

    [Fact]
    public void Disposing_twice_gives_back_one_reference()
    {
        using var file = MappedFile.Open(folder.Write("a", [1]));
        var (first, second) = (file.Acquire(), file.Acquire());
        first.Dispose();
        first.Dispose();
        Assert.Equal(1, second.Pointer[0]);
        file.Dispose();
        file.Dispose();
        Assert.Equal(1, second.Pointer[0]);
        second.Dispose();
        Assert.False(MappedFile.IsMapped(folder.File("a")));
    }

    [Fact]
    public void A_file_mapped_twice_is_mapped_until_both_are_gone()
    {
        var path = folder.Write("a", [1]);
        var (first, second) = (MappedFile.Open(path), MappedFile.Open(path));
        first.Dispose();
        Assert.True(MappedFile.IsMapped(path));
        second.Dispose();
        Assert.False(MappedFile.IsMapped(path));
    }

    [Fact]
    public void Leases_are_counted_right_from_many_threads()
    {
        var path = folder.Write("a", [1]);
        var file = MappedFile.Open(path);
        Parallel.For(0, 1000, _ =>
        {
            using var lease = file.Acquire();
            Assert.Equal(1, lease.Pointer[0]);
        });
        Assert.True(MappedFile.IsMapped(path));
        file.Dispose();
        Assert.False(MappedFile.IsMapped(path));
    }

    [Fact]
    public void An_empty_file_a_folder_and_a_missing_file_are_refused()
    {
        Check.Refused(() => MappedFile.Open(folder.Write("empty", [])), "empty");
        Check.Refused(() => MappedFile.Open(folder.Path), "folder");
        Check.Refused(() => MappedFile.Open(folder.File("none")), "no such file");
    }

    [Fact]
    public void What_a_file_puts_into_an_error_can_neither_flood_nor_steer_a_terminal()
    {
        var message = InputFile.Refuse("a", "\u001b[2J" + new string('x', 100_000)).Message;
        Assert.DoesNotContain('\u001b', message);
        Assert.InRange(message.Length, 100, 1100);
    }
}
