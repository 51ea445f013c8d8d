using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Lethe.Reports.Markup;

/// <summary>
/// Collects an interpolated string into markup: literals as written, strings escaped, markup as it is. It takes no doubles: a
/// figure is formatted by <see cref="Numbers"/> first, since how many digits it shows is a decision.
/// </summary>
[InterpolatedStringHandler]
internal readonly ref struct HtmlHandler
{
    private readonly StringBuilder _markup;

    public HtmlHandler(int literalLength, int formattedCount) => _markup = new StringBuilder(literalLength + 24 * formattedCount);

    public void AppendLiteral(string literal) => _markup.Append(literal);

    public void AppendFormatted(Html html) => _markup.Append(html.ToString());

    public void AppendFormatted(string? text) => _markup.Append(Html.Escape(text));

    public void AppendFormatted(int number) => _markup.Append(number.ToString(CultureInfo.InvariantCulture));

    public void AppendFormatted(IEnumerable<Html> pieces)
    {
        foreach (var piece in pieces)
            _markup.Append(piece.ToString());
    }

    public override string ToString() => _markup.ToString();
}
