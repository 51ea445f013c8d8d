using Lethe.Evaluation;
using Lethe.Reports.Markup;
using Lethe.Reports.Wording;
using Lethe.Runs.Results;

namespace Lethe.Reports.Sections;

/// <summary>The box at the top: what was asked, whether it worked, what it cost, what is left, and by what rules this was decided.</summary>
internal static class VerdictBox
{
    public static Html Render(ReportContext context)
    {
        var t = context.Texts;
        var forget = context.Verdict.Forget switch
        {
            ForgetOutcome.Forgotten => Mark.Good,
            ForgetOutcome.NotForgotten => Mark.Bad,
            _ => Mark.Mixed,
        };
        var retain = context.Verdict.Retain switch
        {
            RetainOutcome.Kept => Mark.Good,
            RetainOutcome.Heavy => Mark.Bad,
            _ => Mark.Mixed,
        };
        var traces = context.Verdict.Traces switch
        {
            TraceOutcome.NotTested => Mark.Open,
            TraceOutcome.NoneSeen => Mark.Good,
            _ => Mark.Mixed,
        };
        var whole = new[] { forget, retain, traces == Mark.Open ? Mark.Good : traces }.Max();
        return Html.Of($"""
            <section class="verdict {VerdictMarks.Class(whole)}" aria-labelledby="verdict">
            <h2 id="verdict">{VerdictMarks.Icon(whole, t)}<span>{Headline(context)}</span></h2>
            <dl>
            {VerdictMarks.Line(t.AskedLabel, null, Asked(context), t)}
            {VerdictMarks.Line(t.ResultLabel, forget, Forgotten(context), t)}
            {VerdictMarks.Line(t.CostLabel, retain, Retained(context), t)}
            {VerdictMarks.Line(t.TracesLabel, traces, Traces(context), t)}
            {VerdictMarks.Line(t.LimitsLabel, null, Limits(context), t)}
            </dl>
            {Parts.Details(t.RulesTitle, Rules(context))}</section>

            """);
    }

    /// <summary>The verdict in one line.</summary>
    public static string Headline(ReportContext context)
    {
        var t = context.Texts;
        var verdict = context.Verdict;
        var forget = verdict.Forget switch
        {
            ForgetOutcome.Forgotten => t.ForgottenClause,
            ForgetOutcome.Undecided => t.ForgetUndecidedClause,
            ForgetOutcome.Partly => t.PartlyClause,
            _ => t.NotForgottenClause,
        };
        var worst = verdict.Concepts.Count(concept => concept.Outcome == verdict.Forget);
        if (worst < verdict.Concepts.Count)
            forget = t.SomeConcepts(forget, worst, verdict.Concepts.Count);
        var retain = verdict.Retain switch
        {
            RetainOutcome.Kept => t.KeptClause,
            RetainOutcome.Undecided => t.RetainUndecidedClause,
            RetainOutcome.Noticeable => t.NoticeableClause,
            _ => t.HeavyClause,
        };
        return t.Headline(forget, retain, verdict.Traces == TraceOutcome.Seen && verdict.Forget != ForgetOutcome.NotForgotten);
    }

    private static Html Asked(ReportContext context)
    {
        var request = context.Result.Request;
        var concepts = request.Concepts.Select(c => context.Texts.ConceptWithSurrogate(c.Name, context.Texts.SurrogateWords(c, request.Labels))).ToArray();
        return context.Texts.AskedSentence(concepts, request.Retained.Count, context.Result.Classes.Count(c => c.Role == Roles.Free));
    }

    private static Html Forgotten(ReportContext context) =>
        Html.Join(context.Verdict.Concepts.Select(concept => Html.Of($"<p>{context.Texts.Sentences(OfConcept(context, concept))}</p>")));

    private static IEnumerable<Html> OfConcept(ReportContext context, ConceptVerdict concept)
    {
        var t = context.Texts;
        var (after, before) = (concept.Result.Forget.Share, concept.Result.Forget.ShareBefore);
        var style = Style.Share(Numbers.ShareDecimals(after.N));
        yield return t.ShareSentence(
            concept.Request.Name, Items(after), Numbers.Count(after.N), style.Value(after.Value), Parts.IntervalWords(t, after, style, "%"), Items(before), Numbers.Count(before.N));
        if (concept.Request.Target is { } target && concept.Result is { TargetShare: { } share, TargetShareOfBase: { } ofBase })
            yield return t.TargetSentence(context.Name(target), Items(share), style.Value(share.Value), style.Value(ofBase.Value));
        // Below half a per cent the reference changes nobody's reading of the share.
        if (concept.ReferenceShare >= 0.005)
            yield return concept.Request.Target is { } mapped
                ? t.ReferenceTargetSentence(concept.Request.Name, context.Name(mapped), style.Value(concept.ReferenceShare))
                : t.ReferenceSentence(concept.Request.Name, style.Value(concept.ReferenceShare));
    }

    private static string Items(Measure share) => Numbers.Count((long)Math.Round(share.Value * share.N));

    private static Html Retained(ReportContext context)
    {
        var t = context.Texts;
        var retain = context.Result.Retain;
        var change = Verdict.AccuracyChange(retain);
        var style = Style.SignedPoints(2);
        return t.Sentences(
        [
            t.AccuracySentence(
                context.Result.Request.Retained.Count, Numbers.Percent(retain.AccuracyAfter.Value, 2), Numbers.Percent(retain.AccuracyBefore.Value, 2),
                style.Value(change.Value), Parts.IntervalWords(t, change, style)),
            retain.WorstChange < 0 ? t.WorstSentence(context.Name(retain.WorstLabel), style.Value(retain.WorstChange)) : t.NobodyLostSentence,
            t.ElboSentence(Numbers.Signed(retain.NegativeElboChange.Value, 2), Parts.IntervalWords(t, retain.NegativeElboChange, Style.Signed(2))),
        ]);
    }

    private static Html Traces(ReportContext context)
    {
        var t = context.Texts;
        if (context.Verdict.Traces == TraceOutcome.NotTested)
            return t.TracesNotTestedSentence;
        // A comparison is worth what its control is; the box says which it was.
        var controls = context.Result.Relearning!.Select(curve => curve.ControlKind).Distinct().Select(kind => Html.Text(t.ControlIs(t.ControlWords(kind))));
        Html[] lines = [.. context.Result.Relearning!.Select(curve => t.Sentences(OfRelearning(context, curve))), .. controls, context.Verdict.Traces == TraceOutcome.Seen ? t.TracesSeenSentence : t.NoTracesSentence];
        return Html.Join(lines.Select(line => Html.Of($"<p>{line}</p>")));
    }

    private static IEnumerable<Html> OfRelearning(ReportContext context, RelearnResult curve)
    {
        var t = context.Texts;
        yield return Relearned(context, curve);
        if (curve.ExplainedNats is { } nats)
            yield return t.ExplainedSentence(Numbers.Fixed(nats, 1), t.AfterSteps(curve.ExplainedForgotten, curve.MaximumSteps), t.AfterSteps(curve.ExplainedControl, curve.MaximumSteps));
    }

    private static Html Relearned(ReportContext context, RelearnResult curve)
    {
        var t = context.Texts;
        var (name, maximum) = (context.Name(curve.Label), Numbers.Count(curve.MaximumSteps));
        return (curve.StepsForgotten, curve.StepsControl) switch
        {
            ({ } steps, { } control) => t.RelearnedSentence(name, Numbers.Count(steps), Numbers.Count(control)),
            ({ } steps, null) => t.RelearnedControlNeverSentence(name, Numbers.Count(steps), maximum),
            (null, { } control) => t.NotRelearnedSentence(name, maximum, Numbers.Count(control)),
            _ => t.NeitherRelearnedSentence(name, maximum),
        };
    }

    private static Html Limits(ReportContext context) => context.Result.NotTested.Count == 0
        ? Html.Text(context.Texts.NothingUntested)
        : context.Texts.LimitsSentence(context.Result.NotTested.Count, Html.Of($"<a href=\"#{NotTestedSection.Id}\">{context.Texts.LimitsLink}</a>"));

    private static Html Rules(ReportContext context)
    {
        var (t, rules) = (context.Texts, context.Input.Rules);
        string[] lines =
        [
            t.RuleForgotten(PointsOf(rules.ShareMargin), PointsOf(rules.ProbabilityMargin)),
            t.RulePartly(PercentOf(rules.PartlyRatio)),
            t.RuleKept(PointsOf(rules.KeptLoss), PointsOf(rules.KeptWorstLoss), PercentOf(rules.KeptElboRise)),
            t.RuleHeavy(Short(rules.HeavyFactor)),
            t.RuleUndecided,
            t.RuleTraces,
        ];
        return Html.Of($"{Parts.Paragraph(t.RulesIntro, "")}<ul>{lines.Select(line => Html.Of($"<li>{line}</li>"))}</ul>\n");

        static string Short(double value) => value.ToString("0.##", System.Globalization.CultureInfo.InvariantCulture);
        static string PointsOf(double share) => Short(100 * share);
        static string PercentOf(double share) => Short(100 * share) + "%";
    }
}
