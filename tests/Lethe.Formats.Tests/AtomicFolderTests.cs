namespace Lethe.Formats.Tests;

public sealed class AtomicFolderTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_folder_appears_whole_or_not_at_all()
    {
        var target = folder.File("made");
        Assert.Throws<InvalidOperationException>(() => AtomicFolder.Write(target, partial =>
        {
            File.WriteAllText(Path.Combine(partial, "a"), "1");
            Assert.False(Directory.Exists(target));
            throw new InvalidOperationException();
        }));
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
        Directory.CreateDirectory(target);
        AtomicFolder.Write(target, partial => File.WriteAllText(Path.Combine(partial, "a"), "1"));
        Assert.Equal("1", File.ReadAllText(Path.Combine(target, "a")));
        Assert.Equal([target], Directory.GetFileSystemEntries(folder.Path));
        Assert.Throws<UsageException>(() => AtomicFolder.Write(target, _ => { }));
        Assert.Throws<UsageException>(() => AtomicFolder.Write(Path.Combine(target, "a"), _ => { }));
    }
}
