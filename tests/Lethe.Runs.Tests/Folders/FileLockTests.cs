namespace Lethe.Runs.Tests.Folders;

public sealed class FileLockTests
{
    [Fact]
    public void A_lock_is_held_by_one_and_names_its_holder_until_it_is_freed()
    {
        using var folder = new TemporaryFolder();
        var path = folder["lock"];
        using (var first = FileLock.TryTake(path, new ManualTime()))
        {
            Assert.NotNull(first);
            Assert.Null(FileLock.TryTake(path, new ManualTime()));
            Assert.Equal($"process {Environment.ProcessId} since 2026-01-02 03:04:05 UTC", FileLock.Holder(path));
        }
        using var second = FileLock.TryTake(path, new ManualTime());
        Assert.NotNull(second);
    }

    [Fact]
    public void A_note_that_a_killed_process_left_holds_nobody_up()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["lock"], []);
        File.WriteAllText(folder["lock" + FileLock.NoteSuffix], "process 1 since long ago");

        using var taken = FileLock.TryTake(folder["lock"], new ManualTime());

        Assert.NotNull(taken);
        Assert.StartsWith($"process {Environment.ProcessId} ", FileLock.Holder(folder["lock"]));
    }

    [Fact]
    public void A_lock_that_cannot_be_opened_is_no_lock_that_somebody_holds()
    {
        using var folder = new TemporaryFolder();
        Assert.ThrowsAny<IOException>(() => FileLock.TryTake(folder["missing", "lock"], new ManualTime()));
        Assert.Equal("another process", FileLock.Holder(folder["lock"]));
    }
}
