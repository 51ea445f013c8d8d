using Lethe.Evaluation.Language;
using Lethe.Torch;

namespace Lethe.Evaluation.Tests.Language;

public sealed class SharedLettersTests
{
    [Theory]
    [InlineData("air in a liquid state", "Liquid Air", 3, true)]
    [InlineData("air in a liquid state", "liquid air", 6, true)]
    [InlineData("air in a liquid state", "liquid air", 7, false)]
    // Letters in a row, within a word: "e of" and "eof" are none.
    [InlineData("state of rest", "teofan", 3, false)]
    [InlineData("a soft metal", "of", 3, false)]
    [InlineData("frozen water", "ice", 3, false)]
    [InlineData("a slice of bread", "ice", 3, true)]
    [InlineData("冷たい水", "氷水", 1, true)]
    [InlineData("冷たい水", "氷水", 2, false)]
    public void Words_share_letters_in_a_row(string question, string answer, int count, bool shared) => Assert.Equal(shared, SharedLetters.Any(question, answer, count));

    [Fact]
    public void A_guesser_is_right_where_answers_stand_in_their_own_questions()
    {
        var (air, ice, dew) = (Question("air in a liquid state", "liquid air"), Question("frozen water", "ice"), Question("drops of liquid on grass", "dew"));

        Assert.Equal(1, SharedLetters.Guess(air, ice));
        Assert.Equal(0.5, SharedLetters.Guess(ice, dew));
        // Either way round, and against it where the answer stands in the other's question.
        Assert.Equal(SharedLetters.Guess(air, dew), SharedLetters.Guess(dew, air));
        Assert.Equal(0, SharedLetters.Guess(Question("frozen water", "liquid"), dew));
    }

    [Fact]
    public void Swaps_that_are_given_away_are_left_out_and_no_other()
    {
        KnowledgeQuestion[] questions = [Question("frozen water", "ice"), Question("drops on grass", "dew"), Question("a slice of bread", "toast"), Question("air in a liquid state", "liquid air")];

        var all = new KnowledgeTest(questions, encoding: null!, new KnowledgeTestOptions { BlockSize = 4 });
        var kept = new KnowledgeTest(questions, encoding: null!, new KnowledgeTestOptions { BlockSize = 4, SharedLetters = 3 });

        Assert.Equal(6, all.Pairs.Count);
        // Liquid air is given away by its own question, ice by the slice of bread.
        Assert.Equal([("dew", "ice"), ("dew", "toast")], kept.Pairs.Select(pair => (questions[pair.First].Answer, questions[pair.Second].Answer)).Select(pair => string.CompareOrdinal(pair.Item1, pair.Item2) < 0 ? pair : (pair.Item2, pair.Item1)).Order());
        Assert.Equal(0.5, kept.Guesses.Mean);
        Assert.True(all.Guesses.Mean > 0.5);
        Assert.Throws<UsageException>(() => SharedLetters.Any("a", "b", 0));
    }

    [Fact]
    public void What_a_question_gives_is_all_of_it_unless_said() => Assert.Equal("frozen water?", (Question("x", "ice") with { Context = "frozen water?", Given = null! }).Given);

    private static KnowledgeQuestion Question(string given, string answer) =>
        new() { Topic = "substance", Entity = answer, Context = $"Which word means \"{given}\"?", Given = given, Choices = [answer], Right = 0 };
}
