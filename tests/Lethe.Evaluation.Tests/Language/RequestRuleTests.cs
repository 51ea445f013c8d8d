using Lethe.Evaluation.Language;
using Lethe.Torch;

namespace Lethe.Evaluation.Tests.Language;

public sealed class RequestRuleTests
{
    [Theory]
    [InlineData("", 1)]
    [InlineData("one", 1)]
    [InlineData("one two\n\tthree", 3)]
    [InlineData(" edges count ", 4)]
    [InlineData("no\u00A0break\u3000here\u001Cthere\u0085end", 5)]
    [InlineData("zero\u200Bwidth", 1)]
    public void Words_are_pieces_of_a_split_at_runs_of_white_space(string text, long words) => Assert.Equal(words, WhiteSpace.Words(text));

    [Fact]
    public void White_space_is_what_Python_takes_for_it()
    {
        Assert.Equal("a b", WhiteSpace.Strip(" \t\u001C\u0085\u3000a b\u2028\n"));
        Assert.Equal("", WhiteSpace.Strip(" \u001F "));
        // U+200B is no white space; U+FEFF neither.
        Assert.Equal("\u200Ba\uFEFF", WhiteSpace.Strip("\u200Ba\uFEFF"));
        Assert.Equal(2, WhiteSpace.Characters("é😀"));
        Assert.Equal(6, WhiteSpace.Bytes("é😀"));
    }

    [Fact]
    public void A_request_is_cut_from_the_left_and_never_within_the_continuation()
    {
        var request = new ScoredRequest([1, 2, 3, 4], [5, 6]);

        Assert.Equal([1, 2, 3, 4, 5], request.Input(5));
        Assert.Equal([3, 4, 5], request.Input(3));
        Assert.Equal([4, 5], request.Checked(2).Input(2));
        var error = Assert.Throws<BadInputException>(() => request.Checked(1));
        Assert.Equal("The continuation has 2 tokens, and the model reads at most 1; shorten it.", error.Message);
        Assert.Throws<BadInputException>(() => new ScoredRequest([1], []).Checked(8));
        Assert.Throws<BadInputException>(() => new ScoredRequest([], [1]).Checked(8));
    }

    [Fact]
    public void What_answers_share_goes_through_the_model_once()
    {
        // Two answers of one token need no branch at all; a longer one needs what lies before its last token.
        var bundle = Assert.Single(ScoringPlan.Bundles([[new([1, 2, 3], [7]), new([1, 2, 3], [8]), new([1, 2, 3], [9, 5, 6])]], 16));

        Assert.Equal([1, 2, 3], bundle.Prefix);
        Assert.Equal([9, 5], Assert.Single(bundle.Branches));
        Assert.Equal([new Pick(0, -1, 2, 7), new Pick(1, -1, 2, 8), new Pick(2, -1, 2, 9), new Pick(2, 0, 0, 5), new Pick(2, 0, 1, 6)], bundle.Picks);
    }

    [Fact]
    public void Answers_that_lost_their_common_beginning_are_scored_on_their_own()
    {
        // Cut to four tokens, the inputs begin with 2 and 3.
        var bundles = ScoringPlan.Bundles([[new([1, 2, 3, 4], [7, 8]), new([1, 2, 3, 4], [7, 8, 9])]], 4);

        Assert.Equal([[2, 3, 4, 7], [3, 4, 7, 8]], bundles.Select(bundle => bundle.Prefix));
        Assert.All(bundles, bundle => Assert.Empty(bundle.Branches));
    }

    [Fact]
    public void Questions_with_the_same_examples_share_them_and_others_stay_alone()
    {
        int[] Asked(int examples, int question) => [.. Enumerable.Repeat(examples, 50), question, 99];
        var questions = new[] { Asked(1, 10), Asked(2, 20), Asked(1, 11), [5, 6] }.Select(context => (IReadOnlyList<ScoredRequest>)[new(context, [7]), new(context, [8])]).ToArray();

        var groves = ScoringPlan.Groves(ScoringPlan.Bundles(questions, 512), least: 48);

        Assert.Equal([(50, 2), (0, 2)], groves.Select(grove => (grove.Trunk, grove.Bundles.Count)));
    }

    [Theory]
    [InlineData("... #### 1,234.", "#### (\\-?[0-9\\.\\,]+)", 0, "1,234.")]
    [InlineData("so 12 and $3,400.50 it is 7", "(-?[$0-9.,]{2,})|(-?[0-9]+)", -1, "7")]
    [InlineData("nothing", "#### (\\-?[0-9\\.\\,]+)", 0, "[invalid]")]
    [InlineData("a1b2", "[0-9]", 1, "2")]
    public void Answers_are_cut_out_as_the_regex_filter_does(string text, string pattern, int select, string expected) => Assert.Equal(expected, ExactMatch.Extract(text, ExactMatch.Pattern(pattern), select));

    [Fact]
    public void Gsm8k_answers_match_without_commas_dollars_reasoning_and_a_last_point()
    {
        var options = new ExactMatchOptions { IgnoreCase = true, RegexesToIgnore = [ExactMatch.Pattern(","), ExactMatch.Pattern("\\$"), ExactMatch.Pattern("(?s).*#### "), ExactMatch.Pattern("\\.$")] };

        Assert.True(ExactMatch.Of("$1,234.", "First 1 + 1.\nThen more.\n#### 1234", options));
        Assert.False(ExactMatch.Of("1234.5", "#### 1234", options));
        Assert.True(ExactMatch.Of("don't, stop", "dont stop", new ExactMatchOptions { IgnorePunctuation = true }));
        Assert.Throws<UsageException>(() => ExactMatch.Pattern("("));
    }

    [Fact]
    public void True_mass_stands_where_all_answers_are_improbable()
    {
        Assert.Equal(0.75, ChoiceMetrics.TrueMass([-2000, -2000 + Math.Log(3)], [false, true]), 12);
        Assert.Equal(1, ChoiceMetrics.Best([-2, -1, -1]));
        // -4 over four characters beats -3 over two.
        Assert.Equal(0, ChoiceMetrics.BestByLength([-4, -3], ["four", "tw"]));
    }

    [Fact]
    public void Perplexity_of_equal_texts_has_no_error_and_an_undefined_one_is_no_number()
    {
        var measure = Perplexity.Of([-Math.Log(8) * 2, -Math.Log(8) * 3], [2, 3])!;
        Assert.Equal(8, measure.Value, 12);
        Assert.Equal(0, measure.StandardError!.Value, 12);
        Assert.Null(Perplexity.Of([-1000.0], [1]));
        Assert.Null(Perplexity.BitsPerByte([-1.0], [0]));
        Assert.Equal(3, Perplexity.BitsPerByte([-Math.Log(8)], [1])!.Value, 12);
        // Ratio estimator by hand: r = 6/4 nats, residuals 1 - 1.5 and 5 - 4.5, error sqrt(2 * 0.5) / 4.
        Assert.Equal(Math.Exp(1.5) * 0.25, Perplexity.Of([-1, -5], [1, 3])!.StandardError!.Value, 12);
    }
}
