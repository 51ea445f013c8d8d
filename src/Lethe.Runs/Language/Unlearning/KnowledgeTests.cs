using Lethe.Evaluation.Language;
using Lethe.Runs.Language.Topics;
using Lethe.Torch;

namespace Lethe.Runs.Language.Unlearning;

/// <summary>
/// The questions that a run asks, before and after alike: of trained entities of the topic to forget, of its unseen ones, of entities of the retain topics that were not trained
/// on, of trained entities in topics that stay though they are about the same entities, and of names that belong to nobody where a floor is measured with them.
/// </summary>
internal sealed class KnowledgeTests
{
    /// <summary>Chooses questions and forms pairs.</summary>
    /// <exception cref="BadInputException">A side has too few questions for a pair.</exception>
    public KnowledgeTests(Ground ground, LanguageMeasurePlan plan, RequestEncoding encoding)
    {
        var options = ground.TestOptions with { SharedLetters = plan.SharedLetters };
        KnowledgeTest? Test(IReadOnlyList<KnowledgeQuestion> questions) => questions.Count == 0 ? null : new KnowledgeTest(questions, encoding, options);
        IReadOnlyList<KnowledgeQuestion> Some(IReadOnlyList<KnowledgeQuestion> questions) => Chosen(Secret(questions), plan.Questions, (ulong)ground.Plan.Split.Seed);
        // Those that do not give their answer away.
        IReadOnlyList<KnowledgeQuestion> Secret(IReadOnlyList<KnowledgeQuestion> questions)
        {
            KnowledgeQuestion[] kept = [.. questions.Where(question => plan.SharedLetters == 0 || !SharedLetters.Any(question.Given, question.Answer, plan.SharedLetters))];
            GivenAway += questions.Count - kept.Length;
            return kept;
        }
        var part = plan.Part;
        KnowledgeTest Required(KnowledgeTest? test, string what) => test is { Pairs.Count: > 0 }
            ? test
            : throw new BadInputException($"The questions about {what} hold no two of one family with different answers for {(part == GroundPart.Test ? "the test" : "validation")}; add questions, or change ground.split{(plan.SharedLetters > 0 ? " or measure.shared_letters" : "")}.");
        Trained = Required(Test(Some(ground.Forget(part, GroundSide.Trained))), $"trained entities of '{ground.ForgetTopic}'");
        Unseen = Test(Some(ground.Forget(part, GroundSide.Unseen))) is { Pairs.Count: > 0 } unseen ? unseen : null;
        Retain = Required(Test(Chosen(Secret(ground.Retain(part, GroundSide.Unseen)), plan.RetainQuestions ?? plan.Questions, (ulong)ground.Plan.Split.Seed)), "retain topics, of entities that are not trained on");
        if (ground.Plan.SameEntities.Count > 0)
            Kept = Required(Test(Some(ground.Kept(part))), $"trained entities in {string.Join(", ", ground.Plan.SameEntities)} (same_entities)");
        TrainedNames = Test(Some(ground.FloorQuestions(part, GroundSide.Trained)));
        UnseenNames = Unseen is null ? null : Test(Some(ground.FloorQuestions(part, GroundSide.Unseen)));
    }

    /// <summary>Questions of these sides that give their answer away and are not asked (<see cref="LanguageMeasurePlan.SharedLetters"/>).</summary>
    public int GivenAway { get; private set; }

    /// <summary>Trained entities of the topic to forget, in words that were not trained.</summary>
    public KnowledgeTest Trained { get; }

    /// <summary>Entities of that topic that were not trained on; null where there are too few.</summary>
    public KnowledgeTest? Unseen { get; }

    /// <summary>The retain topics.</summary>
    public KnowledgeTest Retain { get; }

    /// <summary>Trained entities in the topics that stay though they are about the same entities; null where the ground has none.</summary>
    public KnowledgeTest? Kept { get; }

    /// <summary>The floor's names in place of trained entities; null where no family's floor is names.</summary>
    public KnowledgeTest? TrainedNames { get; }

    /// <summary>The same for unseen ones.</summary>
    public KnowledgeTest? UnseenNames { get; }

    /// <summary>Whole entities, so that all their questions are asked or none; which ones depends on their names and the seed alone.</summary>
    public static IReadOnlyList<KnowledgeQuestion> Chosen(IReadOnlyList<KnowledgeQuestion> questions, int? most, ulong seed)
    {
        if (most is not { } limit)
            return questions;
        var chosen = new List<KnowledgeQuestion>();
        foreach (var topic in questions.GroupBy(question => question.Topic))
        {
            var taken = 0;
            foreach (var entity in topic.GroupBy(question => question.Entity).OrderBy(entity => EntityName.Draw(seed, "asked", entity.Key)).ThenBy(entity => entity.Key, StringComparer.Ordinal))
            {
                if (taken + entity.Count() > limit && taken > 0)
                    break;
                chosen.AddRange(entity);
                taken += entity.Count();
            }
        }
        return chosen;
    }
}
