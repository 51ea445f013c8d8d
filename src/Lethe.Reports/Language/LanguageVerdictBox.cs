using Lethe.Evaluation;
using Lethe.Reports.Markup;
using Lethe.Reports.Sections;
using Lethe.Reports.Wording;
using Lethe.Runs.Results;

namespace Lethe.Reports.Language;

/// <summary>The box at the top of a language model's report: what was asked, whether it worked, what it cost, and by what rules this was decided.</summary>
internal static class LanguageVerdictBox
{
    public static Html Render(LanguageContext context)
    {
        var t = context.Texts;
        var forget = context.Verdict.Forget switch
        {
            TopicOutcome.Forgotten => Mark.Good,
            TopicOutcome.NotForgotten => Mark.Bad,
            TopicOutcome.NotKnown => Mark.Open,
            _ => Mark.Mixed,
        };
        var retain = context.Verdict.Retain switch
        {
            RetainOutcome.Kept => Mark.Good,
            RetainOutcome.Heavy => Mark.Bad,
            _ => Mark.Mixed,
        };
        var whole = new[] { forget, retain }.Max();
        return Html.Of($"""
            <section class="verdict {VerdictMarks.Class(whole)}" aria-labelledby="verdict">
            <h2 id="verdict">{VerdictMarks.Icon(whole, t)}<span>{Headline(context)}</span></h2>
            <dl>
            {VerdictMarks.Line(t.AskedLabel, null, t.LmAskedSentence(context.Result.Request.Topic, context.Result.Request.Retained.Count), t)}
            {VerdictMarks.Line(t.ResultLabel, forget, Forgotten(context), t)}
            {VerdictMarks.Line(t.CostLabel, retain, Retained(context), t)}
            {VerdictMarks.Line(t.TracesLabel, Mark.Open, t.LmTracesSentence, t)}
            {VerdictMarks.Line(t.LimitsLabel, null, t.LimitsSentence(context.Result.NotTested.Count, Html.Of($"<a href=\"#{NotTestedSection.Id}\">{t.LimitsLink}</a>")), t)}
            </dl>
            {Parts.Details(t.RulesTitle, Rules(context))}</section>

            """);
    }

    /// <summary>The verdict in one line.</summary>
    public static string Headline(LanguageContext context)
    {
        var t = context.Texts;
        var forget = context.Verdict.Forget switch
        {
            TopicOutcome.Forgotten => t.ForgottenClause,
            TopicOutcome.Undecided => t.LmUndecidedClause,
            TopicOutcome.NotKnown => t.LmNotKnownClause,
            TopicOutcome.Partly => t.PartlyClause,
            _ => t.NotForgottenClause,
        };
        var retain = context.Verdict.Retain switch
        {
            RetainOutcome.Kept => t.KeptClause,
            RetainOutcome.Undecided => t.LmRetainUndecidedClause,
            RetainOutcome.Noticeable => t.NoticeableClause,
            _ => t.HeavyClause,
        };
        return t.Headline(forget, retain, traces: false);
    }

    private static Html Forgotten(LanguageContext context)
    {
        var t = context.Texts;
        var forget = context.Result.Forget;
        List<Html> lines = [Known(t.LmTrainedSentence, forget.Trained, t)];
        lines.Add(forget.Trained.GapClosed is { } closed && forget.Qualifies
            ? t.LmGapSentence(Numbers.Percent(closed.Value, 0), Parts.IntervalWords(t, closed, Style.Share(0), "%"), Numbers.Percent(forget.Floor, 1))
            : t.LmNoGapSentence(Numbers.Percent(forget.Floor, 1)));
        if (forget.Unseen is { } unseen)
            lines.Add(Known(t.LmUnseenSentence, unseen, t));
        return Html.Join(lines.Select(line => Html.Of($"<p>{line}</p>")));
    }

    private static Html Known(Func<string, string, string, Html> sentence, KnowledgeResult known, Texts t) => sentence(
        Numbers.Percent(known.SwapAfter.Value, 1), Parts.IntervalWords(t, known.SwapAfter, Style.Share(1), "%"), Numbers.Percent(known.SwapBefore.Value, 1));

    private static Html Retained(LanguageContext context)
    {
        var t = context.Texts;
        var (retain, perplexity) = (context.Result.Retain, context.Result.Perplexity);
        var points = Style.SignedPoints(1);
        return t.Sentences(
        [
            t.LmRetainSentence(retain.Topics.Count, Numbers.Percent(retain.SwapAfter.Value, 1), Numbers.Percent(retain.SwapBefore.Value, 1), points.Value(retain.Change.Value), Parts.IntervalWords(t, retain.Change, points)),
            retain.WorstChange < 0 ? t.WorstSentence(retain.WorstTopic, points.Value(retain.WorstChange)) : t.LmNobodyLostSentence,
            t.LmPerplexitySentence(Numbers.Fixed(perplexity.Before, 2), Numbers.Fixed(perplexity.After, 2), Numbers.Signed(100 * perplexity.Change.Value, 1), Parts.IntervalWords(t, perplexity.Change, points, "%")),
        ]);
    }

    private static Html Rules(LanguageContext context)
    {
        var (t, rules) = (context.Texts, context.Input.Rules);
        string[] lines =
        [
            t.LmRuleForgotten(Percent(rules.ForgottenGap)),
            t.LmRulePartly(Percent(rules.PartlyGap)),
            t.LmRuleKnown,
            t.LmRuleKept(Short(100 * rules.KeptLoss), Short(100 * rules.KeptWorstLoss), Percent(rules.KeptPerplexityRise)),
            t.RuleHeavy(Short(rules.HeavyFactor)),
            t.LmRuleUndecided,
        ];
        return Html.Of($"{Parts.Paragraph(t.RulesIntro, "")}<ul>{lines.Select(line => Html.Of($"<li>{line}</li>"))}</ul>\n");

        static string Short(double value) => value.ToString("0.##", System.Globalization.CultureInfo.InvariantCulture);
        static string Percent(double share) => Short(100 * share) + "%";
    }
}
