using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Lethe.Unlearning.Language;

/// <summary>What the values of an edit are to do to the continuation that forget texts carry.</summary>
public enum ValueGoal
{
    /// <summary>Make it unlikely: the texts carry what is to be forgotten. NPO's bounded loss with β = 0.1.</summary>
    Unsay,
    /// <summary>Make it likely: the texts carry what is to be said instead, such as a neutral answer.</summary>
    Say,
}

/// <summary>Options of <see cref="ClosedFormEdit"/>.</summary>
[Description("A closed-form edit of MLPs' last matrices (ROME and MEMIT): prompts are keys, values that change the answer are found by gradient steps")]
public sealed record ClosedFormEditOptions : LanguageMethodOptions
{
    /// <summary>The layers that are edited; their change is spread over them.</summary>
    [Description("The layers that are edited, from 0; the change is spread over them, as in MEMIT; one layer is ROME")]
    [MinLength(1)]
    [Range(0, 1000)]
    public IReadOnlyList<int> EditedLayers { get; init; } = [5, 6, 7];

    /// <summary>What the values do.</summary>
    [Description("Whether values make the texts' continuation unlikely (unsay: they carry what is forgotten) or likely (say: they carry a neutral answer)")]
    public ValueGoal Goal { get; init; } = ValueGoal.Unsay;

    /// <summary>Gradient steps that find the values.</summary>
    [Description("Gradient steps that find the values; 20 in ROME")]
    [Range(1, 10_000)]
    public int ValueSteps { get; init; } = 20;

    /// <summary>How far a step moves a value at most, in units of the hidden state's norm.</summary>
    [Description("How far a gradient step moves a value, about, in units of the hidden state's norm")]
    [Range(1e-6, 10)]
    public double ValueRate { get; init; } = 0.1;

    /// <summary>How far values may move.</summary>
    [Description("How far a value may move from the hidden state, in units of its norm; 0.75 in MEMIT")]
    [Range(1e-3, 100)]
    public double ValueClamp { get; init; } = 0.75;

    /// <summary>Weight of the squared way of a value in its loss.</summary>
    [Description("Weight of a value's squared way (in units of the hidden state's norm) beside its loss in nats; 0.5 in MEMIT")]
    [Range(0.0, 1e6)]
    public double ValueDecay { get; init; } = 0.5;

    /// <summary>λ: weight of the retain text's keys against the edited ones.</summary>
    [Description("Weight of what the matrix reads on retain text against the edited keys, both as means: large holds the rest, small reaches the values")]
    [Range(1e-9, 1e9)]
    public double RetainWeight { get; init; } = 10;

    /// <summary>Texts of each kind that say what the matrices read.</summary>
    [Description("The most texts of each kind (to forget, to retain) that say what the matrices read; four thousand short texts have more tokens than a matrix has inputs by an order of magnitude")]
    [Range(1, 10_000_000)]
    public int InputTexts { get; init; } = 4096;
}
