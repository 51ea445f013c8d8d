using System.ComponentModel;
using System.Reflection;
using System.Text.Json.Serialization;

namespace Lethe.Runs.Plans;

/// <summary>
/// What a key of a plan means. Every property of a plan record carries it (or the base class library's <c>[Description]</c>), so that
/// <c>--help</c>, the resolved plan.yaml and docs say the same. Bounds are the base class library's <c>[Range]</c> and <c>[Length]</c>.
/// </summary>
/// <param name="description">One sentence with the unit, without a full stop at the end.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PlanKeyAttribute(string description) : Attribute
{
    /// <summary>What the key means.</summary>
    public string Description { get; } = description;

    /// <summary>Why the default is what it is: a source, a measurement; null where it needs no reason.</summary>
    public string? Why { get; init; }
}

/// <summary>
/// One of the forms that a section can take, on the abstract record that stands for all of them. The plan names it by <c>kind:</c>.
/// </summary>
/// <param name="name">The word that the plan writes.</param>
/// <param name="type">The record of this form; derives from the record that carries this attribute.</param>
/// <param name="description">What this form is, in one sentence without a full stop.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
public sealed class PlanKindAttribute(string name, Type type, string description) : Attribute
{
    /// <summary>The word that the plan writes.</summary>
    public string Name { get; } = name;

    /// <summary>The record of this form.</summary>
    public Type Type { get; } = type;

    /// <summary>What this form is.</summary>
    public string Description { get; } = description;

    /// <summary>Whether a plan that names no kind means this form; at most one of a record's forms.</summary>
    public bool Default { get; init; }

    /// <summary>The forms of a record: its [PlanKind]s, and the base class library's [JsonDerivedType]s of records that know nothing of plans.</summary>
    public static IReadOnlyList<PlanKindAttribute> Of(Type type) => [
        .. type.GetCustomAttributes<PlanKindAttribute>(inherit: false),
        .. type.GetCustomAttributes<JsonDerivedTypeAttribute>(inherit: false).Select(derived => new PlanKindAttribute(
            (string)derived.TypeDiscriminator!, derived.DerivedType, derived.DerivedType.GetCustomAttribute<DescriptionAttribute>()?.Description ?? derived.DerivedType.Name))];
}

/// <summary>Rules of a plan record that join several keys; checked after each key on its own is known to be good.</summary>
public interface IPlanRules
{
    /// <summary>What is wrong, the most important first; empty if nothing is.</summary>
    IEnumerable<PlanProblem> Problems();
}

/// <summary>A broken rule.</summary>
/// <param name="Key">The key that the error points at, relative to the record, such as "surrogate.target" or "concepts.1.label"; empty for the record as a whole.</param>
/// <param name="Sentence">What is wrong, what is allowed and what to do; with a full stop.</param>
public sealed record PlanProblem(string Key, string Sentence);
