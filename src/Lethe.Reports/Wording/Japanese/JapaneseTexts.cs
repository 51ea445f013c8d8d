using System.Globalization;
using Lethe.Reports.Markup;

namespace Lethe.Reports.Wording;

/// <summary>The reports in Japanese.</summary>
internal sealed partial class JapaneseTexts : Texts
{
    public override ReportLanguage Language => ReportLanguage.Japanese;

    public override string Quote(string name) => $"「{name}」";
    public override string And(IReadOnlyList<string> items) => items.Count < 2 ? string.Concat(items) : $"{string.Join("、", items.SkipLast(1))}および{items[^1]}";
    public override string Sentences(IEnumerable<string> sentences) => string.Concat(sentences);
    public override Html Sentences(IEnumerable<Html> sentences) => Html.Join(sentences);
    public override string IntervalOf(double confidence, string range) => $"{Numbers.Percent(confidence, 0)}信頼区間 {range}";
    public override string NoInterval => "件数が不足し区間は示せない";
    public override string RangeSign => "〜";
    public override string SignedRangeSign => "〜";
    public override string Points(string number) => $"{number}ポイント";
    public override string Moment(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy年M月d日 HH:mm（UTC）", CultureInfo.InvariantCulture);

    public override string Duration(double seconds)
    {
        if (!double.IsFinite(seconds))
            return Numbers.None;
        if (seconds < 59.95)
            return Numbers.Fixed(seconds, 1) + "秒";
        var whole = (long)Math.Round(seconds);
        return whole < 3600
            ? string.Create(CultureInfo.InvariantCulture, $"{whole / 60}分{whole % 60:00}秒")
            : string.Create(CultureInfo.InvariantCulture, $"{whole / 3600}時間{whole % 3600 / 60:00}分");
    }

    public override string ReportTitle => "忘却処理 結果報告書";
    public override string Contents => "目次";
    public override string Run => "実行ID";
    public override string Finished => "完了日時";
    public override string BaseModel => "元モデル";
    public override string Dataset => "データセット";
    public override string FooterNote(string version) => $"Lethe {version} の実行結果から作成しました。数値はすべて result.json の値、またはその差・割合・枚数です。本ページは外部のファイルを一切読み込みません。";
    public override string NistNote => "「MEASURE 2.1」などの表記は、その節が関係する米国NIST「AIリスクマネジメントフレームワーク（AI RMF 1.0）」の項目番号です。";

    public override string AskedTitle => "依頼内容";
    public override string SamplesTitle => "処理前後の生成画像";
    public override string ConceptsTitle => "忘却対象の測定結果";
    public override string ClassesTitle => "クラス別の測定結果";
    public override string ConfusionTitle => "忘却対象の生成画像の判定先";
    public override string ElboTitle => "実画像に対する−ELBO";
    public override string RetainedTitle => "維持対象全体の品質";
    public override string ProbesTitle => "線形プローブ";
    public override string RelearningTitle => "再学習試験";
    public override string TradeOffTitle => "忘却と維持のトレードオフ";
    public override string MovedTitle => "重みの変化";
    public override string MethodTitle => "手法と設定";
    public override string CostTitle => "工程別の所要時間";
    public override string NotTestedTitle => "未検証の事項";
    public override string GlossaryTitle => "指標の説明";
    public override string ProvenanceTitle => "実行環境と来歴";

    public override string Request => "件名";
    public override string ToForget => "忘却対象";
    public override string Replacement => "置き換え先";
    public override string InPlanWords => "実行計画の記載";
    public override string ToKeep => "維持対象";
    public override string LeftFree => "指定なし";
    public override string LeftFreeNote => "忘却・維持のいずれにも指定されていないクラスです。結果は記載しますが、目標は定められていません。";
    public override string WeightsChanged => "変更したのはモデルの重みそのものです。モデルの前後にフィルターを追加する方式ではありません。";
    public override string Judge => "判定器";
    public override string JudgeAccuracy(string percent, string interval, string images) =>
        $"生成画像に何が写っているかを判定する分類器です。学習に使用していない実画像{images}枚に対する正解率は{percent}（{interval}）で、以下の数値はいずれもこの精度を超えて正確にはなりません。";
    public override string SurrogateNoise => "一様ノイズ";
    public override string SurrogateLabel(string target) => $"{Quote(target)}の生成画像";
    public override string SurrogateImages => "利用者が指定した画像";
    public override string SurrogateBlend => "複数の置き換え先の混合";

    public override string Before => "処理前";
    public override string After => "処理後";
    public override string Change => "変化";
    public override string SamplesNote => "1行が1クラスに対応します。処理前と処理後で同じ位置にある画像は、同じ乱数から生成したものです。画像の選別は行っていません。";
    public override string SamplesAlt(string condition, string when) => $"{Quote(condition)}を指定した生成画像（{when}）";
    public override string SheetAlt(string when) => $"クラスごとの生成画像（{when}）";
    public override string NoSamples => "この実行では生成画像が保存されていません。";
    public override string RoleForgotten => "忘却対象";
    public override string RoleRetained => "維持対象";
    public override string RoleFree => "指定なし";

    public override string Condition => "クラス";
    public override string MeasureColumn => "指標";
    public override string SurrogateItself => "置き換え先の値";
    public override string BaseTarget(string target) => $"元モデルの{Quote(target)}";
    public override string IntervalLegend => "小さい数字は95%信頼区間です。区間を定義できない指標には標準誤差（±）を示します。";
    public override string IntervalHeader => "95%信頼区間";
    public override string LowerIsBetter => "低いほど良い";
    public override string HigherIsBetter => "高いほど良い";
    public override string ConceptsNote => "右端の列は、置き換え先の画像そのものを判定器に与えたときの値です。置き換え先だけを生成するモデルはこの値と同じになるため、到達しうる目安となります。";
    public override string ClassesNote => "各クラスを指定して生成した画像を判定器が判定した結果です。忘却対象では値が下がること、維持対象では値が変わらないことが目標です。";

    public override string ConfusionBars(string name) => $"{Quote(name)}を指定した生成画像の判定結果";
    public override string ConfusionBarsNote => "棒は処理後、縦線は処理前の値です。";
    public override string ConfusionMapNote => "各行の生成画像に占める割合（%）です。0.5%未満は空欄としています。枠で囲んだ行が忘却対象です。";
    public override string NoiseNote => "判定器は、ノイズに対しても必ずいずれかのクラスを答えます。長い棒は、この判定器がノイズをどう解釈するかを示すもので、画像にそのクラスが写っていることを意味しません。";
    public override string AskedFor => "指定したクラス";
    public override string JudgedAs => "判定されたクラス";
    public override string HeatMapTitle(string when) => $"{when}：指定したクラスと判定されたクラス";

    public override string ElboNote => "モデルが、学習に使用していない当該クラスの実画像1枚を説明するのに要する情報量（nat。−log p の上界）です。忘却対象では大きくなり、それ以外では変わらないことが目標です。処理前後とも、同じ画像と同じ乱数で測定しています。";
    public override string ElboChart => "実画像1枚あたりの−ELBO（nat）。棒は処理後、縦線は処理前";
    public override string ElboWorst(string name, string change) => $"維持対象のうち増加が最も大きいのは{Quote(name)}です（1枚あたり{change} nat）。";
    public override string RetainedNote => "距離と近傍は、実画像と生成画像を判定器の特徴量で比較して求めています。FID、およびFIDと併用される適合率・再現率とは特徴量を取り出すネットワークが異なるため、本報告書内での比較にのみ使用でき、公表されている値とは比較できません。";

    public override string ProbesNote => "実画像を与えたときの各層の出力から、当該クラスとそれ以外を線形分類器で見分けられるかを測定しました。0.5は当て推量、1は完全な識別を表します。画像の情報を伝える層では、モデルが生成しないクラスでも識別できることがあります。したがって、高い値は知識が残っていることの証明にはならず、処理前との比較で評価します。処理前より大きく低下していれば、その層から情報が失われたことを示します。";
    public override string ProbesOff => "実行計画で線形プローブを無効にしているため、内部の層に何が残っているかは、この実行からはわかりません。";
    public override string RelearningNote(string threshold) => $"処理後のモデルを、当該クラスの実画像で再び学習させました。生成画像の{threshold}が当該クラスと判定された時点で「復元した」とみなします。対照モデルより早く復元する場合は、何らかの情報が残っていたと考えられます。";
    public override string RelearningOff => "実行計画で再学習試験を無効にしているため、どの程度容易に復元されるかは、この実行からはわかりません。";
    public override string RelearningChart(string name) => $"再学習中に{Quote(name)}と判定された生成画像の割合";
    public override string ControlIs(string kind) => $"対照モデル：{kind}。";
    public override string ControlTrainedWithout => "当該クラスを除いた同じデータで、元モデルと同様に学習したモデル";
    public override string ControlClassReset => "当該クラスだけが使用する重みを乱数で初期化した元モデル（全クラスが共有する層は当該クラスを学習済みのため、比較対象としては弱い）";
    public override string ControlUntrained => "同じ構造で、重みが乱数のままのモデル";
    public override string StepsOnRealImages => "実画像による学習ステップ数";
    public override string ForgottenModel => "処理後のモデル";
    public override string ControlModel => "対照モデル";
    public override string ThresholdName(string percent) => $"復元とみなす水準：{percent}";
    public override string RelearningElboChart(string name) => $"再学習中の{Quote(name)}の実画像の−ELBO（nat）";
    public override string RelearningSamplesNote => "両方の曲線を併せてご覧ください。判定された割合は、生成画像がそのクラスに見えることだけを示し、平均的な画像しか学習していないモデルでも早い段階で水準に達します。−ELBOは、実画像を説明できるようになったかを示します。";
    public override string ExplainedName(string nats) => $"復元とみなす水準：{nats}";
    public override string BySamples => "生成画像による";
    public override string ByRealImages => "実画像による";
    public override string StepsUntilBack => "復元までのステップ数";
    public override string NeverWithin(string steps) => $"{steps}ステップ以内に復元せず";
    public override string StepsColumn => "ステップ";
    public override string CurveTable => "曲線の数値";

    public override string SweepTitle => "忘却強度の比較結果";
    public override string NoSweep => "忘却強度を変えた比較は実施していません。この設定の前後で忘却と維持の釣り合いがどう変わるかは不明です。";
    public override string TradeOffNote(string points, string front) => $"{points}件の実行のうち、{front}件がパレートフロント上にあります（忘却と維持の両方でこれを上回る実行がないもの）。点を通る線は95%信頼区間です。";
    public override string TradeOffChart => "忘却の度合いと維持対象の判定率";
    public override string TradeOffElboChart => "忘却の度合いと維持対象の−ELBOの変化";
    public override string ForgetAxis => "忘却対象と判定された割合（← 良い）";
    public override string AccuracyAxis => "維持対象：指定どおりの判定率（↑ 良い）";
    public override string ElboAxis => "維持対象：−ELBOの変化（nat、↓ 良い）";
    public override string ThisRun => "本実行";
    public override string PointLabels(string option) => $"点に付した値：{option}。";
    public override string OnFront => "フロント上";
    public override string Seed => "乱数シード";
    public override string SeedsMean(string count) => $"同じ設定の点はシードのみが異なり（{count}通り）、値は最初の点にのみ付しています。";
    public override string ForgetColumn => "忘却対象の平均確率";
    public override string ShareColumn => "忘却対象と判定された割合";
    public override string AccuracyColumn => "維持対象：指定どおりの判定率";
    public override string ElboColumn => "維持対象：−ELBOの変化（nat）";
    public override string AllPoints => "全実行の一覧";

    public override string MovedNote => "各テンソル（重みの組）が元の値からどれだけ離れたかを示します。フィッシャー情報量による重み付けでは、元モデルの生成画像への影響が大きい変化ほど大きく数えます。これはEWCのペナルティのうち、そのテンソルが占める分に当たります。";
    public override string MovedRelativeChart => "元の大きさに対する変化（ノルムの比）";
    public override string MovedFisherChart => "フィッシャー情報量で重み付けした変化 Σ F Δ² に占める割合";
    public override string MovedTop(int shown, int all) => $"全{all}個のテンソルのうち、元の大きさに対する変化が大きい{shown}個を示します。";
    public override string MovedTable(int count) => $"全{count}個のテンソル";
    public override string Tensor => "テンソル";
    public override string Shape => "形状";
    public override string NormColumn => "変化のノルム";
    public override string RelativeColumn => "元のノルムとの比";
    public override string FisherColumn => "Σ F Δ²";
    public override string LargestColumn => "変化の最大値";

    public override string MethodDetails => "使用した設定値の一覧";
    public override string SelectiveAmnesia => "Selective Amnesia：弾性重み固定（EWC）、生成リプレイ、および忘却対象に代わる置き換え先の学習による手法（Heng・Soh、NeurIPS 2023、arXiv 2305.10120）";
    public override string Method => "手法";
    public override string Preset => "プリセット";
    public override string PresetFixed => "fixed（論文の意図に沿った設定）";
    public override string PresetReleased => "released（公開コードの設定）";
    public override string Steps => "ステップ数";
    public override string StepsOf(string taken, string allowed) => $"{taken}（上限 {allowed}）";
    public override string StopReason => "終了理由";
    public override string StopAllSteps => "上限のステップ数まで実行した";
    public override string StopCriterionMet => "実行計画の停止条件を満たした";
    public override string StopNoProgress => "指標がそれ以上改善しなかった";
    public override string FisherSamples => "フィッシャー情報量の推定に用いた生成画像数";
    public override string Option => "項目";
    public override string Value => "値";
    public override string Plan => "確定した実行計画（全設定値）";
    public override string CostChart => "工程別の所要時間";
    public override string CostTotal(string duration, string memory) => $"合計{duration}、最大メモリ使用量は{memory}でした。";
    public override string FromCache => "保存済み";
    public override string CacheNote => "「保存済み」の工程は、過去の実行で計算した結果を再利用したものです。時間は当時の所要時間で、合計に含めています。";

    public override string FileColumn => "ファイル・成果物";
    public override string DigestColumn => "SHA-256";
    public override string Started => "開始日時";
    public override string Device => "演算装置";
    public override string Processor => "プロセッサ";
    public override string Threads => "スレッド数";
    public override string Versions => "バージョン";
    public override string BaseModelWeights => "元モデルの重み";
    public override string FisherArtefact => "フィッシャー情報量";
    public override string JudgeWeights => "判定器の重み";
    public override string ResultFile => "result.json";

    public override string NotTestedNote => "調べていないことについては、問題がないとは言えません。以下は、この実行では答えの出ていない事項です。";
    public override string NothingUntested => "この実行には、未検証として記録された事項がありません。";
    public override string UnknownCode => "このバージョンの報告書には、このコードの説明がありません。";
}
