using Lethe.Reports.Charts;
using Lethe.Reports.Markup;
using Lethe.Reports.Sections;
using Lethe.Runs.Results;

namespace Lethe.Reports.Language;

/// <summary>What the model knows before and after: of the topic to forget, of those that had to stay, and of other text.</summary>
internal static class LanguageKnowledgeSection
{
    public static Html Forgotten(LanguageContext context)
    {
        var t = context.Texts;
        var forget = context.Result.Forget;
        List<Html> rows = [Row(context, t.LmTrainedName, forget.Trained, "forgotten")];
        if (forget.Unseen is { } unseen)
            rows.Add(Row(context, t.LmUnseenName, unseen, "forgotten"));
        var gaps = new[] { (t.LmTrainedName, forget.Trained), (t.LmUnseenName, forget.Unseen) }.Where(entry => entry.Item2 is not null).Select(entry => Html.Of($"""
            <tr><th scope="row">{entry.Item1}</th>{Parts.Cell(t, entry.Item2!.FloorBefore, Style.Share(1))}{Parts.Cell(t, entry.Item2.FloorAfter, Style.Share(1))}{Parts.Cell(t, entry.Item2.Gap, Style.SignedPoints(1))}{Parts.Cell(t, entry.Item2.GapClosed, Style.Share(1))}</tr>

            """));
        return Html.Of($"""
            {Chart(context, [(t.LmTrainedName, forget.Trained), (t.LmUnseenName, forget.Unseen)], "forget")}
            {Table(context, rows)}
            {Parts.Table("measures", Html.Of($"<thead><tr><th scope=\"col\"></th><th scope=\"col\" class=\"num\">{t.LmFloorBefore}</th><th scope=\"col\" class=\"num\">{t.LmFloorAfter}</th><th scope=\"col\" class=\"num\">{t.LmGap}</th><th scope=\"col\" class=\"num\">{t.LmGapClosed}</th></tr></thead><tbody>{gaps}</tbody>"))}
            {Parts.Paragraph(t.LmForgottenNote)}
            {(forget.Trained.GuessedByLetters is { } guessed ? Parts.Paragraph(t.LmGuessedByLetters(Numbers.Percent(guessed.Value, 0), Numbers.Percent(forget.Floor, 0), (guessed.Interval?.Low ?? guessed.Value) > forget.Floor)) : Html.Empty)}
            {Parts.Paragraph(t.IntervalLegend)}
            """);
    }

    public static Html Retained(LanguageContext context)
    {
        var t = context.Texts;
        var retain = context.Result.Retain;
        // Those that suffer first stand first.
        var topics = retain.Topics.OrderBy(topic => !topic.Neighbour).ThenBy(topic => topic.Knowledge.SwapChange.Value).ToArray();
        var rows = topics.Select(topic => Row(context, topic.Neighbour ? $"{topic.Topic} ({t.LmRole("neighbour")})" : topic.Topic, topic.Knowledge, "retained"));
        var shown = retain.NonInferior ? t.LmNonInferior(Numbers.Fixed(100 * retain.Margin, 0)) : t.LmNotShown(Numbers.Fixed(100 * retain.Margin, 0));
        return Html.Of($"""
            {Chart(context, [.. topics.Select(topic => (topic.Topic, (KnowledgeResult?)topic.Knowledge))], "after")}
            {Table(context, rows)}
            {Parts.Paragraph(retain.SmallestDetectable is { } least ? t.Sentences([shown, t.LmDetectable(Numbers.Fixed(100 * least, 1))]) : shown)}
            {Parts.Paragraph(t.LmRetainedNote)}
            {(retain.Kept is { } kept ? Kept(context, kept) : Html.Empty)}
            """);
    }

    public static Html Perplexity(LanguageContext context)
    {
        var t = context.Texts;
        var perplexity = context.Result.Perplexity;
        return Html.Of($"""
            {Parts.Table("measures", Html.Of($"<thead><tr><th scope=\"col\"></th><th scope=\"col\" class=\"num\">{t.Before}</th><th scope=\"col\" class=\"num\">{t.After}</th>{NeverKnewTitle(context)}<th scope=\"col\" class=\"num\">{t.Change}</th><th scope=\"col\"></th></tr></thead><tbody><tr><th scope=\"row\">{t.LmPerplexityName}</th>{Parts.Cell(Numbers.Fixed(perplexity.Before, 2))}{Parts.Cell(Numbers.Fixed(perplexity.After, 2))}{(perplexity.NeverKnew is { } never ? Parts.Cell(Numbers.Fixed(never, 2)) : Html.Empty)}{Parts.Cell(t, perplexity.Change, new Style(share => Numbers.Signed(100 * share, 2) + "%", share => Numbers.Signed(100 * share, 2)))}<td class=\"hint\">{t.LowerIsBetter}</td></tr></tbody>"))}
            {Parts.Paragraph(t.LmPerplexityNote(Numbers.Count(perplexity.Tokens)))}
            """);
    }

    private static Html Kept(LanguageContext context, IReadOnlyList<LanguageKeptResult> kept)
    {
        var t = context.Texts;
        var counts = kept.Select(topic => Html.Of($"""
            <tr class="retained"><th scope="row">{topic.Topic}</th>{Parts.Cell(Numbers.Count(topic.Questions))}{Parts.Cell(Numbers.Count(topic.RightBefore))}{Parts.Cell(t, topic.StillRight, Style.Share(1))}</tr>

            """));
        return Html.Of($"""
            {Parts.Paragraph(t.LmKeptNote)}
            {Parts.Table("measures", Html.Of($"<thead><tr><th scope=\"col\">{t.LmTopic}</th><th scope=\"col\" class=\"num\">{t.LmQuestions}</th><th scope=\"col\" class=\"num\">{t.LmRightBefore}</th><th scope=\"col\" class=\"num\">{t.LmStillRight}</th></tr></thead><tbody>{counts}</tbody>"))}
            {Table(context, kept.Select(topic => Row(context, topic.Topic, topic.Knowledge, "retained")))}
            """);
    }

    private static Html Chart(LanguageContext context, IReadOnlyList<(string Name, KnowledgeResult? Known)> entries, string cssClass)
    {
        var t = context.Texts;
        var chart = new BarChart(t.LmSwapChart, [.. entries.Where(entry => entry.Known is not null).Select(entry => new Bar(
            entry.Name, entry.Known!.SwapAfter.Value, Numbers.Percent(entry.Known.SwapBefore.Value, 1), Numbers.Percent(entry.Known.SwapAfter.Value, 1))
        {
            Mark = entry.Known.SwapBefore.Value,
            CssClass = cssClass,
        })]) { Maximum = 1, Columns = [t.Before, t.After] };
        return Html.Of($"{Parts.Figure(t.LmSwapChart, Parts.Wide, chart.Render)}{Parts.Paragraph(t.ConfusionBarsNote)}");
    }

    private static Html Row(LanguageContext context, string name, KnowledgeResult known, string cssClass)
    {
        var t = context.Texts;
        var (share, points, nats) = (Style.Share(1), Style.SignedPoints(1), Style.Signed(2));
        return Html.Of($"""
            <tr class="{cssClass}"><th scope="row">{name}</th>{Parts.Cell(t, known.SwapBefore, share)}{Parts.Cell(t, known.SwapAfter, share)}{Third(known.SwapNeverKnew, share)}{Parts.Cell(t, known.SwapChange, points)}{Parts.Cell(t, known.MarginBefore, nats)}{Parts.Cell(t, known.MarginAfter, nats)}{Third(known.MarginNeverKnew, nats)}{Parts.Cell(t, known.ChoiceBefore, share)}{Parts.Cell(t, known.ChoiceAfter, share)}{Third(known.ChoiceNeverKnew, share)}</tr>

            """);

        Html Third(Evaluation.Measure? measure, Style style) => context.HasNeverKnew ? Parts.Cell(t, measure, style) : Html.Empty;
    }

    private static Html NeverKnewTitle(LanguageContext context) => context.HasNeverKnew ? Html.Of($"<th scope=\"col\" class=\"num\">{context.Texts.LmNeverKnew}</th>") : Html.Empty;

    private static Html Table(LanguageContext context, IEnumerable<Html> rows)
    {
        var t = context.Texts;
        var (third, columns) = (NeverKnewTitle(context), context.HasNeverKnew ? 3 : 2);
        return Parts.Table("measures long", Html.Of($"""
            <thead><tr><th></th><th scope="col" class="group" colspan="{columns + 1}">{t.LmSwapName}</th><th scope="col" class="group" colspan="{columns}">{t.LmMarginName}</th><th scope="col" class="group" colspan="{columns}">{t.LmChoiceName}</th></tr>
            <tr><th scope="col"></th><th scope="col" class="num">{t.Before}</th><th scope="col" class="num">{t.After}</th>{third}<th scope="col" class="num">{t.Change}</th><th scope="col" class="num">{t.Before}</th><th scope="col" class="num">{t.After}</th>{third}<th scope="col" class="num">{t.Before}</th><th scope="col" class="num">{t.After}</th>{third}</tr></thead>
            <tbody>{rows}</tbody>
            """));
    }
}
