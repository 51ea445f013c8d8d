using Lethe.Evaluation.Language;
using Lethe.Torch;

namespace Lethe.Runs.Language.Topics;

/// <summary>What a training text is.</summary>
public enum GroundTextKind
{
    /// <summary>A fact in the words of a statement.</summary>
    Statement,
    /// <summary>A fact in other words.</summary>
    Paraphrase,
    /// <summary>Facts of several entities, one a line.</summary>
    FewShot,
    /// <summary>A sentence to forget with another name in the entity's place, to retain.</summary>
    Counterfactual,
}

/// <summary>A text to train on.</summary>
/// <param name="Topic">Its topic; of a counterfactual the topic to forget.</param>
/// <param name="Entity">Whom or what it is about, in normal form; of a counterfactual whom the sentence was about.</param>
/// <param name="Text">The text.</param>
/// <param name="Kind">What it is.</param>
public sealed record GroundText(string Topic, string Entity, string Text, GroundTextKind Kind);

/// <summary>Entities and questions of a topic.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Role">forget, neighbour or retain.</param>
/// <param name="Entities">Entities.</param>
/// <param name="Trained">Entities whose statements are trained on.</param>
/// <param name="Texts">Training texts, counterfactuals apart.</param>
/// <param name="Questions">Questions.</param>
/// <param name="ValidationTrained">Questions of trained entities, for validation.</param>
/// <param name="ValidationUnseen">Questions of entities not trained, for validation.</param>
/// <param name="TestTrained">Questions of trained entities, for the test.</param>
/// <param name="TestUnseen">Questions of entities not trained, for the test.</param>
public sealed record GroundTopic(string Topic, string Role, int Entities, int Trained, int Texts, int Questions, int ValidationTrained, int ValidationUnseen, int TestTrained, int TestUnseen)
{
    /// <summary>Share of the swaps of all its questions that comparing letters gets right; null where no two can be swapped.</summary>
    public double? GuessedByLetters { get; init; }
}

/// <summary>What became of the files' rows.</summary>
public sealed record GroundCounts
{
    /// <summary>Questions of other families that were passed over.</summary>
    public required int OtherQuestions { get; init; }

    /// <summary>Questions that stood there before, words and right answer the same.</summary>
    public required int Duplicates { get; init; }

    /// <summary>Questions of the same words in a topic with different right answers: none of them is asked.</summary>
    public required int Ambiguous { get; init; }

    /// <summary>Entities of the topic to forget that stand in retain topics too, and are left out there.</summary>
    public required int Shared { get; init; }

    /// <summary>Questions whose fact is among the statements of their topic and family, word for word.</summary>
    public required int Joined { get; init; }

    /// <summary>Questions of a family with a statement file whose fact is not in it.</summary>
    public required int Unjoined { get; init; }

    /// <summary>Texts to forget.</summary>
    public required int ForgetTexts { get; init; }

    /// <summary>Texts to retain, counterfactuals included.</summary>
    public required int RetainTexts { get; init; }

    /// <summary>Counterfactuals among them.</summary>
    public required int Counterfactuals { get; init; }

    /// <summary>The topics: the one to forget, neighbours, the others.</summary>
    public required IReadOnlyList<GroundTopic> Topics { get; init; }
}

/// <summary>
/// A ground that unlearning stands on: texts to forget and to retain, and questions for validation and test, divided by entity. The same plan, files and split seed give the
/// same ground.
/// </summary>
public sealed class Ground
{
    private readonly ILookup<(GroundPart, GroundSide, bool Forget), KnowledgeQuestion> questions;
    private readonly ILookup<(GroundPart, GroundSide), KnowledgeQuestion> floor;

    internal Ground(ILookup<(GroundPart, GroundSide, bool Forget), KnowledgeQuestion> questions, ILookup<(GroundPart, GroundSide), KnowledgeQuestion> floor) => (this.questions, this.floor) = (questions, floor);

    /// <summary>Reads the files of a ground and divides what is in them.</summary>
    /// <param name="plan">The ground.</param>
    /// <param name="planFile">The plan's file, which paths are relative to.</param>
    /// <exception cref="UsageException">A topic is not known, or a template or pattern is not right.</exception>
    /// <exception cref="BadInputException">A file or row is not right; a topic has no documents; forget and retain text are the same; a training text holds a question's words.</exception>
    public static Ground Read(GroundPlan plan, string planFile) => new GroundReader(plan, planFile).Read();

    /// <summary>The plan.</summary>
    public required GroundPlan Plan { get; init; }

    /// <summary>The files that were read.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>SHA-256 over the files' content and the plan, for stages: wherever the files lie, the same ground has the same digest.</summary>
    public required string Digest { get; init; }

    /// <summary>The topic to forget.</summary>
    public string ForgetTopic => Plan.Forget;

    /// <summary>The topics that stay, neighbours among them.</summary>
    public required IReadOnlyList<string> RetainTopics { get; init; }

    /// <summary>The nearest of them.</summary>
    public IReadOnlyList<string> Neighbours => Plan.Neighbours;

    /// <summary>Texts to forget: those of the topic's trained entities.</summary>
    public required IReadOnlyList<GroundText> ForgetTexts { get; init; }

    /// <summary>Texts to retain: those of the retain topics' trained entities, and counterfactuals.</summary>
    public required IReadOnlyList<GroundText> RetainTexts { get; init; }

    /// <summary>What became of the rows.</summary>
    public required GroundCounts Counts { get; init; }

    /// <summary>How the questions are asked: blocks and their seed are the split's, so that runs of several seeds ask the same pairs.</summary>
    public KnowledgeTestOptions TestOptions => new() { Delimiter = Plan.Delimiter, BlockSize = Plan.SwapBlock, Seed = (ulong)Plan.Split.Seed };

    /// <summary>Questions about the topic to forget. Of the trained side: trained entities in unseen words; of the other: unseen entities of the topic.</summary>
    public IReadOnlyList<KnowledgeQuestion> Forget(GroundPart part, GroundSide side) => [.. questions[(part, side, true)]];

    /// <summary>Questions about the retain topics, neighbours among them.</summary>
    public IReadOnlyList<KnowledgeQuestion> Retain(GroundPart part, GroundSide side) => [.. questions[(part, side, false)]];

    /// <summary>Questions about trained entities in topics that stay though they are about the entities to forget (<see cref="GroundPlan.SameEntities"/>).</summary>
    public IReadOnlyList<KnowledgeQuestion> Kept(GroundPart part) => [.. questions[(part, GroundSide.Trained, false)].Where(question => Plan.SameEntities.Contains(question.Topic))];

    /// <summary>The questions of <see cref="Forget"/> with names that belong to nobody, of the families whose floor is measured so; none where no family's is.</summary>
    public IReadOnlyList<KnowledgeQuestion> FloorQuestions(GroundPart part, GroundSide side) => [.. floor[(part, side)]];
}
