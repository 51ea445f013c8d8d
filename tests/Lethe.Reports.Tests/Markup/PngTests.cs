using Lethe.Reports.Markup;
using Lethe.Reports.Tests.Example;
using Lethe.Torch;

namespace Lethe.Reports.Tests.Markup;

public sealed class PngTests
{
    [Fact]
    public void The_size_is_read_from_the_header_and_the_address_holds_all_bytes()
    {
        var bytes = ExampleImages.Png(3, 2, [0, 50, 100, 150, 200, 250]);
        var png = Png.Read(bytes, "strip");
        Assert.Equal((3, 2), (png.Width, png.Height));
        Assert.Equal(bytes, Convert.FromBase64String(png.Address["data:image/png;base64,".Length..]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    public void What_is_no_PNG_is_refused_by_name(int length)
    {
        var error = Assert.Throws<BadInputException>(() => Png.Read(new byte[length], "strip of label 3"));
        Assert.Contains("strip of label 3", error.Message);
    }

    [Fact]
    public void A_size_beyond_reason_is_refused()
    {
        var bytes = ExampleImages.Png(3, 2, new byte[6]);
        bytes[16] = 0x7F;
        Assert.Contains("20,000", Assert.Throws<BadInputException>(() => Png.Read(bytes, "sheet")).Message);
    }
}
