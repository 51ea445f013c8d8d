namespace Lethe.Cli.Tests;

public sealed class UsageTests
{
    [Theory]
    [InlineData("'doktor' is not a verb of ./lethe; did you mean 'doctor'? See ./lethe --help.", "doktor")]
    [InlineData("'zzzzzzzzzzzz' is not a verb of ./lethe. See ./lethe --help.", "zzzzzzzzzzzz", "plan.yaml")]
    [InlineData("'--treads' is not an option of ./lethe doctor; did you mean '--threads'? See ./lethe doctor --help.", "doctor", "--treads", "2")]
    [InlineData("'--instal' is not an option of ./lethe doctor; did you mean '--install'? See ./lethe doctor --help.", "doctor", "--instal")]
    [InlineData("'@plan' is one argument too many; ./lethe doctor takes none. See ./lethe doctor --help.", "doctor", "@plan")]
    [InlineData("--threads is '0'; it takes a whole number from 1 to 1024.", "doctor", "--threads", "0")]
    [InlineData("--threads is 'two'; it takes a whole number from 1 to 1024.", "--threads", "two", "doctor")]
    [InlineData("--threads needs a value: N. See ./lethe doctor --help.", "doctor", "--threads")]
    [InlineData("--device is 'cuda:x'; 'cpu', 'cuda' and 'cuda:N' are allowed.", "doctor", "--device", "cuda:x")]
    [InlineData("--seed is '-1'; it takes a whole number from 0 to 9223372036854775807.", "doctor", "--seed=-1")]
    [InlineData("--seed was given 2 times; give it once.", "doctor", "--seed", "1", "--seed", "2")]
    public async Task Wrong_usage_ends_with_2_and_one_sentence_that_names_what_was_meant(string sentence, params string[] args)
    {
        var result = await CommandLine.Run(args);

        Assert.Equal(2, result.ExitCode);
        Assert.Equal($"error: {sentence}\n", result.Error);
        Assert.Empty(result.Output);
    }

    [Fact]
    public async Task Nothing_typed_shows_help_on_stderr_and_ends_with_2()
    {
        var result = await CommandLine.Run();

        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("Examples:\n", result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Theory]
    [InlineData("--json", "doktor")]
    [InlineData("doctor", "--json", "--threads", "none")]
    [InlineData("--json")]
    public async Task With_json_an_error_is_one_document_with_its_exit_code(params string[] args)
    {
        var result = await CommandLine.Run(args);

        Assert.Equal(2, result.ExitCode);
        Assert.Equal(2, result.Json.GetProperty("error").GetProperty("exit_code").GetInt32());
        Assert.Equal($"error: {result.ErrorMessage}\n", result.Error);
    }

    [Fact]
    public async Task A_stop_ends_with_130()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();

        var result = await CommandLine.Run(stop.Token, "doctor", "--json");

        Assert.Equal(130, result.ExitCode);
        Assert.Equal("Stopped.", result.ErrorMessage);
    }
}
