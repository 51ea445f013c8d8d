using System.CommandLine;
using System.Globalization;
using Lethe.Torch;

namespace Lethe.Cli.Frame;

/// <summary>Makes options and arguments that check their value where it is typed, with an error that says what is allowed. Ranges and choices go into the help by themselves.</summary>
public static class Typed
{
    /// <summary>A switch: present or not.</summary>
    public static Option<bool> Flag(string name, string description, params string[] aliases) => new(name, aliases) { Description = description, Arity = ArgumentArity.Zero };

    /// <summary>A whole number in a range; null where it is not given.</summary>
    public static Option<long?> Whole(string name, string valueName, long least, long most, string description) => new(name)
    {
        HelpName = valueName,
        Description = $"{description} Range: {least} to {most}.",
        CustomParser = result =>
        {
            var text = result.Tokens[^1].Value;
            if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
                return value;
            result.AddError($"{name} is '{text}'; it takes a whole number from {least} to {most}.");
            return null;
        },
    };

    /// <summary>A value that something else knows how to read; null where it is not given.</summary>
    /// <param name="name">The option.</param>
    /// <param name="valueName">What help calls its value.</param>
    /// <param name="parse">Reads the value; throws a <see cref="UsageException"/> whose message names the option.</param>
    /// <param name="description">What it does, with its default.</param>
    public static Option<T?> Parsed<T>(string name, string valueName, Func<string, T> parse, string description) where T : struct => new(name)
    {
        HelpName = valueName,
        Description = description,
        CustomParser = result =>
        {
            try
            {
                return parse(result.Tokens[^1].Value);
            }
            catch (UsageException e)
            {
                result.AddError(e.Message);
                return null;
            }
        },
    };

    /// <summary>Any text, such as a path; null where it is not given.</summary>
    public static Option<string?> Text(string name, string valueName, string description) => new(name) { HelpName = valueName, Description = description };

    /// <summary>Something that has to be given by position.</summary>
    public static Argument<string> Required(string name, string description) => new(name) { Description = description, Arity = ArgumentArity.ExactlyOne };
}
