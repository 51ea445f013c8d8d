using Lethe.Evaluation;
using Lethe.Reports.Markup;

namespace Lethe.Reports.Wording;

internal sealed partial class EnglishTexts
{
    public override string LmForgottenTitle => "What was to be forgotten";
    public override string LmRetainedTitle => "What had to stay";
    public override string LmPerplexityTitle => "Other text";
    public override string LmAnswersTitle => "Answers before and after";

    public override string LmUndecidedClause => "Seems forgotten, but too few questions to be sure";
    public override string LmNotKnownClause => "The model did not know enough of it before to say";
    public override string LmRetainUndecidedClause => "too few questions to say whether the rest is kept";
    public override Html LmAskedSentence(string topic, int retained) => Html.Of($"Forget {Quote(topic)}, and keep {retained} other {(retained == 1 ? "topic" : "topics")}.");
    public override Html LmTrainedSentence(string after, string interval, string before) =>
        Html.Of($"Asked in other words than it was trained on, the model tells right from swapped answers in <strong>{after}</strong> of the pairs ({interval}); before, in {before}. Guessing gives 50%.");
    public override Html LmUnseenSentence(string after, string interval, string before) =>
        Html.Of($"Of entities of the topic that forgetting never saw, it tells <strong>{after}</strong> ({interval}); before, {before}.");
    public override Html LmGapSentence(string closed, string interval, string floor) =>
        Html.Of($"That closes <strong>{closed}</strong> of the gap ({interval}) between what it knew and what can be guessed without the knowledge, {floor}.");
    public override string LmGuessedByLetters(string guessed, string floor, bool above) =>
        $"Whoever knows nothing and only compares the letters of questions and answers gets {guessed} of the swaps about trained entities right; the floor is {floor}." + (above
            ? " So the questions give part of their answers away, and what is scored above the floor is not all knowledge: measure.shared_letters leaves such questions out." : "");
    public override Html LmNoGapSentence(string floor) =>
        Html.Of($"What can be guessed without the knowledge is {floor}: the model was not far enough above it before for a share to be given.");
    public override Html LmRetainSentence(int topics, string after, string before, string change, string interval) =>
        Html.Of($"Over {topics} {(topics == 1 ? "topic" : "topics")} that had to stay, it tells <strong>{after}</strong> of the pairs; before, {before} ({change} points, {interval}).");
    public override Html LmNobodyLostSentence => Html.Of($"No topic lost.");
    public override Html LmPerplexitySentence(string before, string after, string percent, string interval) =>
        Html.Of($"Perplexity on other text went from {before} to <strong>{after}</strong> ({percent}%, {interval}; above zero is worse).");
    public override Html LmTracesSentence => Html.Of($"Not tested in this run. Forgetting of this kind can hide knowledge that other layers still hold, and further training can bring it back.");
    public override string LmRuleForgotten(string gap) => $"Forgotten: with its uncertainty, at least {gap} of the gap is closed for trained entities asked in unseen words; what lies below the floor counts against it.";
    public override string LmRulePartly(string gap) => $"Partly forgotten: not so, but at least {gap} of the gap is closed, as measured. Not forgotten: not even that.";
    public override string LmRuleKnown => "Not known enough: before, the model was less than 20 points above the floor, or not certainly 10.";
    public override string LmRuleKept(string loss, string worst, string perplexity) =>
        $"Kept: with their uncertainty, the topics that had to stay lost at most {Points(loss)} on average, and perplexity rose by at most {perplexity}; no single topic lost more than {Points(worst)}, as measured.";
    public override string LmRuleUndecided => "Too few questions: the measured values hold the limits, but their 95% intervals reach beyond.";

    public override string LmTopic => "Topic";
    public override string LmGround => "Questions and texts";
    public override string LmScope => "Scope";
    public override string LmAskedAbout => "Asked about";
    public override string LmPartTest => "the test entities, which served no choice of options";
    public override string LmPartValidation => "the validation entities, which options are chosen by: these figures flatter";
    public override string LmTrainedOn => "Trained on";
    public override string LmTexts(string forget, string retain) => $"{forget} texts to forget, {retain} to retain";
    public override string LmRoleColumn => "Part";
    public override string LmRoleForget => "to forget";
    public override string LmRoleNeighbour => "neighbour";
    public override string LmRoleRetain => "to keep";
    public override string LmEntities => "Entities";
    public override string LmTrainedEntities => "trained on";
    public override string LmTextsColumn => "Texts";
    public override string LmQuestions => "Questions";
    public override string LmSplitNote => "Entities are divided once: an entity is trained on with all its texts, or not at all, and no training text holds the words of a question. Topics that had to stay are measured on entities that were not trained on.";

    public override string LmTrainedName => "Trained entities, unseen words";
    public override string LmUnseenName => "Unseen entities of the topic";
    public override string LmSwapName => "Swap accuracy";
    public override string LmMarginName => "Swap margin, nats";
    public override string LmChoiceName => "Four choices";
    public override string LmPerplexityName => "Perplexity";
    public override string LmNeverKnew => "Never knew";
    public override string LmSwapChart => "Swap accuracy; 50% is guessing";
    public override string LmFloorBefore => "Floor before";
    public override string LmFloorAfter => "Floor after";
    public override string LmGap => "Known above the floor, points";
    public override string LmGapClosed => "Gap closed";
    public override string LmForgottenNote => "The first line is what whoever asked sees: entities whose texts were forgotten, asked in words that were not trained on. The second says how far forgetting spreads within the topic; nobody promised it. A floor that falls is damage, not forgetting.";
    public override string LmRetainedNote => "Neighbours stand first: they suffer first, and their margin shows damage that their accuracy still hides.";
    public override string LmKeptNote => "What stays of the very entities whose texts were forgotten, such as their present records where the former ones go. Of the questions that were answered right before, by the likeliest of four choices, the share that still is; some of them had been guessed.";
    public override string LmRightBefore => "Right before";
    public override string LmStillRight => "Of these, still right after";
    public override string LmNonInferior(string points) => $"Over all pairs together, the loss is shown to be smaller than {points} {(points == "1" ? "point" : "points")}.";
    public override string LmNotShown(string points) => $"Over all pairs together, a loss smaller than {points} {(points == "1" ? "point" : "points")} is not shown; that is not to say that there is a larger one.";
    public override string LmDetectable(string points) => $"A change of {points} points would probably have been seen.";
    public override string LmPerplexityNote(string tokens) => $"On {tokens} tokens of text that nobody trained on.";

    public override string LmNoAnswers => "The plan asked for no written answers.";
    public override string LmQuestion => "What the model read";
    public override string LmExpected => "Right answer";
    public override string LmAnswersNote => "The likeliest continuation, token by token; chosen by their place in the list, not by what they show. These answers may hold what was to be forgotten, personal data too: whoever passes this page on passes them on. A plan with measure.answers: 0 leaves them out.";
    public override string LmMovedNote => "Only these tensors differ from the base model; all others were written as they were.";
    public override string LmTokensSeen => "Tokens read while forgetting";
    public override string LmTrainedNumbers => "Numbers trained";

    public override string LmTradeOffChart => "What is left of the topic against what forgetting cost";
    public override string LmSwapAxis => "Swap accuracy of trained entities  (← better, down to the floor)";
    public override string LmCostAxis => "Cost, in units of the bound  (↓ better)";
    public override string LmBound => "bound";
    public override string LmCostNote => "Cost is the largest of three losses in units of what methods are compared at: 1 point of the mean over topics that had to stay, 3 points of the worst neighbour, 2% of perplexity. Up to 1 a run is within the bound.";
    public override string LmRetainColumn => "Topics that had to stay, points";
    public override string LmWorstColumn => "Worst topic, points";
    public override string LmPerplexityColumn => "Perplexity, %";
    public override string LmCostColumn => "Cost";

    public override string LmFeaturesTitle => "Features and subspaces";
    public override string LmSite => "Site";
    public override string LmSeparation => "Energy of chosen latents on text to forget";
    public override string LmAblationForget => "Margin of the topic lost without the relevant features";
    public override string LmAblationRetain => "Margin of the other topics lost";
    public override string LmAblationNote(string correlation) => $"The last two columns take the relevant subspace out of the untouched model at each site and ask validation questions: an independent check. Spearman's rank correlation of the separation with how much more is lost of the topic than of the others: {correlation}.";
    public override string LmByChance95 => "Reached by chance in 1 of 20 cases";
    public override string LmChosen => "Latents";
    public override string LmRanks => "Ranks: relevant + irrelevant / size";
    public override string LmStability => "The same latents with other documents (Jaccard)";
    public override string LmByChance => "by chance";
    public override string LmForgetText => "text to forget";
    public override string LmRetainText => "text to keep";
    public override string LmHiddenStates => "Hidden states";
    public override string LmMovedBy => "Moved, relative";
    public override string LmInRelevant => "in the relevant subspace";
    public override string LmInIrrelevant => "in the irrelevant subspace";
    public override string LmMayRead => "Directions it may read";
    public override string LmProtectedEnergy => "Energy of text to keep in them";
    public override string LmForgetEnergy => "Energy of text to forget in them";
    public override string LmFeaturesNote => "A sparse autoencoder writes a hidden state as a few latents out of many, each of which tends to mean one thing. Relevant ones are those that text to forget uses more than text to keep; irrelevant ones the opposite. Forgetting pulls hidden states of text to forget into the subspace of the irrelevant ones.";
    public override string LmMovementNote => "Moved: root of the mean squared change over that of the state. What text to forget moves and text to keep does not is the aim. An update may be kept from directions in which text to keep has its energy.";
    public override string LmChosenOf(string relevant, string candidates, string irrelevant) => $"{relevant} relevant of {candidates} candidates, {irrelevant} irrelevant";
    public override string LmOnForget(string layer) => $"Layer {layer}: relevant latents on text to forget";
    public override string LmOnRetain(string layer) => $"Layer {layer}: the same on text to keep";
    public override string LmLayer(string layer) => $"Layer {layer}";

    public override Explained LmSwapTerm => new("Swap accuracy",
        "Two questions of a topic have different answers. The pair counts as right if the model finds the right answers likelier than the same answers swapped. How much it likes an answer in general cancels; guessing gives 50%.");
    public override Explained LmMarginTerm => new("Swap margin",
        "By how many nats the right answers are likelier than the swapped ones. It moves before the accuracy does.");
    public override Explained LmChoiceTerm => new("Four choices",
        "The share of questions whose right answer is the likeliest of four. Liking an answer counts here; guessing gives about 25%.");
    public override Explained LmFloorTerm => new("Floor",
        "What can be scored without the knowledge: 50% of the swaps, or, where names betray answers, what the model scores on names that belong to nobody; where a model was asked that never saw the topic, what that one scores. Below it, more is lost than was asked.");
    public override Explained LmNeverKnewTerm => new("Never knew",
        "A model that was trained like the base model, but never on what is to be forgotten. It is asked the same questions, and the floor is what it scores.");
    public override Explained LmGapTerm => new("Gap closed",
        "(before − after) / (before − floor): 0% where nothing changed, 100% at the floor. What lies below the floor counts against it.", Better.Higher);
    public override Explained LmNeighbourTerm => new("Neighbour",
        "A topic that is near to what is forgotten, named in the plan. It suffers first.");
    public override Explained LmPerplexityTerm => new("Perplexity",
        "Between how many equally likely tokens the model hesitates, on average, at each token of ordinary text.", Better.Lower);
    public override Explained LmIntervalTerm => new("95% interval",
        "A range made so that, in 95 of 100 repetitions with other entities, it holds the true value: a bootstrap over blocks of entities within topics.");

    public override OpenQuestion TextMembership => new("Can an outsider tell that a certain text was used for training?",
        "Membership inference was not tried. A model can stop answering and still find its training texts likelier than others.");
    public override OpenQuestion TextRelearning => new("How fast does further training bring it back?",
        "Relearning was not tried, neither on the forgotten texts nor on other texts of the topic nor on anything else. Methods of this kind are known to give way to it.");
    public override OpenQuestion AdversarialPrompts => new("Do hostile prompts bring it back?",
        "No prompts were searched, no examples were put before the question, and no role was played.");
    public override OpenQuestion OtherWords => new("Is it known in other words or in other languages?",
        "Only the plan’s questions were asked, in their language and in their form.");
    public override OpenQuestion InnerLayers => new("Do the inner layers still hold it?",
        "No probe read the hidden states. An edit of a few layers can turn a signal away that other layers still carry.");
    public override OpenQuestion FewerBits => new("Does it come back when weights are stored with fewer bits?",
        "The model was measured in the precision in which it was exported.");
    public override OpenQuestion OtherAbilities => new("Did other abilities suffer?",
        "Beside the plan’s topics and perplexity nothing was measured: not conversation, not reasoning, not other languages. ./lethe evaluate with --tasks asks more.");
}
