using System.Reflection;
using Lethe.Reports.Markup;
using Lethe.Reports.Wording;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Reports.Tests.Wording;

/// <summary>That no text is missing is the compiler's business; these tests look at what the texts say.</summary>
public sealed class TextsTests
{
    private static readonly Texts English = Texts.Of(ReportLanguage.English), Japanese = Texts.Of(ReportLanguage.Japanese);

    private static IEnumerable<PropertyInfo> Properties => typeof(Texts).GetProperties().Where(property => property.GetMethod!.IsAbstract && property.PropertyType != typeof(ReportLanguage));

    private static IEnumerable<string> Words(object value) => value switch
    {
        string text => [text],
        Html html => [html.ToPlainText()],
        Explained explained => [explained.Term, explained.Meaning],
        OpenQuestion open => [open.Question, open.Meaning],
        _ => throw new InvalidOperationException($"a text of type {value.GetType()}"),
    };

    public static TheoryData<string> Names => [.. Properties.Select(property => property.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_text_is_there_in_both_languages_each_in_its_own_script(string name)
    {
        var property = typeof(Texts).GetProperty(name)!;
        var (english, japanese) = (Words(property.GetValue(English)!).ToArray(), Words(property.GetValue(Japanese)!).ToArray());
        Assert.Equal(english.Length, japanese.Length);
        foreach (var text in english.Concat(japanese))
        {
            Assert.False(string.IsNullOrEmpty(text));
            // Half-width katakana is never right.
            Assert.DoesNotContain(text, c => c is >= '｡' and <= 'ﾟ');
        }
        Assert.All(english, text => Assert.DoesNotContain(text, IsJapanese));
        string[] same = ["ResultFile", "FisherColumn", "DigestColumn", "RangeSign", "SignedRangeSign"];
        if (!same.Contains(name))
            Assert.Contains(japanese[^1], IsJapanese);
    }

    [Theory]
    [InlineData(ReportLanguage.English)]
    [InlineData(ReportLanguage.Japanese)]
    public void A_sentence_holds_every_figure_and_name_that_it_is_given(ReportLanguage language)
    {
        var texts = Texts.Of(language);
        var methods = typeof(Texts).GetMethods().Where(method => method.IsAbstract && !method.IsSpecialName && method.GetParameters().Length > 0
            && method.GetParameters().All(p => p.ParameterType == typeof(string) || p.ParameterType == typeof(int))).ToArray();
        Assert.True(methods.Length > 25);
        foreach (var method in methods)
        {
            var arguments = method.GetParameters().Select((p, i) => p.ParameterType == typeof(int) ? (object)(7001 + i) : $"‹{i}›").ToArray();
            var sentence = Words(method.Invoke(texts, arguments)!).Single();
            Assert.All(arguments, argument => Assert.True(sentence.Contains(argument.ToString()!), $"{language} {method.Name} leaves out {argument}: {sentence}"));
        }
    }

    [Theory]
    [InlineData(ReportLanguage.English)]
    [InlineData(ReportLanguage.Japanese)]
    public void Every_code_of_what_was_not_tested_has_words(ReportLanguage language)
    {
        var texts = Texts.Of(language);
        Assert.Equal(NotTestedCodes.All.Count, NotTestedCodes.All.Select(code => texts.NotTested(code)!.Question).Distinct().Count());
        Assert.Equal(typeof(NotTestedCodes).GetFields().Select(field => (string)field.GetRawConstantValue()!).Order(), NotTestedCodes.All.Order());
        Assert.Null(texts.NotTested("unheard_of"));
    }

    [Fact]
    public void Stages_are_named_however_the_run_spells_them_and_an_unknown_one_keeps_its_name()
    {
        Assert.Equal("処理前の測定", Japanese.Stage("measure-before"));
        Assert.Equal("処理前の測定", Japanese.Stage("measure_before"));
        Assert.Equal("処理前の測定", Japanese.Stage("measure before"));
        Assert.Equal("polish", English.Stage("polish"));
    }

    [Fact]
    public void A_reason_or_control_in_the_runs_own_words_is_kept()
    {
        Assert.Equal("all steps were taken", English.StopWords(null));
        Assert.Equal("実行計画の停止条件を満たした", Japanese.StopWords(StopReasons.CriterionMet));
        Assert.Equal("at step 9 the bound is met", English.StopWords("at step 9 the bound is met"));
        Assert.Equal("a model of my own", English.ControlWords("a model of my own"));
    }

    [Theory]
    [InlineData(0.04, "0.0 s", "0.0秒")]
    [InlineData(59.9, "59.9 s", "59.9秒")]
    [InlineData(59.96, "1 min 00 s", "1分00秒")]
    [InlineData(125, "2 min 05 s", "2分05秒")]
    [InlineData(3_780, "1 h 03 min", "1時間03分")]
    [InlineData(double.NaN, "–", "–")]
    public void Durations(double seconds, string english, string japanese)
    {
        Assert.Equal(english, English.Duration(seconds));
        Assert.Equal(japanese, Japanese.Duration(seconds));
    }

    [Fact]
    public void Times_are_in_UTC_whatever_their_offset()
    {
        var time = new DateTimeOffset(2026, 9, 28, 23, 3, 0, TimeSpan.FromHours(9));
        Assert.Equal("28 September 2026, 14:03 UTC", English.Moment(time));
        Assert.Equal("2026年9月28日 14:03（UTC）", Japanese.Moment(time));
    }

    [Fact]
    public void Ranges_with_signs_are_set_apart()
    {
        Assert.Equal("0.1–0.2", English.Range(0.1, 0.2, v => Numbers.Fixed(v, 1)));
        Assert.Equal("−0.1 to 0.2", English.Range(-0.1, 0.2, v => Numbers.Fixed(v, 1)));
        Assert.Equal("−0.1〜0.2", Japanese.Range(-0.1, 0.2, v => Numbers.Fixed(v, 1)));
    }

    [Fact]
    public void Enumerations()
    {
        Assert.Equal("a", English.And(["a"]));
        Assert.Equal("a, b and c", English.And(["a", "b", "c"]));
        Assert.Equal("a、bおよびc", Japanese.And(["a", "b", "c"]));
    }

    [Fact]
    public void One_condition_is_not_said_in_the_plural()
    {
        Assert.Equal("Forget “a”, and keep 1 other condition. 1 condition was left free.", English.AskedSentence(["“a”"], 1, 1).ToPlainText());
        Assert.Equal("Forget “a”, and keep 9 other conditions.", English.AskedSentence(["“a”"], 9, 0).ToPlainText());
        Assert.StartsWith("One question stays open", English.LimitsSentence(1, Html.Text("x")).ToPlainText());
    }

    [Theory]
    [InlineData("en", ReportLanguage.English)]
    [InlineData("ja", ReportLanguage.Japanese)]
    public void Languages_by_code(string code, ReportLanguage language)
    {
        Assert.Equal(language, ReportLanguages.Parse(code));
        Assert.Equal(code, language.Code());
        Assert.Contains(code, ReportLanguages.Codes);
    }

    [Fact]
    public void An_unknown_language_is_refused_with_the_known_ones()
    {
        var error = Assert.Throws<UsageException>(() => ReportLanguages.Parse("de"));
        Assert.Contains("\"de\"", error.Message);
        Assert.Contains("en", error.Message);
        Assert.Contains("ja", error.Message);
    }

    private static bool IsJapanese(char c) => c is (>= '\u3001' and <= '\u30FF') or (>= '\u4E00' and <= '\u9FFF');
}
