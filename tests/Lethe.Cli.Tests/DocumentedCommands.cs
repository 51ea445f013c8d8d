using System.Text.RegularExpressions;

namespace Lethe.Cli.Tests;

/// <summary>A command that a page of the documentation tells its reader to type.</summary>
/// <param name="Page">The page, below the checkout.</param>
/// <param name="Line">Its line there, from 1.</param>
/// <param name="Text">The command as it is run: what the page shows and what its block's <c>test-adds</c> adds.</param>
public sealed record DocumentedCommand(string Page, int Line, string Text);

/// <summary>
/// Reads the commands out of pages: the lines of <c>sh</c> blocks that begin with ./lethe or ./test. The first line of a block may
/// say <c>```sh test-adds="--set steps=20"</c>: a reader sees the command as it is, and the test makes it short.
/// </summary>
public static partial class DocumentedCommands
{
    /// <summary>The pages that have commands.</summary>
    public static IEnumerable<string> Pages() =>
        Directory.EnumerateFiles(Repository.Root, "README*.md")
            .Concat(Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md", SearchOption.AllDirectories))
            .Select(page => Path.GetRelativePath(Repository.Root, page))
            .Order(StringComparer.Ordinal);

    /// <summary>The commands of a page, in order.</summary>
    /// <param name="page">Its name, for errors.</param>
    /// <param name="text">Its text.</param>
    public static IEnumerable<DocumentedCommand> In(string page, string text)
    {
        string? adds = null;
        var inside = false;
        var commands = false;
        var held = "";
        foreach (var (index, line) in text.Split('\n').Index())
        {
            if (line.TrimStart().StartsWith("```", StringComparison.Ordinal))
            {
                var fence = Fence().Match(line.Trim());
                commands = !inside && fence.Success;
                adds = commands ? fence.Groups["adds"].Value : null;
                inside = !inside;
                continue;
            }
            if (!commands)
                continue;
            // A line that ends in a backslash goes on.
            var whole = held + Comment().Replace(line, "").Trim();
            held = "";
            if (whole.EndsWith('\\'))
                held = whole[..^1].TrimEnd() + " ";
            else if (whole.StartsWith("./lethe", StringComparison.Ordinal) || whole.StartsWith("./test", StringComparison.Ordinal))
                yield return new DocumentedCommand(page, index + 1, adds is { Length: > 0 } ? $"{whole} {adds}" : whole);
        }
    }

    [GeneratedRegex("^```sh( test-adds=\"(?<adds>[^\"]*)\")?$")]
    private static partial Regex Fence();

    // "# …" at the end of a line, as in a shell: only after a space.
    [GeneratedRegex(@"(^|\s)#.*$")]
    private static partial Regex Comment();
}
