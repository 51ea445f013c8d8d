using System.Collections.Concurrent;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Lethe.Runs.Plans;

/// <summary>What a value of a plan can be.</summary>
public abstract record PlanType
{
    /// <summary>What is allowed, in words that finish the sentence "this must be …".</summary>
    public abstract string Words { get; }

    /// <summary>The type that a property of this C# type has in a plan.</summary>
    /// <exception cref="NotSupportedException">Plans have no such type: a mistake in the plan record.</exception>
    internal static PlanType Of(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } inner)
            return Of(inner);
        if (type.IsEnum || type == typeof(bool) || type == typeof(int) || type == typeof(long) || type == typeof(double) || type == typeof(string))
            return new PlanScalarType(type);
        if (type == typeof(PlanNode))
            return new PlanRawType();
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>))
            return new PlanListType(type.GetGenericArguments()[0]);
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>) && type.GetGenericArguments()[0] == typeof(string))
            return new PlanTableType(type.GetGenericArguments()[1]);
        if (type.IsClass && PlanKindAttribute.Of(type).Count > 0)
            return new PlanChoiceType(type);
        if (type.IsClass && !type.IsAbstract && type.GetConstructor(Type.EmptyTypes) is not null)
            return new PlanSectionType(type);
        throw new NotSupportedException($"{type} cannot be a key of a plan: use bool, int, long, double, string, an enum, IReadOnlyList<T>, IReadOnlyDictionary<string, T>, a record without constructor parameters, or an abstract record with [PlanKind]s.");
    }
}

/// <summary>A single value.</summary>
/// <param name="Type">bool, int, long, double, string or an enum.</param>
public sealed record PlanScalarType(Type Type) : PlanType
{
    /// <inheritdoc/>
    public override string Words => Type.IsEnum ? "one of: " + string.Join(", ", EnumWords)
        : Type == typeof(bool) ? "true or false"
        : Type == typeof(string) ? "text"
        : Type == typeof(double) ? "a number" : "a whole number";

    /// <summary>The words of an enum in their order.</summary>
    public IReadOnlyList<string> EnumWords => [.. Enum.GetNames(Type).Select(JsonNamingPolicy.SnakeCaseLower.ConvertName)];
}

/// <summary>Anything: the plan record wants the nodes as they were written (the values of a sweep's grid, which are typed by the plan that they go into).</summary>
public sealed record PlanRawType : PlanType
{
    /// <inheritdoc/>
    public override string Words => "any value";
}

/// <summary>A list.</summary>
/// <param name="Item">C# type of the items.</param>
public sealed record PlanListType(Type Item) : PlanType
{
    /// <summary>Type of the items.</summary>
    public PlanType ItemType => Of(Item);

    /// <inheritdoc/>
    public override string Words => $"a list whose items are {ItemType.Words}";
}

/// <summary>Names of the user's choice, each with a value.</summary>
/// <param name="Item">C# type of the values.</param>
public sealed record PlanTableType(Type Item) : PlanType
{
    /// <summary>Type of the values.</summary>
    public PlanType ItemType => Of(Item);

    /// <inheritdoc/>
    public override string Words => $"a section of names whose values are {ItemType.Words}";
}

/// <summary>A section with fixed keys.</summary>
/// <param name="Type">The record behind it.</param>
public sealed record PlanSectionType(Type Type) : PlanType
{
    /// <summary>The section.</summary>
    public PlanSection Section => PlanSection.Of(Type);

    /// <inheritdoc/>
    public override string Words => "a section with the keys " + string.Join(", ", Section.Names);
}

/// <summary>A section that takes one of several forms, named by <c>kind:</c>.</summary>
/// <param name="Type">The abstract record behind it.</param>
public sealed record PlanChoiceType(Type Type) : PlanType
{
    /// <summary>The forms in the order in which they were declared.</summary>
    public IReadOnlyList<PlanKindAttribute> Kinds => PlanKindAttribute.Of(Type);

    /// <summary>The form of a record; null if it is none of them.</summary>
    public PlanKindAttribute? KindOf(object value) => Kinds.FirstOrDefault(kind => kind.Type == value.GetType());

    /// <inheritdoc/>
    public override string Words => "a section whose kind is one of: " + string.Join(", ", Kinds.Select(kind => kind.Name));
}

/// <summary>One key of a section.</summary>
/// <param name="Name">The key as plans write it: snake_case.</param>
/// <param name="Property">The property behind it.</param>
/// <param name="Type">What it can be.</param>
/// <param name="Required">Whether a plan must give it.</param>
/// <param name="Nullable">Whether it may be null.</param>
/// <param name="Limits">Its bounds; for a list, those of each item.</param>
/// <param name="Description">What it means.</param>
/// <param name="Why">Why its default is what it is; null if no reason is given.</param>
public sealed record PlanKey(string Name, PropertyInfo Property, PlanType Type, bool Required, bool Nullable, PlanLimits Limits, string Description, string? Why);

/// <summary>The keys of a plan record, read from its properties once.</summary>
/// <param name="Type">The record.</param>
/// <param name="Keys">Its keys in the order of declaration, a base record's first.</param>
public sealed record PlanSection(Type Type, IReadOnlyList<PlanKey> Keys)
{
    private static readonly ConcurrentDictionary<Type, PlanSection> Known = new();

    /// <summary>The names of the keys in order.</summary>
    public IEnumerable<string> Names => Keys.Select(key => key.Name);

    /// <summary>The section behind a plan record.</summary>
    /// <exception cref="NotSupportedException">A property has a type that plans do not have, or no description: a mistake in the plan record.</exception>
    public static PlanSection Of(Type type) => Known.GetOrAdd(type, static type => new PlanSection(type, [.. Properties(type).Select(Key)]));

    private static IEnumerable<PropertyInfo> Properties(Type type)
    {
        var lineage = new Stack<Type>();
        for (var level = type; level is not null && level != typeof(object); level = level.BaseType)
            lineage.Push(level);
        return lineage.SelectMany(level => level.GetProperties(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly))
            .Where(property => property.SetMethod is { IsPublic: true } && property.GetIndexParameters().Length == 0)
            .OrderBy(property => lineage.Count(level => !property.DeclaringType!.IsAssignableTo(level)));
    }

    private static PlanKey Key(PropertyInfo property)
    {
        var own = property.GetCustomAttribute<PlanKeyAttribute>();
        var description = own?.Description ?? property.GetCustomAttribute<DescriptionAttribute>()?.Description
            ?? throw new NotSupportedException($"{property.DeclaringType}.{property.Name} says nowhere what it means: give it [PlanKey(\"…\")].");
        var nullable = System.Nullable.GetUnderlyingType(property.PropertyType) is not null
            || !property.PropertyType.IsValueType && new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable;
        return new PlanKey(JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name), property, PlanType.Of(property.PropertyType),
            property.GetCustomAttribute<RequiredMemberAttribute>() is not null, nullable, PlanLimits.Of(property), description, own?.Why);
    }
}

/// <summary>The bounds of a value, from <c>[Range]</c> and <c>[AllowedValues]</c>, and of a list's length, from <c>[Length]</c> and <c>[MinLength]</c>.</summary>
/// <param name="Range">Bounds of a number; null if every number of its type is allowed.</param>
/// <param name="Allowed">The only values allowed; null if there is no such list.</param>
/// <param name="Least">Least number of items, or of characters of a text.</param>
/// <param name="Most">Most items or characters.</param>
public sealed record PlanLimits(RangeAttribute? Range, IReadOnlyList<object?>? Allowed, int Least, int Most)
{
    /// <summary>The bounds declared on a property.</summary>
    public static PlanLimits Of(PropertyInfo property)
    {
        var length = property.GetCustomAttribute<LengthAttribute>();
        return new PlanLimits(property.GetCustomAttribute<RangeAttribute>(), property.GetCustomAttribute<AllowedValuesAttribute>()?.Values,
            length?.MinimumLength ?? property.GetCustomAttribute<MinLengthAttribute>()?.Length ?? 0,
            length?.MaximumLength ?? property.GetCustomAttribute<MaxLengthAttribute>()?.Length ?? int.MaxValue);
    }

    /// <summary>Whether a single value lies within the bounds.</summary>
    public bool Contains(object value)
    {
        if (Allowed is not null && !Allowed.Contains(value))
            return false;
        if (Range is null || value is not (int or long or double))
            return true;
        var number = Convert.ToDouble(value, CultureInfo.InvariantCulture);
        var low = Convert.ToDouble(Range.Minimum, CultureInfo.InvariantCulture);
        var high = Convert.ToDouble(Range.Maximum, CultureInfo.InvariantCulture);
        return (Range.MinimumIsExclusive ? number > low : number >= low) && (Range.MaximumIsExclusive ? number < high : number <= high);
    }

    /// <summary>The bounds of a single value in words, such as "from 0 to 1", "above 0" or "one of: mnist, fashion"; null if there are none.</summary>
    public string? Words
    {
        get
        {
            if (Allowed is not null)
                return "one of: " + string.Join(", ", Allowed.Select(value => Convert.ToString(value, CultureInfo.InvariantCulture)));
            if (Range is null)
                return null;
            var low = Bound(Range.Minimum);
            var high = Bound(Range.Maximum);
            return (low, high) switch
            {
                (null, null) => null,
                (_, null) => (Range.MinimumIsExclusive ? "above " : "at least ") + low,
                (null, _) => (Range.MaximumIsExclusive ? "below " : "at most ") + high,
                _ when Range.MinimumIsExclusive => $"above {low} and {(Range.MaximumIsExclusive ? "below" : "at most")} {high}",
                _ => Range.MaximumIsExclusive ? $"at least {low} and below {high}" : $"from {low} to {high}",
            };
        }
    }

    /// <summary>The bounds of a length in words, such as "at least 1"; null if there are none.</summary>
    public string? LengthWords => (Least, Most) switch
    {
        (0, int.MaxValue) => null,
        (_, int.MaxValue) => $"at least {Least}",
        (0, _) => $"at most {Most}",
        _ => Least == Most ? $"exactly {Least}" : $"{Least} to {Most}",
    };

    /// <summary>A bound as a plan would write it; null where the end is open.</summary>
    private static string? Bound(object bound) => bound switch
    {
        int.MaxValue or int.MinValue => null,
        // [Range] has no long: long.MaxValue arrives as the double next to it.
        double number when double.IsInfinity(number) || Math.Abs(number) >= long.MaxValue || Math.Abs(number) == double.MaxValue => null,
        _ => PlanText.Of(bound),
    };
}
