namespace Lethe.Formats.Tests.Png;

using Png = Lethe.Formats.Png;

public sealed class SampleGridTests
{
    private static PngImage Decode(byte[] png) => Png.Decode(png, "grid");

    [Fact]
    public void Grey_images_stand_side_by_side_with_padding_around_them()
    {
        // Three images of 1 x 2 pixels in two columns.
        var grid = Decode(SampleGrid.Render([0f, 0.2f, 0.4f, 0.6f, 0.8f, 1f], [3, 1, 2], new SampleGridOptions { Padding = 1, PaddingValue = 0.5f }));
        Assert.Equal((7, 5, 1), (grid.Width, grid.Height, grid.Channels));
        byte[] expected =
        [
            128, 128, 128, 128, 128, 128, 128,
            128, 0, 51, 128, 102, 153, 128,
            128, 128, 128, 128, 128, 128, 128,
            128, 204, 255, 128, 128, 128, 128,
            128, 128, 128, 128, 128, 128, 128,
        ];
        Assert.Equal(expected, grid.Pixels);
    }

    [Fact]
    public void Pixels_are_repeated_when_images_are_enlarged()
    {
        var grid = Decode(SampleGrid.Render([0f, 1f, 1f, 0f], [1, 2, 2], new SampleGridOptions { Padding = 0, Scale = 2 }));
        Assert.Equal([0, 0, 255, 255, 0, 0, 255, 255, 255, 255, 0, 0, 255, 255, 0, 0], grid.Pixels);
    }

    [Fact]
    public void Planes_become_colours()
    {
        // One image of 1 x 2 pixels: red plane, green plane, blue plane.
        var grid = Decode(SampleGrid.Render([1f, 0f, 0f, 1f, 0.2f, 0.4f], [1, 3, 1, 2], new SampleGridOptions { Padding = 0 }));
        Assert.Equal((2, 1, 3), (grid.Width, grid.Height, grid.Channels));
        Assert.Equal([255, 0, 51, 0, 255, 102], grid.Pixels);
    }

    [Fact]
    public void The_default_is_a_square_with_two_white_pixels_between()
    {
        var grid = Decode(SampleGrid.Render(new float[10 * 28 * 28], [10, 1, 28, 28]));
        Assert.Equal((4 * 30 + 2, 3 * 30 + 2, 1), (grid.Width, grid.Height, grid.Channels));
        Assert.Equal((255, 255, 0), (grid.Pixels[0], grid.Pixels[^1], grid.Pixels[2 * grid.Width + 2]));
    }

    [Fact]
    public void Columns_may_be_chosen_but_never_outnumber_the_images()
    {
        var grid = Decode(SampleGrid.Render(new float[6], [6, 1, 1], new SampleGridOptions { Columns = 6, Padding = 0 }));
        Assert.Equal((6, 1), (grid.Width, grid.Height));
        grid = Decode(SampleGrid.Render(new float[2], [2, 1, 1], new SampleGridOptions { Columns = 10, Padding = 0 }));
        Assert.Equal((2, 1), (grid.Width, grid.Height));
    }

    [Fact]
    public void What_lies_outside_0_to_1_is_cut_off() =>
        Assert.Equal([0, 255, 0, 255], Decode(SampleGrid.Render([-3f, 7f, float.NegativeInfinity, float.PositiveInfinity], [1, 2, 2], new SampleGridOptions { Padding = 0 })).Pixels);

    [Fact]
    public void NaN_is_an_error_that_names_the_image() =>
        Assert.Contains("Image 2 of 3", Assert.Throws<RunFailedException>(() => SampleGrid.Render([0, 0, 0, 0, float.NaN, 0], [3, 1, 2])).Message, StringComparison.Ordinal);

    [Fact]
    public void Arrays_of_bytes_and_floats_are_drawn()
    {
        var options = new SampleGridOptions { Padding = 0 };
        Assert.Equal([3, 200], Decode(SampleGrid.Render(Make.Bytes([1, 1, 2], 3, 200), options)).Pixels);
        Assert.Equal([0, 255], Decode(SampleGrid.Render(Make.Floats([1, 1, 1, 2], 0, 1), options)).Pixels);
        Assert.Throws<ArgumentException>(() => SampleGrid.Render(Make.Counting(DType.Int64, 1, 1, 1)));
    }

    [Theory]
    [InlineData(new long[] { 4 }), InlineData(new long[] { 2, 2 }), InlineData(new long[] { 1, 2, 1, 2 }), InlineData(new long[] { 0, 2, 2 }), InlineData(new long[] { 1, 2, 3 }), InlineData(new long[] { })]
    [InlineData(new long[] { -1, -2, 2 }), InlineData(new long[] { 1, 1, 1, 1, 4 })]
    public void Other_shapes_are_an_error(long[] shape) => Assert.Throws<ArgumentException>(() => SampleGrid.Render(new float[4], shape));

    [Fact]
    public void Options_out_of_range_are_an_error()
    {
        foreach (var options in new SampleGridOptions[] { new() { Scale = 0 }, new() { Padding = -1 }, new() { Columns = 0 } })
            Assert.Throws<ArgumentOutOfRangeException>(() => SampleGrid.Render(new float[1], [1, 1, 1], options));
    }
}
