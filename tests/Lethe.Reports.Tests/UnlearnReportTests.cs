using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Lethe.Reports.Tests.Example;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Reports.Tests;

public sealed class UnlearnReportTests
{
    private const string Hostile = "\"><script src=//x>alert('1')</script><img src=x onerror=y>&amp;\u202E\0]]><!--";

    public static TheoryData<ReportLanguage> Languages => new(Enum.GetValues<ReportLanguage>());

    private static XElement Page(ReportLanguage language, ReportInput? input = null) => PageReader.Parse(UnlearnReport.Render(input ?? ExampleRun.Input, language));

    [Fact]
    public void The_sections_stand_in_the_readers_order()
    {
        string[] english =
        [
            "1 What was asked", "2 Samples before and after", "3 The forgotten concepts", "4 Every condition", "5 Where the samples went", "6 Real images: −ELBO", "7 The retained conditions as a whole", "8 Linear probes",
            "9 Relearning", "10 Trade-off between forgetting and keeping", "11 What moved in the weights", "12 Method and options", "13 Cost by stage", "14 What was not tested", "15 What the measures mean", "16 Provenance",
        ];
        string[] japanese =
        [
            "1 依頼内容", "2 処理前後の生成画像", "3 忘却対象の測定結果", "4 クラス別の測定結果", "5 忘却対象の生成画像の判定先", "6 実画像に対する−ELBO", "7 維持対象全体の品質", "8 線形プローブ",
            "9 再学習試験", "10 忘却と維持のトレードオフ", "11 重みの変化", "12 手法と設定", "13 工程別の所要時間", "14 未検証の事項", "15 指標の説明", "16 実行環境と来歴",
        ];
        Assert.Equal(english, Headings(Page(ReportLanguage.English)));
        Assert.Equal(japanese, Headings(Page(ReportLanguage.Japanese)));

        static IEnumerable<string> Headings(XElement page) => page.Descendants("h2").Skip(1).Select(h2 =>
        {
            h2.WithClass("nist").Remove();
            return $"{h2.WithClass("number").Single().Value} {h2.Nodes().OfType<XText>().Single().Value}";
        });
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void The_page_is_well_formed_and_names_its_language(ReportLanguage language)
    {
        var page = Page(language);
        Assert.Equal("html", page.Name.LocalName);
        Assert.Equal(language.Code(), (string?)page.Attribute("lang"));
        Assert.Equal("utf-8", (string?)page.Descendants("meta").First().Attribute("charset"));
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void Only_void_elements_close_themselves_so_that_HTML_and_XML_read_the_same(ReportLanguage language)
    {
        string[] mayBeEmpty = ["meta", "br", "img", "line", "path", "rect", "circle"];
        var closed = Regex.Matches(UnlearnReport.Render(ExampleRun.Input, language), "<([a-z]+)[^<>]*/>").Select(match => match.Groups[1].Value).Distinct();
        Assert.Empty(closed.Except(mayBeEmpty));
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void The_page_loads_nothing_and_runs_nothing(ReportLanguage language)
    {
        var html = UnlearnReport.Render(ExampleRun.Input, language);
        Assert.DoesNotContain("http:", html);
        Assert.DoesNotContain("https:", html);
        Assert.DoesNotContain("url(", html);
        Assert.DoesNotContain("@import", html);
        var page = PageReader.Parse(html);
        Assert.DoesNotContain(page.Descendants(), e => e.Name.LocalName is "script" or "link" or "iframe" or "object" or "embed" or "base" or "form");
        Assert.All(page.Descendants("img"), img => Assert.StartsWith("data:image/png;base64,", (string?)img.Attribute("src")));
        Assert.All(page.Descendants("a"), a => Assert.StartsWith("#", (string?)a.Attribute("href")));
        Assert.DoesNotContain(page.Descendants().Attributes(), attribute => attribute.Name.LocalName.StartsWith("on", StringComparison.Ordinal));
        Assert.Contains("default-src 'none'", (string?)page.Descendants("meta").Single(meta => (string?)meta.Attribute("http-equiv") == "Content-Security-Policy").Attribute("content"));
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void Every_link_leads_somewhere_and_every_anchor_is_there_once(ReportLanguage language)
    {
        var page = Page(language);
        var ids = page.Descendants().Attributes("id").Select(id => id.Value).ToArray();
        Assert.Equal(ids.Distinct(), ids);
        Assert.All(page.Descendants("a"), a => Assert.Contains(((string)a.Attribute("href")!)[1..], ids));
        Assert.All(page.Descendants().Attributes("aria-labelledby"), label => Assert.Contains(label.Value, ids));
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void The_same_input_gives_the_same_bytes(ReportLanguage language) =>
        Assert.Equal(UnlearnReport.Render(ExampleRun.Input, language), UnlearnReport.Render(ExampleRun.Input, language));

    [Theory]
    [MemberData(nameof(Languages))]
    public void A_result_read_back_from_its_file_gives_the_same_page(ReportLanguage language)
    {
        var json = JsonSerializer.Serialize(ExampleRun.Result, ResultJson.Options);
        var read = JsonSerializer.Deserialize<ImageUnlearnResult>(json, ResultJson.Options)!;
        Assert.Equal(UnlearnReport.Render(ExampleRun.Input, language), UnlearnReport.Render(ExampleRun.Input with { Result = read }, language));
    }

    [Fact]
    public void The_verdict_says_what_was_measured_in_English()
    {
        var box = Page(ReportLanguage.English).WithClass("verdict").First();
        Assert.Equal(
            [
                "Forgotten, as far as measured; the rest is kept. Traces seem to remain in the weights.",
                "Forget “Sneaker” (replaced by uniform noise) and “Shirt” (replaced by samples of “T-shirt/top”), and keep 8 other conditions.",
                "Of 10,000 samples asked for “Sneaker”, 3 are still judged as it: 0.03% (95% interval 0.01–0.09%). Before, 9,712 of 10,000 were.",
                "Of 10,000 samples asked for “Shirt”, 698 are still judged as it: 6.98% (95% interval 6.50–7.50%). Before, 6,871 of 10,000 were. 8,571 are now judged as “T-shirt/top”: 85.71%; of the base model’s own samples of “T-shirt/top”, 86.20% are. The judge also takes 7.00% of the base model’s own samples of “T-shirt/top” for “Shirt”, so fewer cannot be expected.",
                "Of the samples asked for the 8 retained conditions, 92.24% are judged as what was asked for; before, 92.46% were (−0.22 points, 95% interval −0.48 to +0.04). “Coat” lost most: −1.10 points. The −ELBO of their real images changed by +0.45 nats an image (95% interval +0.43 to +0.48; above zero is worse).",
                "Trained on real images of “Sneaker”, the model draws it again after 100 steps; the control needs 200. Measured by real images, which count as explained again from 219.3 nats of −ELBO down, it is back after 500 steps; in the control not within 1,000 steps.",
                "Trained on real images of “Shirt”, the model draws it again after 200 steps; the control needs 1,000.",
                "Control: a model trained like the base model, on the same data without the class.",
                "Coming back sooner than the control suggests that something of it is left in the weights.",
                "15 questions stay open; see what was not tested. This page is evidence for a decision, not the decision.",
            ],
            Statements(box));
    }

    [Fact]
    public void The_verdict_says_what_was_measured_in_Japanese()
    {
        var box = Page(ReportLanguage.Japanese).WithClass("verdict").First();
        Assert.Equal(
            [
                "測定した範囲では忘却を確認。維持対象への影響は軽微。ただし、重みに痕跡が残る可能性あり。",
                "「Sneaker」（一様ノイズに置き換え）および「Shirt」（「T-shirt/top」の生成画像に置き換え）を忘却させ、ほかの8クラスを維持すること。",
                "「Sneaker」を指定して生成した画像10,000枚のうち、なお「Sneaker」と判定されたのは3枚（0.03%、95%信頼区間 0.01〜0.09%）です。処理前は10,000枚中9,712枚でした。",
                "「Shirt」を指定して生成した画像10,000枚のうち、なお「Shirt」と判定されたのは698枚（6.98%、95%信頼区間 6.50〜7.50%）です。処理前は10,000枚中6,871枚でした。8,571枚（85.71%）は「T-shirt/top」と判定されました。元モデルが「T-shirt/top」として生成した画像では、この割合は86.20%です。なお、判定器は元モデルの「T-shirt/top」の生成画像についても7.00%を「Shirt」と判定するため、これより低い値は見込めません。",
                "維持対象8クラスの生成画像のうち、指定どおりに判定されたのは92.24%です（処理前92.46%、変化−0.22ポイント、95%信頼区間 −0.48〜+0.04）。低下が最も大きいのは「Coat」（−1.10ポイント）です。実画像の−ELBOの変化は、1枚あたり+0.45 natです（95%信頼区間 +0.43〜+0.48。正の値は悪化を示します）。",
                "「Sneaker」の実画像で再学習させたところ、100ステップで再び生成するようになりました。対照モデルでは200ステップを要しました。実画像の−ELBOが219.3 nat以下に戻るまでのステップ数は、処理後のモデルが500ステップ、対照モデルが1,000ステップ超でした。",
                "「Shirt」の実画像で再学習させたところ、200ステップで再び生成するようになりました。対照モデルでは1,000ステップを要しました。",
                "対照モデル：当該クラスを除いた同じデータで、元モデルと同様に学習したモデル。",
                "対照モデルより早く復元したことから、重みに何らかの情報が残っていると考えられます。",
                "未検証の事項が15件あります（「未検証の事項」を参照）。本報告書は判断のための資料であり、判断そのものではありません。",
            ],
            Statements(box));
    }

    private static IEnumerable<string> Statements(XElement box)
    {
        yield return box.Element("h2")!.Words();
        foreach (var line in box.Element("dl")!.Descendants("dd"))
        {
            if (line.Elements("p").Any())
                foreach (var paragraph in line.Elements("p"))
                    yield return paragraph.Words();
            else
                yield return line.Words();
        }
    }

    [Theory]
    [InlineData(0.0, "0", "are still")]
    [InlineData(0.0001, "1", "is still")]
    [InlineData(0.6130, "6,130", "are still")]
    public void The_verdict_counts_what_the_share_says(double share, string count, string verb)
    {
        var result = ExampleRun.Result;
        var concept = result.Concepts[0];
        result = result with { Concepts = [concept with { Forget = concept.Forget with { Share = ExampleRun.Share(share, 10_000) } }] };
        Assert.Contains($"Of 10,000 samples asked for “Sneaker”, {count} {verb} judged as it: {Numbers.Percent(share, 2)}", Page(ReportLanguage.English, new ReportInput(result)).WithClass("verdict").First().Words());
    }

    [Fact]
    public void A_failure_is_said_first()
    {
        var result = ExampleRun.Result;
        var failed = result with
        {
            Concepts = [result.Concepts[0] with { Forget = result.Concepts[0].Forget with { Share = ExampleRun.Share(0.9, 10_000) } }, result.Concepts[1]],
            Retain = result.Retain with { AccuracyAfter = ExampleRun.Share(0.7, 80_000) },
        };
        var box = Page(ReportLanguage.English, new ReportInput(failed)).WithClass("verdict").First();
        Assert.Contains("bad", (string?)box.Attribute("class"));
        Assert.Equal("Not forgotten (1 of 2 concepts); the rest lost heavily.", box.Element("h2")!.Words());
        Assert.Equal("忘却は認められない（2件中1件）。維持対象に著しい品質の低下あり。", Page(ReportLanguage.Japanese, new ReportInput(failed)).Descendants("h2").First().Words());
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void The_rules_of_the_verdict_are_printed_with_their_limits(ReportLanguage language)
    {
        var rules = new VerdictRules { ShareMargin = 0.0123, ProbabilityMargin = 0.0456, PartlyRatio = 0.37, KeptLoss = 0.0111, KeptWorstLoss = 0.0222, KeptElboRise = 0.0333, HeavyFactor = 4.5 };
        var box = Page(language, ExampleRun.Input with { Rules = rules }).WithClass("verdict").First().Descendants("details").Single().Words();
        foreach (var limit in new[] { "1.23", "4.56", "37%", "1.11", "2.22", "3.33%", "4.5" })
            Assert.Contains(limit, box);
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void The_table_has_every_condition_with_its_figures_before_and_after(ReportLanguage language)
    {
        var rows = Page(language).WithId("classes").Descendants("tbody").Single().Elements("tr").ToArray();
        Assert.Equal(10, rows.Length);
        foreach (var (row, expected) in rows.Zip(ExampleRun.Result.Classes))
        {
            Assert.Equal(expected.Name, row.WithClass("name").Single().Value);
            Assert.Equal(
                [
                    Numbers.Percent(expected.Before.Accuracy.Value, 2), Numbers.Percent(expected.After.Accuracy.Value, 2), Numbers.Fixed(expected.Before.Probability.Value, 4), Numbers.Fixed(expected.After.Probability.Value, 4),
                    Numbers.Fixed(expected.Before.Entropy.Value, 3), Numbers.Fixed(expected.After.Entropy.Value, 3),
                ],
                row.WithClass("v").Select(value => value.Value));
            Assert.Equal(6, row.WithClass("i").Count());
            Assert.Equal(expected.Role == Roles.Forgotten, row.WithClass("chip").Any());
            Assert.Equal(expected.Role, (string?)row.Attribute("class"));
        }
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void Samples_stand_side_by_side_and_forgotten_rows_are_marked(ReportLanguage language)
    {
        var strips = Page(language).WithId("samples").WithClass("strip").Where(strip => !strip.Attribute("class")!.Value.Contains("head")).ToArray();
        Assert.Equal(10, strips.Length);
        var rows = ((SampleRows)ExampleRun.Input.Samples!).Rows;
        foreach (var (strip, row) in strips.Zip(rows))
        {
            var images = strip.Descendants("img").ToArray();
            Assert.Equal([row.Before.ToArray(), row.After.ToArray()], images.Select(img => Convert.FromBase64String(((string)img.Attribute("src")!)["data:image/png;base64,".Length..])));
            Assert.All(images, img => Assert.Contains(ExampleRun.Labels[row.Label], (string?)img.Attribute("alt")));
            Assert.Equal(row.Label is 6 or 7, strip.WithClass("chip").Any());
        }
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void Whole_sheets_of_samples_have_a_name_for_each_row(ReportLanguage language)
    {
        var sheet = ExampleImages.Png(4, 10, new byte[40]);
        var section = Page(language, ExampleRun.Input with { Samples = new SampleSheets(sheet, sheet, [.. Enumerable.Range(0, 10)]) }).WithId("samples");
        Assert.Equal(ExampleRun.Labels, section.Descendants("li").Select(li => li.Value));
        Assert.Equal(2, section.Descendants("li").Count(li => (string?)li.Attribute("class") == "forgotten"));
        Assert.Equal(2, section.Descendants("img").Count());
    }

    [Fact]
    public void A_damaged_PNG_is_refused()
    {
        var cut = ExampleImages.Strip(3, 3)[..200];
        Assert.Contains("label 3 after", Assert.Throws<BadInputException>(() =>
            UnlearnReport.Render(ExampleRun.Input with { Samples = new SampleRows([new SampleRow(3, ExampleImages.Strip(3, 3), cut)]) }, ReportLanguage.English)).Message);
    }

    [Fact]
    public void An_image_that_is_no_PNG_is_refused() => Assert.Contains("label 3", Assert.Throws<BadInputException>(() =>
        UnlearnReport.Render(ExampleRun.Input with { Samples = new SampleRows([new SampleRow(3, "GIF89a"u8.ToArray(), new byte[0])]) }, ReportLanguage.English)).Message);

    [Theory]
    [MemberData(nameof(Languages))]
    public void What_was_left_out_is_said_and_not_passed_over(ReportLanguage language)
    {
        var t = Lethe.Reports.Wording.Texts.Of(language);
        var bare = new ReportInput(ExampleRun.Result with { Probes = null, Relearning = null, Judge = null, NotTested = [NotTestedCodes.Relearning, "a_code_of_tomorrow"] });
        var page = Page(language, bare);
        Assert.Contains(t.NoSamples, page.WithId("samples").Words());
        Assert.Contains(t.ProbesOff, page.WithId("probes").Words());
        Assert.Contains(t.RelearningOff, page.WithId("relearning").Words());
        Assert.Contains(t.NoSweep, page.WithId("trade-off").Words());
        Assert.Contains(t.TracesNotTestedSentence.ToPlainText(), page.WithClass("verdict").First().Words());
        var open = page.WithId("not-tested").Descendants("li").Select(li => li.Words()).ToArray();
        Assert.Equal(2, open.Length);
        Assert.StartsWith(t.RelearningUntested.Question, open[0]);
        Assert.Contains("a_code_of_tomorrow", open[1]);
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void Provenance_names_versions_machine_and_every_digest(ReportLanguage language)
    {
        var words = Page(language).WithId("provenance").Words();
        var (result, input) = (ExampleRun.Result, ExampleRun.Input);
        foreach (var fact in new[] { result.Run.Id, result.Run.Libtorch, result.Run.Lethe, result.Run.Processor, result.Request.ModelDigest, result.Method.FisherDigest, result.Judge!.Digest, input.ResultDigest! }.Concat(input.Files.Select(file => file.Sha256)))
            Assert.Contains(fact, words);
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void The_curves_of_relearning_and_the_moved_tensors_are_there_as_tables_too(ReportLanguage language)
    {
        var page = Page(language);
        var curve = page.WithId("relearning").Descendants("details").Single().Descendants("tbody").First().Elements("tr").ToArray();
        Assert.Equal(ExampleRun.Result.Relearning![0].Forgotten.Count, curve.Length);
        Assert.Equal("55.8%", curve[5].WithClass("v").First().Value);
        var tensors = page.WithId("moved").Descendants("details").Single().Descendants("tbody").Single().Elements("tr").ToArray();
        Assert.Equal(ExampleRun.Result.Moved.Select(tensor => tensor.Name), tensors.Select(row => row.Element("th")!.Value));
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void Options_and_plan_are_shown_as_they_are(ReportLanguage language)
    {
        var method = Page(language).WithId("method");
        Assert.Equal(
            ["strength 50", "replay_weight 1", "learning_rate 0.0001", "batch 256", "optimizer adam", "gradient_clipping –", "common_noise true"],
            method.Descendants("tbody").Single().Elements("tr").Select(row => $"{row.Element("th")!.Value} {row.Element("td")!.Value}"));
        Assert.Equal(ExampleRun.Input.Plan, method.Descendants("pre").Single().Value);
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void Hostile_names_stay_text_wherever_they_stand(ReportLanguage language)
    {
        var result = ExampleRun.Result;
        var hostile = result with
        {
            Run = result.Run with { Id = Hostile, Processor = Hostile, Device = Hostile, Libtorch = Hostile, Lethe = Hostile },
            Request = result.Request with
            {
                Title = Hostile, Model = Hostile, ModelDigest = Hostile, Dataset = Hostile, Labels = [.. result.Request.Labels.Select(_ => Hostile)],
                Concepts = [.. result.Request.Concepts.Select(concept => concept with { Name = Hostile, Detail = Hostile, Surrogate = Hostile })],
            },
            Method = result.Method with { Name = Hostile, Preset = Hostile, StopReason = Hostile, FisherDigest = Hostile, Options = new Dictionary<string, object?> { [Hostile] = Hostile } },
            Judge = result.Judge! with { Name = Hostile, Digest = Hostile },
            Classes = [.. result.Classes.Select(c => c with { Name = Hostile })],
            Concepts = [.. result.Concepts.Select(concept => concept with { Name = Hostile })],
            Probes = [.. result.Probes!.Select(probe => probe with { Layer = Hostile })],
            Relearning = [.. result.Relearning!.Select(curve => curve with { ControlKind = Hostile })],
            Moved = [.. result.Moved.Select(tensor => tensor with { Name = Hostile })],
            Cost = new CostResult(new Dictionary<string, double> { [Hostile] = 1 }, [Hostile], 1),
            NotTested = [Hostile],
        };
        var sweep = ExampleRun.Sweep with { Title = Hostile, Points = [.. ExampleRun.Sweep.Points.Select((p, i) => p with { Run = Hostile, Options = new Dictionary<string, object?> { [Hostile] = Hostile + i } })] };
        var input = ExampleRun.Input with { Result = hostile, Sweep = sweep, Plan = Hostile, ResultDigest = Hostile, Files = [new FileDigest(Hostile, Hostile)] };
        var html = UnlearnReport.Render(input, language);
        Assert.DoesNotContain("<script", html);
        Assert.DoesNotContain("<img src=x", html);
        Assert.DoesNotContain("<!--", html);
        Assert.DoesNotContain('\u202E', html);
        Assert.DoesNotContain('\0', html);
        // The page has the same elements as that of a harmless run with the same numbers of things.
        Assert.Equal(Shape(input with { Result = Rename(hostile), Sweep = sweep with { Points = [.. sweep.Points.Select((p, i) => p with { Run = "x", Options = new Dictionary<string, object?> { ["x"] = "x" + i } })] }, Plan = "x" }), Shape(input));
        PageReader.Parse(SweepReport.Render(sweep, language));
        PageReader.Parse(SweepReport.Chart(sweep, language, hostile));

        int Shape(ReportInput of) => PageReader.Parse(UnlearnReport.Render(of, language)).Descendants().Count(e => e.Ancestors("svg").FirstOrDefault() is null);
        static ImageUnlearnResult Rename(ImageUnlearnResult of) => JsonSerializer.Deserialize<ImageUnlearnResult>(JsonSerializer.Serialize(of, ResultJson.Options).Replace(JsonSerializer.Serialize(Hostile, ResultJson.Options)[1..^1], "x"), ResultJson.Options)!;
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void Many_conditions_fit(ReportLanguage language)
    {
        const int Count = 60;
        var result = ExampleRun.Result;
        double[][] confusion = [.. Enumerable.Range(0, Count).Select(i => Enumerable.Range(0, Count).Select(j => i == j ? 0.9 : 0.1 / (Count - 1)).ToArray())];
        var many = result with
        {
            Request = result.Request with { Labels = [.. Enumerable.Range(0, Count).Select(i => $"class {i}")] },
            Classes = [.. Enumerable.Range(0, Count).Select(i => result.Classes[i is 6 or 7 ? i : 0] with { Label = i, Name = $"class {i}" })],
            Confusion = new ConfusionResult(confusion, confusion),
        };
        var section = Page(language, new ReportInput(many)).WithId("confusion");
        Assert.Empty(section.WithClass("heat"));
        Assert.Equal(20 * 2 * 2, section.WithClass("bar").Count()); // twenty bars, two concepts, drawn for a screen and for a phone
    }
}
