namespace Lethe.Reports.Wording;

/// <summary>Texts of the page that compares methods.</summary>
internal abstract partial class Texts
{
    public abstract string StudyTitle { get; }
    public abstract string StTopTitle { get; }
    public abstract string StTradeOffTitle { get; }
    public abstract string StTopicsTitle { get; }
    public abstract string StPooledTitle { get; }
    public abstract string StRetainTitle { get; }
    public abstract string StSensitivityTitle { get; }
    public abstract string StBudgetTitle { get; }
    public abstract string StNotSearchedTitle { get; }
    public abstract string StClosesLabel { get; }
    public abstract string StLeavesLabel { get; }
    public abstract string StChoiceLabel { get; }
    public abstract string StLimitsLabel { get; }
    public abstract string StMetSure { get; }
    public abstract string StMetMeasured { get; }
    public abstract string StMissed { get; }
    public abstract string StNoGap { get; }
    public abstract string StWithin { get; }
    public abstract string StOutside { get; }
    public abstract string StMethod { get; }
    public abstract string StRole { get; }
    public abstract string StProposed { get; }
    public abstract string StBaseline { get; }
    public abstract string StControl { get; }
    public abstract string StStrongest { get; }
    public abstract string StConfiguration { get; }
    public abstract string StRound { get; }
    public abstract string StFate { get; }
    public abstract string StChosenWord { get; }
    public abstract string StCameToChoice { get; }
    public abstract string StBroken { get; }
    public abstract string StBoundRetain { get; }
    public abstract string StBoundNeighbour { get; }
    public abstract string StBoundPerplexity { get; }
    public abstract string StFailed { get; }
    public abstract string StNotReported { get; }
    public abstract string StLeft { get; }
    public abstract string StUnseen { get; }
    public abstract string StDifference { get; }
    public abstract string StRatio { get; }
    public abstract string StHolm { get; }
    public abstract string StDetectable { get; }
    public abstract string StNonInferior { get; }
    public abstract string StShown { get; }
    public abstract string StNotShown { get; }
    public abstract string StWorstNeighbour { get; }
    public abstract string StOption { get; }
    public abstract string StValue { get; }
    public abstract string StAsChosen { get; }
    public abstract string StConfigurations { get; }
    public abstract string StRuns { get; }
    public abstract string StSeconds { get; }
    public abstract string StFixed { get; }
    public abstract string StSeedsColumn { get; }
    public abstract string StTradeOffNote { get; }
    public abstract string StTopicsNote { get; }
    public abstract string StPooledNote { get; }
    public abstract string StRetainNote { get; }
    public abstract string StBudgetNote { get; }
    public abstract string StNotSearchedNote { get; }
    public abstract string StTied { get; }
    public abstract string StOnlyStrongest { get; }
    public abstract string StClosesSentence(string method, string share, string topic, string target);
    public abstract string StLeavesSentence(string method, string baseline, string ours, string theirs, string ratio, string difference);
    public abstract string StNoComparison(string baseline);
    public abstract string StChoiceSentence(string topic, string configurations, string baseline);
    public abstract string StOutsideSentence(string methods);
    public abstract string StFell(string round);
    public abstract string StHeadline(string closes, string leaves);
    public abstract string StSensitivityNote(string method, string topic);
    public abstract string StLimitsSentence(string topics, string seeds);

    /// <summary>The word for a method's part in a study.</summary>
    public string StRoleWord(string role) => role switch
    {
        "proposed" => StProposed,
        "control" => StControl,
        _ => StBaseline,
    };
}
