namespace Lethe.Formats.Tests;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_file_is_written_and_nothing_else_is_left()
    {
        AtomicFile.WriteAllText(folder.File("a.txt"), "grün");
        Assert.Equal("grün"u8.ToArray(), File.ReadAllBytes(folder.File("a.txt")));
        Assert.Single(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_longer_old_file_is_replaced_whole()
    {
        AtomicFile.WriteAllBytes(folder.File("a"), new byte[1000]);
        AtomicFile.WriteAllBytes(folder.File("a"), new byte[] { 1, 2 });
        Assert.Equal([1, 2], File.ReadAllBytes(folder.File("a")));
    }

    [Fact]
    public void What_is_written_may_be_shorter_than_was_expected()
    {
        AtomicFile.Write(folder.File("a"), stream => stream.WriteByte(7), expectedLength: 100_000);
        Assert.Equal([7], File.ReadAllBytes(folder.File("a")));
    }

    [Fact]
    public void Until_the_end_the_old_file_is_what_others_see()
    {
        AtomicFile.WriteAllText(folder.File("a"), "old");
        AtomicFile.Write(folder.File("a"), stream =>
        {
            stream.Write("new"u8);
            stream.Flush();
            Assert.Equal("old", File.ReadAllText(folder.File("a")));
        });
        Assert.Equal("new", File.ReadAllText(folder.File("a")));
    }

    [Fact]
    public void A_writer_that_fails_leaves_the_old_file_and_no_other()
    {
        AtomicFile.WriteAllText(folder.File("a"), "old");
        Assert.Throws<RunFailedException>(() => AtomicFile.Write(folder.File("a"), stream =>
        {
            stream.Write("half"u8);
            throw new RunFailedException("the loss is not finite");
        }));
        Assert.Equal("old", File.ReadAllText(folder.File("a")));
        Assert.Single(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_disk_that_fails_is_an_error_of_usage_that_names_the_file()
    {
        var error = Assert.Throws<UsageException>(() => AtomicFile.Write(folder.File("a"), _ => throw new IOException("No space left on device")));
        Assert.Contains(folder.File("a"), error.Message, StringComparison.Ordinal);
        Assert.Contains("No space left", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_disk_that_cannot_hold_the_expected_length_is_known_before_the_work()
    {
        var started = false;
        Assert.Throws<UsageException>(() => AtomicFile.Write(folder.File("a"), _ => started = true, expectedLength: 1L << 60));
        Assert.False(started);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_folder_that_is_missing_is_an_error_of_usage() =>
        Assert.Throws<UsageException>(() => AtomicFile.WriteAllText(folder.File("no/such/file"), "x"));

    [Fact]
    public void A_folder_in_the_place_of_the_file_is_an_error_of_usage()
    {
        Directory.CreateDirectory(folder.File("a"));
        Assert.Throws<UsageException>(() => AtomicFile.WriteAllText(folder.File("a"), "x"));
        Assert.Equal([folder.File("a")], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_mapped_file_is_not_overwritten_by_whatever_name()
    {
        AtomicFile.WriteAllText(folder.File("a"), "mapped");
        File.CreateSymbolicLink(folder.File("link"), folder.File("a"));
        using (MappedFile.Open(folder.File("link")))
        {
            Assert.Throws<UsageException>(() => AtomicFile.WriteAllText(folder.File("a"), "x"));
            Assert.Throws<UsageException>(() => AtomicFile.WriteAllText(folder.File("link"), "x"));
        }
        AtomicFile.WriteAllText(folder.File("a"), "free");
        Assert.Equal("free", File.ReadAllText(folder.File("a")));
    }

    [Fact]
    public void A_copy_is_equal()
    {
        AtomicFile.WriteAllText(folder.File("a"), "content");
        AtomicFile.Copy(folder.File("a"), folder.File("b"));
        Assert.Equal("content", File.ReadAllText(folder.File("b")));
        Check.Refused(() => AtomicFile.Copy(folder.File("missing"), folder.File("c")), "missing");
    }

    [Fact]
    public void What_killed_writers_left_can_be_removed()
    {
        folder.Write("a", [1]);
        folder.Write(".a.0123.lethe-tmp", [1]);
        folder.Write(".other", [1]);
        Directory.CreateDirectory(folder.File("below/.deeper"));
        folder.Write("below/.deeper/.b.4567.lethe-tmp", [1]);
        folder.Write("below/.deeper/b", [1]);
        Assert.Equal(2, AtomicFile.RemoveLeftovers(folder.Path));
        Assert.Equal([folder.File(".other"), folder.File("a"), folder.File("below/.deeper/b")], Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal));
    }
}
