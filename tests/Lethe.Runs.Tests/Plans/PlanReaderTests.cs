using Lethe.Runs.Plans;
using Lethe.Torch;

namespace Lethe.Runs.Tests.Plans;

public sealed class PlanReaderTests
{
    private static TestPlan Read(string yaml, params string[] overrides) => PlanReader.Parse<TestPlan>(yaml, "p.yaml", overrides).Value;

    private static string Refused(string yaml, params string[] overrides) => Assert.Throws<UsageException>(() => Read(yaml, overrides)).Message;

    [Fact]
    public void A_plan_that_says_little_has_the_defaults_of_its_records()
    {
        var plan = Read("title: Forget the zero");

        Assert.Equal("Forget the zero", plan.Title);
        Assert.Equal(1, plan.Seed);
        Assert.Equal(0.5, plan.Strength);
        Assert.Equal(Colour.DeepBlue, plan.Colour);
        Assert.Null(plan.Steps);
        Assert.Null(plan.Schedule);
        Assert.Equal(0.25, plan.Optimizer.LearningRate);
        Assert.Equal(new NoiseSurrogate { Spread = 2 }, plan.Surrogate);
    }

    [Fact]
    public void Every_kind_of_key_is_read()
    {
        var plan = Read("""
            title: "Zero: gone"
            seed: -3
            strength: 1e-1
            batch_size: 8
            attack: false
            colour: red
            steps: 7
            comment: |
              two
              lines
            data: fashion-mnist
            retain: [1, 2]
            optimizer:
              beta: 0.5
            schedule: { learning_rate: 3 }
            concepts:
              - label: 0
              - label: 3
                surrogate: { kind: label, target: 8 }
            surrogate:
              kind: blend
              first: { kind: noise }
              second: { kind: label, target: 1 }
            grid:
              strength: [0.1, 0.2]
              data: [mnist, "5"]
            """);

        Assert.Equal("Zero: gone", plan.Title);
        Assert.Equal(-3, plan.Seed);
        Assert.Equal(0.1, plan.Strength);
        Assert.Equal(8, plan.BatchSize);
        Assert.False(plan.Attack);
        Assert.Equal(Colour.Red, plan.Colour);
        Assert.Equal(7, plan.Steps);
        Assert.Equal("two\nlines\n", plan.Comment);
        Assert.Equal([1, 2], plan.Retain);
        Assert.Equal(new TestOptimizer { LearningRate = 3 }, plan.Schedule);
        Assert.Equal([new TestConcept { Label = 0 }, new TestConcept { Label = 3, Surrogate = new LabelSurrogate { Target = 8 } }], plan.Concepts);
        Assert.Equal(new BlendSurrogate { First = new NoiseSurrogate(), Second = new LabelSurrogate { Target = 1 } }, plan.Surrogate);
        Assert.Equal(["data", "strength"], plan.Grid.Keys);
        Assert.Equal("[\"mnist\",\"5\"]", CanonicalJson.Of(plan.Grid["data"]));
        Assert.Equal("[0.1,0.2]", CanonicalJson.Of(plan.Grid["strength"]));
    }

    [Fact]
    public void A_section_given_in_part_keeps_the_rest_of_what_stood_there()
    {
        Assert.Equal(new TestOptimizer { LearningRate = 0.25, Beta = 0.5 }, Read("title: t\noptimizer: {beta: 0.5}").Optimizer);
        // The schedule starts as nothing, so its keys have the record's own defaults.
        Assert.Equal(new TestOptimizer { LearningRate = 0.001, Beta = 0.5 }, Read("title: t\nschedule: {beta: 0.5}").Schedule);
        Assert.Equal(new NoiseSurrogate { Spread = 2 }, Read("title: t\nsurrogate: {kind: noise}").Surrogate);
        Assert.Equal(new NoiseSurrogate { Spread = 3 }, Read("title: t\nsurrogate: {spread: 3}").Surrogate);
    }

    [Theory]
    [InlineData("title: t\nstrenght: 1", "p.yaml:2:1: unknown key 'strenght' in the plan; did you mean 'strength' (known keys: title, seed, strength, batch_size, attack, colour, steps, comment, data, retain, optimizer, schedule, concepts, surrogate, grid).")]
    [InlineData("title: t\nbatch-size: 1", "p.yaml:2:1: unknown key 'batch-size' in the plan; did you mean 'batch_size' (known keys: ")]
    [InlineData("title: t\noptimizer:\n  learningrate: 1", "p.yaml:3:3: unknown key 'learningrate' in 'optimizer'; did you mean 'learning_rate' (known keys: learning_rate, beta).")]
    [InlineData("title: t\nconcepts:\n  - {lable: 1}", "p.yaml:3:6: unknown key 'lable' in 'concepts.0'; did you mean 'label' (known keys: label, surrogate).")]
    [InlineData("title: t\nsurrogate: {kind: label, spread: 1}", "p.yaml:2:26: unknown key 'spread' in 'surrogate' of kind 'label' (known keys: kind, target).")]
    [InlineData("title: t\nxylophone_player: 1", "p.yaml:2:1: unknown key 'xylophone_player' in the plan (known keys: ")]
    [InlineData("title: t\nkind: x", "p.yaml:2:1: unknown key 'kind' in the plan (known keys: ")]
    public void An_unknown_key_is_refused_with_its_place_the_nearest_key_and_all_keys(string yaml, string start) => Assert.StartsWith(start, Refused(yaml));

    [Theory]
    [InlineData("seed: 1", "p.yaml:1:1: 'title' is missing: What the plan is for. It must be text.")]
    [InlineData("", "p.yaml:1:1: 'title' is missing: What the plan is for. It must be text.")]
    [InlineData("title: t\nconcepts: [{}]", "p.yaml:2:12: 'concepts.0.label' is missing: The label to forget. It must be from 0 to 9.")]
    [InlineData("title: t\nsurrogate: {kind: label}", "p.yaml:2:12: 'surrogate.target' is missing: The other label. It must be from 0 to 9.")]
    [InlineData("title: t\nsurrogate: {kind: blend, first: {spread: 1}}", "p.yaml:2:33: 'surrogate.first' has no 'kind'; it must be one of: noise, label, blend.")]
    [InlineData("title:", "p.yaml:1:7: 'title' has no value; it must be text.")]
    [InlineData("title: t\nseed: ~", "p.yaml:2:7: 'seed' has no value; it must be a whole number.")]
    public void A_missing_key_is_refused_with_what_it_means(string yaml, string message) => Assert.Equal(message, Refused(yaml));

    [Theory]
    [InlineData("seed: two", "p.yaml:2:7: 'seed': 'two' is not a whole number.")]
    [InlineData("seed: 1.5", "p.yaml:2:7: 'seed': '1.5' is not a whole number.")]
    [InlineData("seed: \"1\"", "p.yaml:2:7: 'seed': '1' is text; this must be a whole number, without quotes.")]
    [InlineData("seed: 99999999999999999999", "p.yaml:2:7: 'seed': '99999999999999999999' is out of range; this must be a whole number from -9223372036854775808 to 9223372036854775807.")]
    [InlineData("batch_size: 3000000000", "p.yaml:2:13: 'batch_size': '3000000000' is out of range; this must be a whole number from -2147483648 to 2147483647.")]
    [InlineData("strength: strong", "p.yaml:2:11: 'strength': 'strong' is not a number.")]
    [InlineData("strength: 1,5", "p.yaml:2:11: 'strength': '1,5' is not a number.")]
    [InlineData("strength: .nan", "p.yaml:2:11: 'strength': '.nan' is not a number.")]
    [InlineData("strength: Infinity", "p.yaml:2:11: 'strength': 'Infinity' is not a number.")]
    [InlineData("attack: yes", "p.yaml:2:9: 'attack': 'yes' is not true or false.")]
    [InlineData("colour: deep-blue", "p.yaml:2:9: 'colour': 'deep-blue' is not known; did you mean 'deep_blue' (one of: red, deep_blue).")]
    [InlineData("colour: 1", "p.yaml:2:9: 'colour': '1' is not known (one of: red, deep_blue).")]
    [InlineData("seed: [1]", "p.yaml:2:7: 'seed' must be a whole number; a list was given.")]
    [InlineData("retain: 1", "p.yaml:2:9: 'retain' must be a list whose items are a whole number; the single value '1' was given.")]
    [InlineData("retain: [1, x]", "p.yaml:2:13: 'retain.1': 'x' is not a whole number.")]
    [InlineData("retain: [1, ]\noptimizer: 3", "p.yaml:3:12: 'optimizer' must be a section with the keys learning_rate, beta; the single value '3' was given.")]
    [InlineData("surrogate: noise", "p.yaml:2:12: 'surrogate' must be a section whose kind is one of: noise, label, blend; the single value 'noise' was given.")]
    [InlineData("surrogate: {kind: nois}", "p.yaml:2:19: 'surrogate.kind' is 'nois', which is not known; did you mean 'noise' (one of: noise, label, blend).")]
    public void A_value_of_another_type_is_refused(string line, string message) => Assert.Equal(message, Refused("title: t\n" + line));

    [Theory]
    [InlineData("strength: 1.01", "p.yaml:2:11: 'strength' is 1.01; it must be from 0 to 1.")]
    [InlineData("batch_size: 0", "p.yaml:2:13: 'batch_size' is 0; it must be at least 1.")]
    [InlineData("steps: 11", "p.yaml:2:8: 'steps' is 11; it must be from 1 to 10.")]
    [InlineData("data: cifar", "p.yaml:2:7: 'data' is cifar; it must be one of: mnist, fashion-mnist.")]
    [InlineData("retain: [3, 10]", "p.yaml:2:13: 'retain.1' is 10; it must be from 0 to 9.")]
    [InlineData("retain: [1, 2, 3, 4, 5]", "p.yaml:2:9: 'retain' has 5 items; it must have at most 4.")]
    [InlineData("optimizer: {learning_rate: 0}", "p.yaml:2:28: 'optimizer.learning_rate' is 0; it must be above 0.")]
    [InlineData("optimizer: {beta: 1}", "p.yaml:2:19: 'optimizer.beta' is 1; it must be at least 0 and below 1.")]
    public void A_value_out_of_range_is_refused_with_the_range(string line, string message) => Assert.Equal(message, Refused("title: t\n" + line));

    [Fact]
    public void A_rule_that_joins_keys_points_at_the_key_that_breaks_it() =>
        Assert.Equal("p.yaml:4:35: 'concepts.1.surrogate.target': label 3 cannot be replaced by itself; choose another label.",
            Refused("title: t\nconcepts:\n - label: 0\n - {label: 3, surrogate: {target: 3, kind: label}}"));

    [Theory]
    [InlineData("title: t\nseed: 1\nseed: 2", "p.yaml:3:1: 'seed' was already given at line 2; remove one of the two.")]
    [InlineData("title: &a t\ncomment: *a", "p.yaml:1:8: '&a' is an anchor, which plans do not have; write each value where it is used.")]
    [InlineData("title: *a", "p.yaml:1:8: '*a' refers to another part of the plan; write the value out instead.")]
    [InlineData("title: !!str t", "p.yaml:1:8: 'tag:yaml.org,2002:str' is a YAML tag, which plans do not have; remove it.")]
    [InlineData("title: t\n---\ntitle: u", "p.yaml:2:1: a second document begins here; a plan file holds one.")]
    [InlineData("{[a]: b}", "p.yaml:1:1: a key must be a single word.")]
    [InlineData("- title", "p.yaml:1:1: the plan must be a section with the keys title, seed, ")]
    [InlineData("title: [", "p.yaml:2:1: this is not valid YAML: ")]
    [InlineData("title: \"t", "p.yaml:1:8: this is not valid YAML: ")]
    [InlineData("title: t\n\tseed: 1", "p.yaml:1:8: this is not valid YAML: ")]
    public void What_makes_YAML_say_something_else_than_it_shows_is_refused(string yaml, string start) => Assert.StartsWith(start, Refused(yaml));

    [Fact]
    public void Nesting_without_end_is_refused_and_not_followed() =>
        Assert.Contains("nested more than 32 levels deep", Refused("title: " + new string('[', 5000) + new string(']', 5000)));

    [Fact]
    public void Random_damage_to_a_plan_gives_a_plan_or_one_refusal()
    {
        var good = PlanWriter.Write(PlanReader.Parse<TestPlan>("title: t\nconcepts: [{label: 1, surrogate: {kind: label, target: 2}}]\ngrid: {a: [1, x]}", "p.yaml").Value, typeof(TestPlan));
        var random = new Random(5);
        const string alphabet = "{}[]:,-#&*!|>'\"%@`~ \n\tab0.\u0001\u2028é";
        for (var i = 0; i < 3000; i++)
        {
            var text = good.ToCharArray().ToList();
            for (var edits = random.Next(1, 5); edits > 0; edits--)
            {
                var at = random.Next(text.Count);
                if (random.Next(2) == 0)
                    text.RemoveAt(at);
                else
                    text.Insert(at, alphabet[random.Next(alphabet.Length)]);
            }
            try
            {
                Read(string.Concat(text));
            }
            catch (UsageException e)
            {
                Assert.StartsWith("p.yaml", e.Message);
            }
        }
    }

    [Fact]
    public void A_file_that_is_missing_or_no_text_or_far_too_large_is_refused()
    {
        using var folder = new TemporaryFolder();
        var missing = folder["missing.yaml"];
        Assert.Equal($"{missing}: there is no such plan; give the path of a YAML file.", Assert.Throws<UsageException>(() => PlanReader.Read<TestPlan>(missing)).Message);
        File.WriteAllBytes(folder["binary.yaml"], [0x74, 0xFF, 0xFE]);
        Assert.Contains("is not UTF-8 text", Assert.Throws<UsageException>(() => PlanReader.Read<TestPlan>(folder["binary.yaml"])).Message);
        File.WriteAllBytes(folder["large.yaml"], new byte[PlanParser.LargestPlan + 1]);
        Assert.Contains("Is it a plan?", Assert.Throws<UsageException>(() => PlanReader.Read<TestPlan>(folder["large.yaml"])).Message);
        Assert.Contains("cannot be read", Assert.Throws<UsageException>(() => PlanReader.Read<TestPlan>(folder.Path)).Message);
        File.WriteAllText(folder["good.yaml"], "\uFEFFtitle: über 数字");
        Assert.Equal("über 数字", PlanReader.Read<TestPlan>(folder["good.yaml"]).Value.Title);
    }

    [Fact]
    public void Overrides_are_typed_and_checked_like_the_file()
    {
        var plan = Read("title: t\nconcepts: [{label: 0}, {label: 1}]", "strength=0.75", "optimizer.beta=0.1", "concepts.1.label=5", "concepts.0.surrogate={kind: label, target: 7}", "retain=[4, 5]", "title=Zero: gone # really", "steps=null", "schedule.beta=0");

        Assert.Equal("Zero: gone # really", plan.Title);
        Assert.Equal(0.75, plan.Strength);
        Assert.Equal(0.1, plan.Optimizer.Beta);
        Assert.Equal(5, plan.Concepts[1].Label);
        Assert.Equal(new LabelSurrogate { Target = 7 }, plan.Concepts[0].Surrogate);
        Assert.Equal([4, 5], plan.Retain);
        Assert.Equal(0, plan.Schedule?.Beta);
        Assert.Equal(7, Read("title: t", "seed=3", "seed=7").Seed);
    }

    [Theory]
    [InlineData("strength=2", "--set strength=2: 'strength' is 2; it must be from 0 to 1.")]
    [InlineData("strenght=1", "--set strenght=1: unknown key 'strenght' in the plan; did you mean 'strength' (known keys: ")]
    [InlineData("optimizer.betta=1", "--set optimizer.betta=1: unknown key 'betta' in 'optimizer'; did you mean 'beta' (known keys: ")]
    [InlineData("seed=", "--set seed=: 'seed' has no value; it must be a whole number.")]
    [InlineData("seed", "--set seed: write it as --set path.to.key=value.")]
    [InlineData("=1", "--set =1: write it as --set path.to.key=value.")]
    [InlineData("optimizer..beta=1", "--set optimizer..beta=1: a name in the path 'optimizer..beta' is empty; write it as --set path.to.key=value.")]
    [InlineData("concepts.2.label=1", "--set concepts.2.label=1: '2' names no item of this list; it has 1, numbered from 0.")]
    [InlineData("concepts.x=1", "--set concepts.x=1: 'x' names no item of this list; it has 1, numbered from 0.")]
    [InlineData("title.x=1", "--set title.x=1: 'x' cannot be set, since what stands above it is a single value (p.yaml:1:8).")]
    [InlineData("retain=[1", "--set retain=[1: this is not valid YAML: ")]
    public void A_wrong_override_is_refused_as_it_was_typed(string assignment, string start) => Assert.StartsWith(start, Refused("title: t\nconcepts: [{label: 0}]", assignment));
}
