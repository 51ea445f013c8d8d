using System.Globalization;
using Lethe.Reports.Markup;

namespace Lethe.Reports.Wording;

/// <summary>The reports in English.</summary>
internal sealed partial class EnglishTexts : Texts
{
    public override ReportLanguage Language => ReportLanguage.English;

    public override string Quote(string name) => $"“{name}”";
    public override string And(IReadOnlyList<string> items) => items.Count < 2 ? string.Concat(items) : $"{string.Join(", ", items.SkipLast(1))} and {items[^1]}";
    public override string Sentences(IEnumerable<string> sentences) => string.Join(" ", sentences);
    public override Html Sentences(IEnumerable<Html> sentences) => Html.Join(" ", sentences);
    public override string IntervalOf(double confidence, string range) => $"{Numbers.Percent(confidence, 0)} interval {range}";
    public override string NoInterval => "too few items for an interval";
    public override string RangeSign => "–";
    public override string SignedRangeSign => " to ";
    public override string Points(string number) => $"{number} points";
    public override string Moment(DateTimeOffset time) => time.UtcDateTime.ToString("d MMMM yyyy, HH:mm 'UTC'", CultureInfo.InvariantCulture);

    public override string Duration(double seconds)
    {
        if (!double.IsFinite(seconds))
            return Numbers.None;
        if (seconds < 59.95)
            return Numbers.Fixed(seconds, 1) + " s";
        var whole = (long)Math.Round(seconds);
        return whole < 3600
            ? string.Create(CultureInfo.InvariantCulture, $"{whole / 60} min {whole % 60:00} s")
            : string.Create(CultureInfo.InvariantCulture, $"{whole / 3600} h {whole % 3600 / 60:00} min");
    }

    public override string ReportTitle => "Unlearning report";
    public override string Contents => "Contents";
    public override string Run => "Run";
    public override string Finished => "Finished";
    public override string BaseModel => "Base model";
    public override string Dataset => "Data set";
    public override string FooterNote(string version) => $"Written from a result of Lethe {version}. Every figure stands in result.json or is a difference, share or count of figures there. The page loads nothing from outside.";
    public override string NistNote => "Marks such as MEASURE 2.1 name the outcome of the NIST AI Risk Management Framework 1.0 that a section speaks to.";

    public override string AskedTitle => "What was asked";
    public override string SamplesTitle => "Samples before and after";
    public override string ConceptsTitle => "The forgotten concepts";
    public override string ClassesTitle => "Every condition";
    public override string ConfusionTitle => "Where the samples went";
    public override string ElboTitle => "Real images: −ELBO";
    public override string RetainedTitle => "The retained conditions as a whole";
    public override string ProbesTitle => "Linear probes";
    public override string RelearningTitle => "Relearning";
    public override string TradeOffTitle => "Trade-off between forgetting and keeping";
    public override string MovedTitle => "What moved in the weights";
    public override string MethodTitle => "Method and options";
    public override string CostTitle => "Cost by stage";
    public override string NotTestedTitle => "What was not tested";
    public override string GlossaryTitle => "What the measures mean";
    public override string ProvenanceTitle => "Provenance";

    public override string Request => "Request";
    public override string ToForget => "To forget";
    public override string Replacement => "Replaced by";
    public override string InPlanWords => "In the plan's words";
    public override string ToKeep => "To keep";
    public override string LeftFree => "Left free";
    public override string LeftFreeNote => "Neither to be forgotten nor to be kept: whatever became of them is shown, and was no goal.";
    public override string WeightsChanged => "What was changed is the weights of the model. No filter was put before or behind it.";
    public override string Judge => "Judge";
    public override string JudgeAccuracy(string percent, string interval, string images) =>
        $"A classifier that names what a sample shows. It names {percent} of {images} real held-out images rightly ({interval}); no figure below can be better than that.";
    public override string SurrogateNoise => "uniform noise";
    public override string SurrogateLabel(string target) => $"samples of {Quote(target)}";
    public override string SurrogateImages => "images given by the user";
    public override string SurrogateBlend => "a blend of several surrogates";

    public override string Before => "Before";
    public override string After => "After";
    public override string Change => "Change";
    public override string SamplesNote => "Each row is one condition. The images at the same place before and after start from the same random numbers; none was picked by hand.";
    public override string SamplesAlt(string condition, string when) => $"Samples asked for {Quote(condition)}: {when.ToLowerInvariant()}";
    public override string SheetAlt(string when) => $"Samples, one row for each condition: {when.ToLowerInvariant()}";
    public override string NoSamples => "No samples were kept with this run.";
    public override string RoleForgotten => "forgotten";
    public override string RoleRetained => "retained";
    public override string RoleFree => "free";

    public override string Condition => "Condition";
    public override string MeasureColumn => "Measure";
    public override string SurrogateItself => "Surrogate itself";
    public override string BaseTarget(string target) => $"{Quote(target)} of the base model";
    public override string IntervalLegend => "Small figures: 95% interval, or ± one standard error where no interval is defined.";
    public override string IntervalHeader => "95% interval";
    public override string LowerIsBetter => "lower is better";
    public override string HigherIsBetter => "higher is better";
    public override string ConceptsNote => "The last column is what the judge makes of the surrogate itself. It is the floor: a model that draws nothing but the surrogate reads the same.";
    public override string ClassesNote => "Samples of each condition, read by the judge. For a forgotten condition, falling is the aim; for a retained one, staying is.";

    public override string ConfusionBars(string name) => $"Samples asked for {Quote(name)}, by what the judge takes them for";
    public override string ConfusionBarsNote => "Bar: after. Upright stroke: before.";
    public override string ConfusionMapNote => "Per cent of the samples of each row; cells below 0.5% are left empty. Framed rows: forgotten.";
    public override string NoiseNote => "The judge must name some class, even for noise: a long bar here says how this judge reads noise, not that the noise shows anything.";
    public override string AskedFor => "asked for";
    public override string JudgedAs => "judged as";
    public override string HeatMapTitle(string when) => $"{when}: what was asked for, and what it was judged as";

    public override string ElboNote => "How many nats the model needs to explain a real, held-out image of the class (an upper bound on −log p). A forgotten class should become expensive, the others should stay where they were. Before and after use the same images and the same noise.";
    public override string ElboChart => "−ELBO of real images, nats an image. Bar: after. Upright stroke: before.";
    public override string ElboWorst(string name, string change) => $"Largest rise among the retained conditions: {Quote(name)}, {change} nats an image.";
    public override string RetainedNote => "Distances and neighbours are taken between the judge's features of real images and of samples. They are not FID nor its precision and recall: another network's features, so the figures compare with each other, and with no published ones.";

    public override string ProbesNote => "A linear classifier reads one layer's activations on real images and tells the class from the rest: 0.5 is guessing, 1 is perfect. A layer that carries the picture lets a probe find classes which the model never draws, so a high figure does not prove that the concept is still known, and the comparison is with before. A low figure after a high one shows that it is gone from that layer.";
    public override string ProbesOff => "Probes were turned off in this plan, so this run says nothing about what the inner layers still hold.";
    public override string RelearningNote(string threshold) => $"The model is trained again on real images of the class. It counts as back when {threshold} of the samples are judged as the class. Coming back sooner than the control suggests that something of it was left.";
    public override string RelearningOff => "Relearning was turned off in this plan, so this run says nothing about how easily the concept comes back.";
    public override string RelearningChart(string name) => $"Share of samples judged as {Quote(name)} while it is learned again";
    public override string ControlIs(string kind) => $"Control: {kind}.";
    public override string ControlTrainedWithout => "a model trained like the base model, on the same data without the class";
    public override string ControlClassReset => "the base model with the weights that only the class uses set anew at random; the layers that all classes share did learn the class, which makes it a weak control";
    public override string ControlUntrained => "a model of the same shape with random weights";
    public override string StepsOnRealImages => "Training steps on real images";
    public override string ForgottenModel => "after forgetting";
    public override string ControlModel => "control";
    public override string ThresholdName(string percent) => $"counts as back: {percent}";
    public override string RelearningElboChart(string name) => $"−ELBO of real images of {Quote(name)} while it is learned again, nats";
    public override string RelearningSamplesNote => "Read both curves. The judge’s share says only that samples look like the class: a model that learned nothing but its mean image passes early. The −ELBO says whether real images are explained.";
    public override string ExplainedName(string nats) => $"counts as explained: {nats}";
    public override string BySamples => "by samples";
    public override string ByRealImages => "by real images";
    public override string StepsUntilBack => "Steps until it is back";
    public override string NeverWithin(string steps) => $"not within {steps}";
    public override string StepsColumn => "Steps";
    public override string CurveTable => "The curves as a table";

    public override string SweepTitle => "Strength sweep";
    public override string NoSweep => "No sweep was run, so how forgetting and keeping trade off around these options is not known.";
    public override string TradeOffNote(string points, string front) => $"{points} runs, {front} of them on the front: no other run of the sweep both forgets more and keeps more. Bars through a point are its 95% intervals.";
    public override string TradeOffChart => "Forgetting against accuracy of the retained conditions";
    public override string TradeOffElboChart => "Forgetting against the rise of the retained conditions’ −ELBO";
    public override string ForgetAxis => "Judged as the forgotten class  (← better)";
    public override string AccuracyAxis => "Retained: judged as asked  (↑ better)";
    public override string ElboAxis => "Retained: change of −ELBO, nats  (↓ better)";
    public override string ThisRun => "this run";
    public override string PointLabels(string option) => $"Labels: {option}.";
    public override string OnFront => "On the front";
    public override string Seed => "Seed";
    public override string SeedsMean(string count) => $"Points of the same options differ by seed ({count}); the label stands at the first.";
    public override string ForgetColumn => "Probability of the forgotten class";
    public override string ShareColumn => "Judged as the forgotten class";
    public override string AccuracyColumn => "Retained: judged as asked";
    public override string ElboColumn => "Retained: change of −ELBO, nats";
    public override string AllPoints => "All runs of the sweep";

    public override string MovedNote => "How far each tensor is from where it was. Weighted by the Fisher information, the change counts by what it does to the samples of the base model: this is the part of the EWC penalty that the tensor carries.";
    public override string MovedRelativeChart => "Change relative to the tensor’s size, ‖Δ‖ / ‖θ‖";
    public override string MovedFisherChart => "Share of the Fisher-weighted change, Σ F Δ²";
    public override string MovedTop(int shown, int all) => $"The {shown} of {all} tensors that moved most, relative to their size.";
    public override string MovedTable(int count) => $"All {count} tensors";
    public override string Tensor => "Tensor";
    public override string Shape => "Shape";
    public override string NormColumn => "‖Δ‖";
    public override string RelativeColumn => "‖Δ‖ / ‖θ‖";
    public override string FisherColumn => "Σ F Δ²";
    public override string LargestColumn => "largest |Δ|";

    public override string MethodDetails => "Every option with the value used";
    public override string SelectiveAmnesia => "Selective Amnesia: elastic weight consolidation, generative replay and a surrogate in place of the concept (Heng and Soh, NeurIPS 2023, arXiv 2305.10120)";
    public override string Method => "Method";
    public override string Preset => "Preset";
    public override string PresetFixed => "fixed: what the paper intends";
    public override string PresetReleased => "released: the choices of the published code";
    public override string Steps => "Steps";
    public override string StepsOf(string taken, string allowed) => $"{taken} of at most {allowed}";
    public override string StopReason => "Stopped because";
    public override string StopAllSteps => "all steps were taken";
    public override string StopCriterionMet => "the plan’s stop criterion was met";
    public override string StopNoProgress => "the measures no longer improved";
    public override string FisherSamples => "Samples behind the Fisher information";
    public override string Option => "Option";
    public override string Value => "Value";
    public override string Plan => "The resolved plan";
    public override string CostChart => "Time by stage";
    public override string CostTotal(string duration, string memory) => $"{duration} in all, with at most {memory} of memory in use.";
    public override string FromCache => "from cache";
    public override string CacheNote => "Stages from the cache were computed by an earlier run; their time is what they took then, and it is part of the sum.";

    public override string FileColumn => "File or artefact";
    public override string DigestColumn => "SHA-256";
    public override string Started => "Started";
    public override string Device => "Device";
    public override string Processor => "Processor";
    public override string Threads => "Threads";
    public override string Versions => "Versions";
    public override string BaseModelWeights => "Weights of the base model";
    public override string FisherArtefact => "Fisher information";
    public override string JudgeWeights => "Weights of the judge";
    public override string ResultFile => "result.json";

    public override string NotTestedNote => "What nobody looked for, nobody found. Each line is a question that this run leaves open.";
    public override string NothingUntested => "The run names nothing that it left untested.";
    public override string UnknownCode => "This version of the report has no words for this code.";
}
