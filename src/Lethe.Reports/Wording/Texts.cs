using Lethe.Reports.Markup;

namespace Lethe.Reports.Wording;

/// <summary>
/// Every text of the reports. Each language is a class that must give all of them, so that a text missing in one language does
/// not compile. Figures arrive as text, already formatted; names from outside arrive as they are and are escaped on their way
/// into markup.
/// </summary>
internal abstract partial class Texts
{
    /// <summary>The texts of a language.</summary>
    public static Texts Of(ReportLanguage language) => language switch
    {
        ReportLanguage.English => new EnglishTexts(),
        ReportLanguage.Japanese => new JapaneseTexts(),
        _ => throw new ArgumentOutOfRangeException(nameof(language), language, "No such language."),
    };

    /// <summary>The language.</summary>
    public abstract ReportLanguage Language { get; }

    // Grammar
    public abstract string Quote(string name);
    public abstract string And(IReadOnlyList<string> items);
    public abstract string Sentences(IEnumerable<string> sentences);
    public abstract Html Sentences(IEnumerable<Html> sentences);
    public abstract string IntervalOf(double confidence, string range);
    public abstract string NoInterval { get; }
    public abstract string RangeSign { get; }
    public abstract string SignedRangeSign { get; }
    public abstract string Points(string number);
    public abstract string Duration(double seconds);
    public abstract string Moment(DateTimeOffset time);

    /// <summary>A range whose ends are formatted alike; where one has a sign, the ends are set further apart.</summary>
    public string Range(double low, double high, Func<double, string> format)
    {
        var (from, to) = (format(low), format(high));
        return from + ((from + to).AsSpan().ContainsAny('−', '+') ? SignedRangeSign : RangeSign) + to;
    }

    // The page
    public abstract string ReportTitle { get; }
    public abstract string Contents { get; }
    public abstract string Run { get; }
    public abstract string Finished { get; }
    public abstract string BaseModel { get; }
    public abstract string Dataset { get; }
    public abstract string FooterNote(string version);
    public abstract string NistNote { get; }

    // Titles of the sections
    public abstract string AskedTitle { get; }
    public abstract string SamplesTitle { get; }
    public abstract string ConceptsTitle { get; }
    public abstract string ClassesTitle { get; }
    public abstract string ConfusionTitle { get; }
    public abstract string ElboTitle { get; }
    public abstract string RetainedTitle { get; }
    public abstract string ProbesTitle { get; }
    public abstract string RelearningTitle { get; }
    public abstract string TradeOffTitle { get; }
    public abstract string MovedTitle { get; }
    public abstract string MethodTitle { get; }
    public abstract string CostTitle { get; }
    public abstract string NotTestedTitle { get; }
    public abstract string GlossaryTitle { get; }
    public abstract string ProvenanceTitle { get; }

    // What was asked
    public abstract string Request { get; }
    public abstract string ToForget { get; }
    public abstract string Replacement { get; }
    public abstract string InPlanWords { get; }
    public abstract string ToKeep { get; }
    public abstract string LeftFree { get; }
    public abstract string LeftFreeNote { get; }
    public abstract string WeightsChanged { get; }
    public abstract string Judge { get; }
    public abstract string JudgeAccuracy(string percent, string interval, string images);
    public abstract string SurrogateNoise { get; }
    public abstract string SurrogateLabel(string target);
    public abstract string SurrogateImages { get; }
    public abstract string SurrogateBlend { get; }

    // Samples
    public abstract string Before { get; }
    public abstract string After { get; }
    public abstract string Change { get; }
    public abstract string SamplesNote { get; }
    public abstract string SamplesAlt(string condition, string when);
    public abstract string SheetAlt(string when);
    public abstract string NoSamples { get; }
    public abstract string RoleForgotten { get; }
    public abstract string RoleRetained { get; }
    public abstract string RoleFree { get; }

    // Tables
    public abstract string Condition { get; }
    public abstract string MeasureColumn { get; }
    public abstract string SurrogateItself { get; }
    public abstract string BaseTarget(string target);
    public abstract string IntervalLegend { get; }
    public abstract string IntervalHeader { get; }
    public abstract string LowerIsBetter { get; }
    public abstract string HigherIsBetter { get; }
    public abstract string ConceptsNote { get; }
    public abstract string ClassesNote { get; }

    // Where the samples went
    public abstract string ConfusionBars(string name);
    public abstract string ConfusionBarsNote { get; }
    public abstract string ConfusionMapNote { get; }
    public abstract string NoiseNote { get; }
    public abstract string AskedFor { get; }
    public abstract string JudgedAs { get; }
    public abstract string HeatMapTitle(string when);

    // Real images, retained conditions
    public abstract string ElboNote { get; }
    public abstract string ElboChart { get; }
    public abstract string ElboWorst(string name, string change);
    public abstract string RetainedNote { get; }

    // Probes and relearning
    public abstract string ProbesNote { get; }
    public abstract string ProbesOff { get; }
    public abstract string RelearningNote(string threshold);
    public abstract string RelearningOff { get; }
    public abstract string RelearningChart(string name);
    public abstract string ControlIs(string kind);
    public abstract string ControlTrainedWithout { get; }
    public abstract string ControlClassReset { get; }
    public abstract string ControlUntrained { get; }
    public abstract string StepsOnRealImages { get; }
    public abstract string ForgottenModel { get; }
    public abstract string ControlModel { get; }
    public abstract string ThresholdName(string percent);
    public abstract string RelearningElboChart(string name);
    public abstract string RelearningSamplesNote { get; }
    public abstract string ExplainedName(string nats);
    public abstract string BySamples { get; }
    public abstract string ByRealImages { get; }
    public abstract string StepsUntilBack { get; }
    public abstract string NeverWithin(string steps);
    public abstract string StepsColumn { get; }
    public abstract string CurveTable { get; }

    // Trade-off
    public abstract string SweepTitle { get; }
    public abstract string NoSweep { get; }
    public abstract string TradeOffNote(string points, string front);
    public abstract string TradeOffChart { get; }
    public abstract string TradeOffElboChart { get; }
    public abstract string ForgetAxis { get; }
    public abstract string AccuracyAxis { get; }
    public abstract string ElboAxis { get; }
    public abstract string ThisRun { get; }
    public abstract string PointLabels(string option);
    public abstract string OnFront { get; }
    public abstract string Seed { get; }
    public abstract string SeedsMean(string count);
    public abstract string AllPoints { get; }
    public abstract string ForgetColumn { get; }
    public abstract string ShareColumn { get; }
    public abstract string AccuracyColumn { get; }
    public abstract string ElboColumn { get; }

    // What moved
    public abstract string MovedNote { get; }
    public abstract string MovedRelativeChart { get; }
    public abstract string MovedFisherChart { get; }
    public abstract string MovedTop(int shown, int all);
    public abstract string MovedTable(int count);
    public abstract string Tensor { get; }
    public abstract string Shape { get; }
    public abstract string NormColumn { get; }
    public abstract string RelativeColumn { get; }
    public abstract string FisherColumn { get; }
    public abstract string LargestColumn { get; }

    // Method and cost
    public abstract string MethodDetails { get; }
    public abstract string SelectiveAmnesia { get; }
    public abstract string Method { get; }
    public abstract string Preset { get; }
    public abstract string PresetFixed { get; }
    public abstract string PresetReleased { get; }
    public abstract string Steps { get; }
    public abstract string StepsOf(string taken, string allowed);
    public abstract string StopReason { get; }
    public abstract string StopAllSteps { get; }
    public abstract string StopCriterionMet { get; }
    public abstract string StopNoProgress { get; }
    public abstract string FisherSamples { get; }
    public abstract string Option { get; }
    public abstract string Value { get; }
    public abstract string Plan { get; }
    public abstract string CostChart { get; }
    public abstract string CostTotal(string duration, string memory);
    public abstract string FromCache { get; }
    public abstract string CacheNote { get; }

    // Provenance
    public abstract string FileColumn { get; }
    public abstract string DigestColumn { get; }
    public abstract string Started { get; }
    public abstract string Device { get; }
    public abstract string Processor { get; }
    public abstract string Threads { get; }
    public abstract string Versions { get; }
    public abstract string BaseModelWeights { get; }
    public abstract string FisherArtefact { get; }
    public abstract string JudgeWeights { get; }
    public abstract string ResultFile { get; }

    // What was not tested
    public abstract string NotTestedNote { get; }
    public abstract string NothingUntested { get; }
    public abstract string UnknownCode { get; }
}
