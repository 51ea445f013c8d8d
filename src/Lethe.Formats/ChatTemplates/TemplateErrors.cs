using System.Globalization;
using Lethe.Torch;

namespace Lethe.Formats.ChatTemplates;

/// <summary>Errors of one template: where it came from, the line, one sentence.</summary>
internal sealed class TemplateErrors(string source)
{
    public BadInputException At(int line, string why) => InputFile.Refuse(source, string.Create(CultureInfo.InvariantCulture, $"line {line} of the chat template: {why}."));

    public BadInputException Unsupported(int line, string construct) => At(line, $"{construct} is beyond the part of Jinja that Lethe supports");
}
