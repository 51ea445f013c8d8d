using Lethe.Evaluation;

namespace Lethe.Reports.Wording;

/// <summary>A measure explained: its name, what it is in words that need no mathematics first, and which direction is better.</summary>
internal sealed record Explained(string Term, string Meaning, Better Better = Better.Neither);

internal abstract partial class Texts
{
    // Names in tables
    public abstract string JudgedAsAskedName { get; }
    public abstract string JudgedAsName(string name);
    public abstract string ProbabilityName { get; }
    public abstract string ProbabilityOfName(string name);
    public abstract string EntropyName { get; }
    public abstract string ElboName { get; }
    public abstract string ElboChangeName { get; }
    public abstract string FrechetName { get; }
    public abstract string PrecisionName { get; }
    public abstract string RecallName { get; }
    public abstract string AucName { get; }

    // Explanations
    public abstract Explained JudgeTerm { get; }
    public abstract Explained JudgedAsTerm { get; }
    public abstract Explained ProbabilityTerm { get; }
    public abstract Explained EntropyTerm { get; }
    public abstract Explained ElboTerm { get; }
    public abstract Explained IntervalTerm { get; }
    public abstract Explained SurrogateTerm { get; }
    public abstract Explained FrechetTerm { get; }
    public abstract Explained PrecisionRecallTerm { get; }
    public abstract Explained ProbeTerm { get; }
    public abstract Explained RelearningTerm { get; }
    public abstract Explained FisherTerm { get; }
    public abstract Explained FrontTerm { get; }

    /// <summary>The glossary in its order.</summary>
    public IReadOnlyList<Explained> Glossary =>
    [
        JudgeTerm, JudgedAsTerm, ProbabilityTerm, EntropyTerm, ElboTerm, IntervalTerm, SurrogateTerm, FrechetTerm,
        PrecisionRecallTerm, ProbeTerm, RelearningTerm, FisherTerm, FrontTerm,
    ];
}
