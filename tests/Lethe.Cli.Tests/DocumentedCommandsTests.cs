using System.Collections.Concurrent;

namespace Lethe.Cli.Tests;

/// <summary>
/// Runs what README and docs tell their readers to type. <c>./test</c> is left out: it is what runs these tests. All commands share
/// one folder, which begins as a reader's checkout would and in which each different command runs once, so that a page may report
/// on the run that another page made, and the demo runs a single time however often it is mentioned.
/// </summary>
public sealed class DocumentedCommandsTests(DocumentedCommandsTests.Workplace workplace) : IClassFixture<DocumentedCommandsTests.Workplace>
{
    /// <summary>Every command of every page, each once.</summary>
    public static TheoryData<string, string> Commands()
    {
        var data = new TheoryData<string, string>();
        foreach (var command in All().DistinctBy(command => command.Text))
            data.Add(command.Text, $"{command.Page}:{command.Line}");
        return data;
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task A_documented_command_does_what_its_page_says(string command, string place)
    {
        // Reports and the like need the run that the demo makes.
        if (command != Workplace.Demo && All().Any(other => other.Text == Workplace.Demo))
            await workplace.Run(Workplace.Demo);

        var result = await workplace.Run(command);

        Assert.True(result.ExitCode == 0, $"{place}: '{command}' ended with {result.ExitCode}:\n{result.Error}\n{result.Output}");
    }

    [Fact]
    public void Every_page_of_the_house_has_commands_that_are_found()
    {
        Assert.Contains(All(), command => command.Page == "README.md");
        Assert.Contains(All(), command => command.Page == "README.ja.md");
        Assert.Contains(All(), command => command.Page == Path.Combine("docs", "cli.md"));
    }

    [Fact]
    public void Commands_are_read_out_of_sh_blocks_and_nothing_else()
    {
        const string page = """
            Type `./lethe none` and
            ```sh
            ./lethe one a#b   # with a comment
            git clone somewhere
            # ./lethe none
            ./test
            ```
            ```text
            ./lethe none
            ```
            ```sh test-adds="--set steps=2"
            ./lethe two \
                plan.yaml   # short in the test
            ```
            """;

        Assert.Equal(
            [
                new DocumentedCommand("page.md", 3, "./lethe one a#b"),
                new DocumentedCommand("page.md", 6, "./test"),
                new DocumentedCommand("page.md", 13, "./lethe two plan.yaml --set steps=2"),
            ],
            DocumentedCommands.In("page.md", page));
    }

    private static IEnumerable<DocumentedCommand> All() => DocumentedCommands.Pages()
        .SelectMany(page => DocumentedCommands.In(page, File.ReadAllText(Path.Combine(Repository.Root, page))))
        .Where(command => command.Text != "./test" && !command.Text.StartsWith("./test ", StringComparison.Ordinal));

    /// <summary>A reader's folder: the checkout's files by links, and runs of its own.</summary>
    public sealed class Workplace : IDisposable
    {
        /// <summary>The demo, which other commands build on.</summary>
        public const string Demo = "./lethe quickstart";

        private readonly ScratchFolder folder = new();
        private readonly ConcurrentDictionary<string, Lazy<Task<ShellResult>>> results = new();

        /// <summary>Prepares the folder.</summary>
        public Workplace()
        {
            File.CreateSymbolicLink(Path.Combine(folder.Path, "lethe"), Path.Combine(Repository.Root, "lethe"));
            Directory.CreateSymbolicLink(Path.Combine(folder.Path, "plans"), Path.Combine(Repository.Root, "plans"));
            Directory.CreateSymbolicLink(Path.Combine(folder.Path, "tests"), Path.Combine(Repository.Root, "tests"));
        }

        /// <summary>Runs a command, or gives what it gave before.</summary>
        public Task<ShellResult> Run(string command) => results.GetOrAdd(command, text => new(() => Shell.Run("/bin/sh", ["-c", text], folder.Path))).Value;

        /// <inheritdoc/>
        public void Dispose() => folder.Dispose();
    }
}
