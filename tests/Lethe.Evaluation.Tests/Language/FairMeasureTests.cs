using Lethe.Evaluation.Language;
using Lethe.Evaluation.Statistics;

namespace Lethe.Evaluation.Tests.Language;

public sealed class FairMeasureTests
{
    [Theory]
    [InlineData(0.95, 0.95, 0, 0)]
    [InlineData(0.95, 0.50, 1, 1)]
    [InlineData(0.95, 0.725, 0.5, 0.5)]
    [InlineData(0.95, 0.275, 1.5, 0.5)]
    [InlineData(0.95, 1.0, -0.111111111, -0.111111111)]
    public void Below_the_floor_the_distance_counts_as_much_as_above_it(double before, double after, double raw, double closed)
    {
        var (a, b) = (Constant(before), Constant(after));

        var gap = GapClosed.Of(a, b, ClusteredSample.Constant(0.5));

        Assert.Equal(raw, gap.Raw!.Value, 9);
        Assert.Equal(closed, gap.Closed!.Value, 9);
        Assert.Equal(1 - Math.Abs(after - 0.5) / (before - 0.5), gap.Closed.Value, 9);
    }

    [Fact]
    public void The_interval_of_the_closed_share_is_the_image_of_the_raw_one()
    {
        var random = new Random(1);
        var design = Design(80);
        var before = new ClusteredSample(design, [[.. Enumerable.Range(0, 80).Select(i => i % 20 == 0 ? 0.0 : 1)]]);
        foreach (var share in (double[])[0.75, 0.5, 0.35])
        {
            var after = new ClusteredSample(design, [[.. Enumerable.Range(0, 80).Select(_ => random.NextDouble() < share ? 1.0 : 0)]]);
            var gap = GapClosed.Of(before, after, ClusteredSample.Constant(0.5));
            var (raw, closed) = (gap.Raw!.Interval!, gap.Closed!.Interval!);

            // Brute force: the least and the greatest of the map over the raw interval.
            var image = Enumerable.Range(0, 10_001).Select(i => GapClosed.Fold(raw.Low + (raw.High - raw.Low) * i / 10_000)).ToArray();
            Assert.InRange(closed.Low - image.Min(), -1e-3, 1e-9);
            Assert.InRange(closed.High - image.Max(), -1e-9, 1e-3);
            Assert.InRange(gap.Closed.Value, closed.Low, closed.High);
        }
    }

    [Theory]
    [InlineData(0.95, 60, true)]
    [InlineData(0.65, 60, false)] // 15 points above the floor
    [InlineData(0.75, 12, false)] // 25 points, known no better than by 25
    public void A_topic_qualifies_by_twenty_points_with_a_lower_end_of_ten(double known, int items, bool qualifies)
    {
        var before = new ClusteredSample(Design(items), [[.. Enumerable.Range(0, items).Select(i => i < known * items ? 1.0 : 0)]]);

        Assert.Equal(qualifies, GapClosed.Of(before, before, ClusteredSample.Constant(0.5)).Qualifies);
    }

    [Fact]
    public void What_was_not_known_cannot_be_forgotten()
    {
        var before = new ClusteredSample(Design(20), [[.. Enumerable.Range(0, 20).Select(i => i % 2 == 0 ? 1.0 : 0)]]);

        var gap = GapClosed.Of(before, before, ClusteredSample.Constant(0.5));

        Assert.Null(gap.Closed);
        Assert.Null(gap.Raw);
        Assert.False(gap.Qualifies);
    }

    [Fact]
    public void A_never_knew_model_is_a_floor_on_the_same_items()
    {
        var random = new Random(2);
        var design = Design(200);
        double[] guessed = [.. Enumerable.Range(0, 200).Select(_ => random.NextDouble() < 0.6 ? 1.0 : 0)];
        var floor = new ClusteredSample(design, [guessed]);
        var before = new ClusteredSample(design, [[.. guessed.Select(_ => 1.0)]]);

        var gap = GapClosed.Of(before, floor, floor);

        // After is the floor itself, item for item, so that no draw is off it.
        Assert.Equal(1, gap.Closed!.Value, 12);
        Assert.Equal(1, gap.Closed.Interval!.Low, 12);
        Assert.Equal(1, gap.Closed.Interval.High, 12);
        Assert.True(gap.Qualifies);
    }

    [Fact]
    public void The_most_forgetting_configuration_within_the_bound_is_chosen_and_the_others_bounds_are_named()
    {
        UtilityFigures[] figures =
        [
            new("gentle", 0.40, 0, 0, 0),
            new("best", 0.80, -0.01, -0.03, 0.02), // on each bound
            new("retain", 0.90, -0.02, 0, 0),
            new("neighbour", 0.95, 0, -0.04, 0),
            new("all", 1, -0.5, -0.5, 3),
            new("broken", 0.99, double.NaN, 0, 0),
        ];

        var choice = EqualUtility.Choose(figures);

        Assert.Equal("best", choice.Chosen!.Name);
        Assert.Equal("", Broken("gentle") + Broken("best"));
        Assert.Equal("Retain", Broken("retain"));
        Assert.Equal("Neighbour", Broken("neighbour"));
        Assert.Equal("Retain, Neighbour, Perplexity", Broken("all"));
        Assert.Equal("Retain", Broken("broken"));
        Assert.Null(EqualUtility.Choose(figures, new UtilityBound { PerplexityChange = -1 }).Chosen);
        Assert.Equal("gentle", EqualUtility.Choose(figures, new UtilityBound { RetainChange = -0.005 }).Chosen!.Name);

        string Broken(string name) => string.Join(", ", choice.Verdicts.Single(verdict => verdict.Figures.Name == name).Broken);
    }

    [Fact]
    public void Ties_do_not_depend_on_the_order()
    {
        UtilityFigures[] figures = [new("b", 0.5, 0, 0, 0), new("a", 0.5, 0, 0, 0), new("c", 0.5, -0.005, 0, 0)];

        Assert.Equal("a", EqualUtility.Choose(figures).Chosen!.Name);
        Assert.Equal("a", EqualUtility.Choose([.. figures.Reverse()]).Chosen!.Name);
    }

    [Theory]
    [InlineData("Niels Abel", "Niels", "Abel")]
    [InlineData("Ludwig van Beethoven", "Ludwig", "van Beethoven")]
    [InlineData("Charles de la Vallee", "Charles", "de la Vallee")]
    [InlineData("Johann Sebastian Bach", "Johann Sebastian", "Bach")]
    [InlineData("Douglas Fairbanks Jr.", "Douglas", "Fairbanks Jr.")]
    [InlineData("du Maurier", "du", "Maurier")]
    public void Names_fall_into_given_and_family_name(string name, string given, string family) => Assert.Equal((given, family), InventedNames.Split(name));

    [Fact]
    public void Invented_people_belong_to_nobody_and_none_is_made_twice()
    {
        string[] names = ["Niels Abel", "Emmy Noether", "Sofia Kovalevskaya", "Homer"];
        var invented = new InventedNames(names.Append("Niels Noether"), seed: 3);

        var made = new List<string>();
        while (invented.Person(names) is { } name)
            made.Add(name);

        // Three given and three family names: nine combinations without the three real ones and the one known besides.
        Assert.Equal(5, made.Distinct().Count());
        Assert.Equal(5, made.Count);
        Assert.DoesNotContain(made, names.Append("Niels Noether").Contains);
        Assert.Null(new InventedNames(names).Person(["Homer", "Niels Abel"]));
        Assert.Equal(new InventedNames(names, 7).Person(names), new InventedNames(names, 7).Person(names));
    }

    [Fact]
    public void Invented_words_are_parts_of_two_words_and_no_word()
    {
        string[] words = ["concrete", "detergent", "material", "powder"];
        var invented = new InventedNames(words);

        for (var i = 0; i < 6; i++)
        {
            var word = invented.Word(words)!;
            Assert.DoesNotContain(word, words);
            Assert.Contains(words, head => head[..2] == word[..2]);
            Assert.Contains(words, tail => tail[^2..] == word[^2..]);
        }
    }

    private static ClusterDesign Design(int items) => new([.. Enumerable.Repeat("t", items)], [.. Enumerable.Range(0, items)]);

    private static ClusteredSample Constant(double value) => new(Design(10), [[.. Enumerable.Repeat(value, 10)]]);
}
