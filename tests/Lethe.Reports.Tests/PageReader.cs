using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;

namespace Lethe.Reports.Tests;

/// <summary>Reads pages as XML, which is stricter than any browser, and finds things in them.</summary>
internal static partial class PageReader
{
    public static XElement Parse(string document)
    {
        using var reader = XmlReader.Create(new StringReader(document), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore, XmlResolver = null });
        return XDocument.Load(reader).Root!;
    }

    /// <summary>The words of an element as a reader sees them: no styles, spaces folded.</summary>
    public static string Words(this XElement element) =>
        Spaces().Replace(string.Concat(element.DescendantNodes().OfType<XText>().Where(text => text.Parent!.Name.LocalName != "style").Select(text => text.Value)), " ").Trim();

    public static XElement WithId(this XElement root, string id) => root.Descendants().Single(element => (string?)element.Attribute("id") == id);

    public static IEnumerable<XElement> WithClass(this XElement root, string name) =>
        root.Descendants().Where(element => ((string?)element.Attribute("class") ?? "").Split(' ').Contains(name));

    public static double Number(this XElement element, string attribute) => double.Parse(element.Attribute(attribute)!.Value, System.Globalization.CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
