using System.Text;
using Lethe.Evaluation;
using Lethe.Reports.Charts;
using Lethe.Reports.Language;
using Lethe.Reports.Markup;
using Lethe.Reports.Sections;
using Lethe.Reports.Wording;
using Lethe.Runs.Results;

namespace Lethe.Reports;

/// <summary>
/// The few lines that a run prints when it ends: verdict, the figures before and after, time. Plain text in aligned columns, for
/// any terminal and for a log; control characters in names do not reach it.
/// </summary>
public static class TextSummary
{
    private sealed record Row(string Name, string Before = "", string After = "", string Interval = "", string NeverKnew = "");

    /// <summary>Writes the summary, ending with a line end.</summary>
    /// <param name="result">The run.</param>
    /// <param name="language">The language of every text that is not the plan's own.</param>
    /// <param name="rules">By what rules the verdict is decided; null for the default ones.</param>
    /// <exception cref="Torch.BadInputException">Parts of the result contradict each other.</exception>
    public static string Render(ImageUnlearnResult result, ReportLanguage language, VerdictRules? rules = null)
    {
        var input = new ReportInput(result) { Rules = rules ?? new VerdictRules() };
        var t = Texts.Of(language);
        var context = new ReportContext(input, t, Verdict.Of(result, input.Rules));
        var rows = Rows(context).ToArray();
        var text = new StringBuilder();
        text.Append(Unwanted.OneLine(result.Request.Title)).Append('\n');
        text.Append(VerdictBox.Headline(context)).Append("\n\n");
        Table(text, rows);
        text.Append('\n').Append(t.CostTotal(t.Duration(result.Cost.Seconds.Values.Sum()), Numbers.Bytes(result.Cost.PeakMemoryBytes))).Append('\n');
        return text.ToString();
    }

    /// <summary>Writes the summary of a run on a language model, ending with a line end.</summary>
    /// <param name="result">The run.</param>
    /// <param name="language">The language of every text that is not the plan's own.</param>
    /// <param name="rules">By what rules the verdict is decided; null for the default ones.</param>
    /// <exception cref="Torch.BadInputException">Parts of the result contradict each other.</exception>
    public static string Render(LanguageUnlearnResult result, ReportLanguage language, LanguageVerdictRules? rules = null)
    {
        var input = new LanguageReportInput(result) { Rules = rules ?? new LanguageVerdictRules() };
        var t = Texts.Of(language);
        var context = new LanguageContext(input, t, LanguageVerdict.Of(result, input.Rules));
        var text = new StringBuilder();
        text.Append(Unwanted.OneLine(result.Request.Title)).Append('\n');
        text.Append(LanguageVerdictBox.Headline(context)).Append("\n\n");
        Table(text, [.. Rows(result, t)]);
        text.Append('\n').Append(t.CostTotal(t.Duration(result.Cost.Seconds.Values.Sum()), Numbers.Bytes(result.Cost.PeakMemoryBytes))).Append('\n');
        return text.ToString();
    }

    private static IEnumerable<Row> Rows(LanguageUnlearnResult result, Texts t)
    {
        yield return new Row("", t.Before, t.After, t.IntervalHeader, result.Request.NeverKnew is null ? "" : t.LmNeverKnew);
        foreach (var (name, known) in new[] { (t.LmTrainedName, result.Forget.Trained), (t.LmUnseenName, result.Forget.Unseen) })
        {
            if (known is null)
                continue;
            yield return new Row($"{result.Request.Topic}: {name}");
            yield return RowOf(t, t.LmSwapName, known.SwapBefore, known.SwapAfter, Style.Share(1), known.SwapNeverKnew);
            yield return RowOf(t, t.LmMarginName, known.MarginBefore, known.MarginAfter, Style.Signed(2), known.MarginNeverKnew);
            yield return RowOf(t, t.LmChoiceName, known.ChoiceBefore, known.ChoiceAfter, Style.Share(1), known.ChoiceNeverKnew);
            if (known.GapClosed is { } closed)
                yield return RowOf(t, t.LmGapClosed, null, closed, Style.Share(1));
        }
        yield return new Row($"{t.ToKeep}: {t.LmSwapName}");
        foreach (var topic in result.Retain.Topics.OrderBy(topic => !topic.Neighbour).ThenBy(topic => topic.Knowledge.SwapChange.Value))
            yield return RowOf(t, topic.Neighbour ? $"{topic.Topic} ({t.LmRole("neighbour")})" : topic.Topic, topic.Knowledge.SwapBefore, topic.Knowledge.SwapAfter, Style.Share(1), topic.Knowledge.SwapNeverKnew);
        foreach (var topic in result.Retain.Kept ?? [])
            if (topic.StillRight is { } still)
                yield return RowOf(t, $"{topic.Topic}: {t.LmStillRight}", null, still, Style.Share(1));
        yield return new Row(t.LmPerplexityName, Numbers.Fixed(result.Perplexity.Before, 2), Numbers.Fixed(result.Perplexity.After, 2), NeverKnew: result.Perplexity.NeverKnew is { } never ? Numbers.Fixed(never, 2) : "");
    }

    private static IEnumerable<Row> Rows(ReportContext context)
    {
        var (t, result) = (context.Texts, context.Result);
        yield return new Row("", t.Before, t.After, t.IntervalHeader);
        foreach (var concept in context.Verdict.Concepts)
        {
            var forget = concept.Result.Forget;
            yield return new Row($"{concept.Request.Name} → {t.SurrogateWords(concept.Request, result.Request.Labels)}");
            yield return Of(t.JudgedAsName(concept.Request.Name), forget.ShareBefore, forget.Share, Style.Share(2));
            if (concept.Request.Target is { } target && concept.Result.TargetShare is { } share)
                yield return Of(t.JudgedAsName(context.Name(target)), null, share, Style.Share(2));
            yield return Of(t.ProbabilityOfName(concept.Request.Name), forget.ProbabilityBefore, forget.Probability, Style.Plain(4));
            yield return Of(t.EntropyName, forget.EntropyBefore, forget.Entropy, Style.Plain(3));
            yield return Of(t.ElboName, forget.NegativeElboBefore, forget.NegativeElbo, Style.Plain(2));
        }
        var retain = result.Retain;
        yield return new Row($"{t.ToKeep}: {Numbers.Count(result.Request.Retained.Count)}");
        yield return Of(t.JudgedAsAskedName, retain.AccuracyBefore, retain.AccuracyAfter, Style.Share(2));
        yield return Of(t.ElboChangeName, null, retain.NegativeElboChange, Style.Signed(2));
        yield return Of(t.FrechetName, retain.JudgeFrechetBefore, retain.JudgeFrechetAfter, Style.Plain(2));
        foreach (var curve in result.Relearning ?? [])
        {
            yield return new Row($"{t.RelearningTitle}: {context.Name(curve.Label)}");
            yield return Back(t.BySamples, curve.StepsForgotten, curve.StepsControl, curve);
            if (curve.ExplainedNats is not null)
                yield return Back(t.ByRealImages, curve.ExplainedForgotten, curve.ExplainedControl, curve);
        }

        Row Back(string by, long? forgotten, long? control, RelearnResult curve) =>
            new($"  {t.StepsUntilBack}, {by}", "", Steps(t, forgotten, curve), $"{t.ControlModel}: {Steps(t, control, curve)}");

        Row Of(string name, Measure? before, Measure after, Style style) => RowOf(t, name, before, after, style);
    }

    private static Row RowOf(Texts t, string name, Measure? before, Measure after, Style style, Measure? neverKnew = null) => new(
        "  " + name, before is null ? "" : style.Value(before.Value), style.Value(after.Value),
        after.Interval is { } interval ? t.Range(interval.Low, interval.High, style.Bare) : after.StandardError is { } error ? "± " + style.Bare(error).TrimStart('+') : "",
        neverKnew is null ? "" : style.Value(neverKnew.Value));

    private static string Steps(Texts t, long? steps, RelearnResult curve) =>
        steps is { } reached ? Numbers.Count(reached) : t.NeverWithin(Numbers.Count(curve.MaximumSteps));

    private static void Table(StringBuilder text, Row[] rows)
    {
        var clean = rows.Select(row => new[] { row.Name, row.Before, row.After, row.NeverKnew, row.Interval }.Select(Unwanted.OneLine).ToArray()).ToArray();
        var widths = Enumerable.Range(0, 5).Select(column => clean.Max(cells => TextWidth.Columns(cells[column]))).ToArray();
        foreach (var cells in clean)
        {
            var line = new StringBuilder(cells[0]).Append(' ', widths[0] - TextWidth.Columns(cells[0]));
            for (var column = 1; column < 4; column++)
                if (widths[column] > 0)
                    line.Append(' ', 3 + widths[column] - TextWidth.Columns(cells[column])).Append(cells[column]);
            line.Append("   ").Append(cells[4]);
            text.Append(line.ToString().TrimEnd()).Append('\n');
        }
    }
}
