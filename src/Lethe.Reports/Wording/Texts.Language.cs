using Lethe.Reports.Markup;

namespace Lethe.Reports.Wording;

/// <summary>Texts of the reports of language models; those that images have too stand in the other files.</summary>
internal abstract partial class Texts
{
    // Titles
    public abstract string LmForgottenTitle { get; }
    public abstract string LmRetainedTitle { get; }
    public abstract string LmPerplexityTitle { get; }
    public abstract string LmAnswersTitle { get; }

    // The box
    public abstract string LmUndecidedClause { get; }
    public abstract string LmNotKnownClause { get; }
    public abstract string LmRetainUndecidedClause { get; }
    public abstract Html LmAskedSentence(string topic, int retained);
    public abstract Html LmTrainedSentence(string after, string interval, string before);
    public abstract Html LmUnseenSentence(string after, string interval, string before);
    public abstract Html LmGapSentence(string closed, string interval, string floor);
    public abstract Html LmNoGapSentence(string floor);
    public abstract Html LmRetainSentence(int topics, string after, string before, string change, string interval);
    public abstract Html LmNobodyLostSentence { get; }
    public abstract Html LmPerplexitySentence(string before, string after, string percent, string interval);
    public abstract Html LmTracesSentence { get; }
    public abstract string LmRuleForgotten(string gap);
    public abstract string LmRulePartly(string gap);
    public abstract string LmRuleKnown { get; }
    public abstract string LmRuleKept(string loss, string worst, string perplexity);
    public abstract string LmRuleUndecided { get; }

    // What was asked
    public abstract string LmTopic { get; }
    public abstract string LmGround { get; }
    public abstract string LmScope { get; }
    public abstract string LmAskedAbout { get; }
    public abstract string LmPartTest { get; }
    public abstract string LmPartValidation { get; }
    public abstract string LmTrainedOn { get; }
    public abstract string LmTexts(string forget, string retain);
    public abstract string LmRoleColumn { get; }
    public abstract string LmRoleForget { get; }
    public abstract string LmRoleNeighbour { get; }
    public abstract string LmRoleRetain { get; }
    public abstract string LmEntities { get; }
    public abstract string LmTrainedEntities { get; }
    public abstract string LmTextsColumn { get; }
    public abstract string LmQuestions { get; }
    public abstract string LmSplitNote { get; }

    // Tables
    public abstract string LmTrainedName { get; }
    public abstract string LmUnseenName { get; }
    public abstract string LmSwapName { get; }
    public abstract string LmMarginName { get; }
    public abstract string LmChoiceName { get; }
    public abstract string LmPerplexityName { get; }
    public abstract string LmNeverKnew { get; }
    public abstract string LmSwapChart { get; }
    public abstract string LmFloorBefore { get; }
    public abstract string LmFloorAfter { get; }
    public abstract string LmGap { get; }
    public abstract string LmGapClosed { get; }
    public abstract string LmForgottenNote { get; }
    public abstract string LmGuessedByLetters(string guessed, string floor, bool above);
    public abstract string LmRetainedNote { get; }
    public abstract string LmKeptNote { get; }
    public abstract string LmRightBefore { get; }
    public abstract string LmStillRight { get; }
    public abstract string LmNonInferior(string points);
    public abstract string LmNotShown(string points);
    public abstract string LmDetectable(string points);
    public abstract string LmPerplexityNote(string tokens);

    // Answers, weights, method
    public abstract string LmNoAnswers { get; }
    public abstract string LmQuestion { get; }
    public abstract string LmExpected { get; }
    public abstract string LmAnswersNote { get; }
    public abstract string LmMovedNote { get; }
    public abstract string LmTokensSeen { get; }
    public abstract string LmTrainedNumbers { get; }

    // Trade-off
    public abstract string LmTradeOffChart { get; }
    public abstract string LmSwapAxis { get; }
    public abstract string LmCostAxis { get; }
    public abstract string LmBound { get; }
    public abstract string LmCostNote { get; }
    public abstract string LmRetainColumn { get; }
    public abstract string LmWorstColumn { get; }
    public abstract string LmPerplexityColumn { get; }
    public abstract string LmCostColumn { get; }

    // Features
    public abstract string LmFeaturesTitle { get; }
    public abstract string LmSite { get; }
    public abstract string LmSeparation { get; }
    public abstract string LmAblationForget { get; }
    public abstract string LmAblationRetain { get; }
    public abstract string LmAblationNote(string correlation);
    public abstract string LmByChance95 { get; }
    public abstract string LmChosen { get; }
    public abstract string LmRanks { get; }
    public abstract string LmStability { get; }
    public abstract string LmByChance { get; }
    public abstract string LmForgetText { get; }
    public abstract string LmRetainText { get; }
    public abstract string LmHiddenStates { get; }
    public abstract string LmMovedBy { get; }
    public abstract string LmInRelevant { get; }
    public abstract string LmInIrrelevant { get; }
    public abstract string LmMayRead { get; }
    public abstract string LmProtectedEnergy { get; }
    public abstract string LmForgetEnergy { get; }
    public abstract string LmFeaturesNote { get; }
    public abstract string LmMovementNote { get; }
    public abstract string LmChosenOf(string relevant, string candidates, string irrelevant);
    public abstract string LmOnForget(string layer);
    public abstract string LmOnRetain(string layer);
    public abstract string LmLayer(string layer);

    // Explanations
    public abstract Explained LmSwapTerm { get; }
    public abstract Explained LmMarginTerm { get; }
    public abstract Explained LmChoiceTerm { get; }
    public abstract Explained LmFloorTerm { get; }
    public abstract Explained LmNeverKnewTerm { get; }
    public abstract Explained LmGapTerm { get; }
    public abstract Explained LmNeighbourTerm { get; }
    public abstract Explained LmPerplexityTerm { get; }
    public abstract Explained LmIntervalTerm { get; }

    // What was not tested
    public abstract OpenQuestion TextMembership { get; }
    public abstract OpenQuestion TextRelearning { get; }
    public abstract OpenQuestion AdversarialPrompts { get; }
    public abstract OpenQuestion OtherWords { get; }
    public abstract OpenQuestion InnerLayers { get; }
    public abstract OpenQuestion FewerBits { get; }
    public abstract OpenQuestion OtherAbilities { get; }

    /// <summary>The word for a topic's part in a run.</summary>
    public string LmRole(string role) => role switch
    {
        "forget" => LmRoleForget,
        "neighbour" => LmRoleNeighbour,
        "retain" => LmRoleRetain,
        _ => role,
    };
}
