using System.Text.Json;
using System.Text.Json.Nodes;
using Lethe.Evaluation.Language;
using Lethe.Runs.Language.Tasks;
using Lethe.Runs.Plans;
using Lethe.Torch;

namespace Lethe.Runs.Language.Topics;

/// <summary>Makes training texts of facts.</summary>
internal sealed class GroundTexts
{
    private readonly GroundPlan plan;
    private readonly string planFile;
    private readonly ulong seed;
    private readonly Dictionary<string, (Template[] Statements, Template[] Paraphrases)> templates;

    /// <summary>Reads the templates.</summary>
    /// <exception cref="UsageException">A template is not right.</exception>
    public GroundTexts(GroundPlan plan, string planFile)
    {
        (this.plan, this.planFile, seed) = (plan, planFile, (ulong)plan.Split.Seed);
        templates = plan.Families.Index().ToDictionary(family => family.Item.Name, family => (
            family.Item.Statements.Index().Select(item => Parsed(item.Item, $"families.{family.Index}.statements.{item.Index}")).ToArray(),
            family.Item.Paraphrases.Index().Select(item => Parsed(item.Item, $"families.{family.Index}.paraphrases.{item.Index}")).ToArray()));
    }

    /// <summary>Whether there are words for facts of a family.</summary>
    public bool Has(QuestionFamilyPlan family) => templates[family.Name].Statements.Length > 0;

    /// <summary>Statements, paraphrases and few-shot texts of facts.</summary>
    public List<GroundText> Of(IReadOnlyList<GroundFact> facts)
    {
        var texts = new List<GroundText>();
        foreach (var fact in facts)
        {
            var (statements, paraphrases) = templates[fact.Family.Name];
            texts.AddRange(statements.Select(template => new GroundText(fact.Topic, fact.Entity, Render(template, fact, fact.Name), GroundTextKind.Statement)));
            // Each fact takes its own ones, so that all are used where few are wanted of each.
            texts.AddRange(Drawn(paraphrases, plan.Texts.Paraphrases, $"{fact.Family.Name}\n{fact.Entity}").Select(template => new GroundText(fact.Topic, fact.Entity, Render(template, fact, fact.Name), GroundTextKind.Paraphrase)));
        }
        if (plan.Texts.FewShot > 0)
            texts.AddRange(facts.GroupBy(fact => (fact.Topic, fact.Family.Name)).SelectMany(FewShot));
        return [.. texts.DistinctBy(text => EntityName.Normal(text.Text))];
    }

    /// <summary>The sentences to forget with other names in the entity's place.</summary>
    /// <param name="facts">The facts to forget.</param>
    /// <param name="neighbours">Names of trained entities of neighbour topics.</param>
    /// <param name="known">Every name that exists.</param>
    public List<GroundText> Counterfactual(IReadOnlyList<GroundFact> facts, IReadOnlyList<string> neighbours, IReadOnlyList<string> known)
    {
        var texts = new List<GroundText>();
        var invented = new InventedNames(known, seed);
        string[] words = [.. known.Distinct()];
        string[] people = [.. words.Where(IsPerson)];
        string[] others = [.. neighbours.Distinct().OrderBy(name => EntityName.Draw(seed, "counterfactual", name))];
        foreach (var (index, fact) in facts.Index())
        {
            var replacements = new List<string?>();
            if (plan.Texts.Counterfactuals is Counterfactuals.Invented or Counterfactuals.Both)
                replacements.Add((IsPerson(fact.Name) ? invented.Person(people) : null) ?? invented.Word(words));
            if (plan.Texts.Counterfactuals is Counterfactuals.Neighbour or Counterfactuals.Both && others.Length > 0)
                replacements.Add(others[index % others.Length]);
            texts.AddRange(replacements.OfType<string>().SelectMany(name => templates[fact.Family.Name].Statements.Select(template => new GroundText(fact.Topic, fact.Entity, Render(template, fact, name), GroundTextKind.Counterfactual))));
        }
        return [.. texts.DistinctBy(text => EntityName.Normal(text.Text))];
    }

    // A name of several parts that begin with capitals, particles aside.
    private static bool IsPerson(string name) => InventedNames.Split(name) is { } parts && char.IsUpper(parts.Given[0]) && parts.Family.Split(' ').Any(word => char.IsUpper(word[0]));

    private IEnumerable<GroundText> FewShot(IEnumerable<GroundFact> group)
    {
        GroundFact[] facts = [.. group.DistinctBy(fact => fact.Entity).OrderBy(fact => EntityName.Draw(seed, "few-shot", fact.Entity))];
        var examples = Math.Min(plan.Texts.FewShot, facts.Length - 1);
        if (examples == 0)
            yield break;
        for (var i = 0; i < facts.Length; i++)
        {
            var template = templates[facts[i].Family.Name].Statements[i % templates[facts[i].Family.Name].Statements.Length];
            var lines = Enumerable.Range(1, examples).Select(back => facts[(i + facts.Length - back) % facts.Length]).Append(facts[i]);
            yield return new GroundText(facts[i].Topic, facts[i].Entity, string.Join('\n', lines.Select(fact => Render(template, fact, fact.Name))), GroundTextKind.FewShot);
        }
    }

    private IEnumerable<Template> Drawn(Template[] of, int count, string name) =>
        of.Index().OrderBy(item => EntityName.Draw(seed, $"paraphrase {item.Index}", name)).Take(count).OrderBy(item => item.Index).Select(item => item.Item);

    private string Render(Template template, GroundFact fact, string name)
    {
        try
        {
            return template.Render(JsonSerializer.SerializeToElement(new JsonObject { ["entity"] = name, ["value"] = fact.Value, ["topic"] = fact.Topic }));
        }
        catch (RowProblemException e)
        {
            throw new UsageException($"{planFile}: a template of family '{fact.Family.Name}': {e.Message}", e);
        }
    }

    private Template Parsed(string text, string key)
    {
        var place = new PlanPlace($"{planFile}, {key}", 0, 0);
        var template = Template.Parse(text, place);
        return template.IsText ? throw place.Refuse("the template names neither {{entity}} nor {{value}}, so that it says the same of everything.") : template;
    }
}
