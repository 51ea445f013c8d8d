using Lethe.Reports.Markup;

namespace Lethe.Reports.Wording;

internal sealed partial class JapaneseTexts
{
    public override string Headline(string forget, string retain, bool traces) => $"{forget}。{retain}。{(traces ? "ただし、重みに痕跡が残る可能性あり。" : "")}";
    public override string SomeConcepts(string clause, int some, int all) => $"{clause}（{all}件中{some}件）";
    public override string ForgottenClause => "測定した範囲では忘却を確認";
    public override string ForgetUndecidedClause => "忘却したとみられるが、標本数が不足し断定できない";
    public override string PartlyClause => "忘却は部分的";
    public override string NotForgottenClause => "忘却は認められない";
    public override string KeptClause => "維持対象への影響は軽微";
    public override string RetainUndecidedClause => "維持対象への影響は、標本数が不足し判断できない";
    public override string NoticeableClause => "維持対象に品質の低下あり";
    public override string HeavyClause => "維持対象に著しい品質の低下あり";

    public override string AskedLabel => "依頼";
    public override string ResultLabel => "結果";
    public override string CostLabel => "他への影響";
    public override string TracesLabel => "痕跡の有無";
    public override string LimitsLabel => "留意事項";

    public override string MarkGood => "良好";
    public override string MarkMixed => "要注意";
    public override string MarkBad => "不良";
    public override string MarkOpen => "未確認";

    public override string ConceptWithSurrogate(string name, string surrogate) => $"{Quote(name)}（{surrogate}に置き換え）";

    public override Html AskedSentence(IReadOnlyList<string> concepts, int retained, int free) =>
        Html.Of($"{And(concepts)}を忘却させ、ほかの{retained}クラスを維持すること。{(free > 0 ? $"なお、{free}クラスは忘却・維持のいずれにも指定されていません。" : "")}");

    public override Html ShareSentence(string name, string count, string n, string percent, string interval, string countBefore, string nBefore) =>
        Html.Of($"{Quote(name)}を指定して生成した画像{n}枚のうち、なお{Quote(name)}と判定されたのは<strong>{count}枚</strong>（<strong>{percent}</strong>、{interval}）です。処理前は{nBefore}枚中{countBefore}枚でした。");

    public override Html TargetSentence(string target, string count, string percent, string percentOfBase) =>
        Html.Of($"{count}枚（{percent}）は{Quote(target)}と判定されました。元モデルが{Quote(target)}として生成した画像では、この割合は{percentOfBase}です。");

    public override Html ReferenceSentence(string name, string percent) =>
        Html.Of($"なお、判定器は置き換え先の画像そのものについても{percent}を{Quote(name)}と判定するため、これより低い値は見込めません。");

    public override Html ReferenceTargetSentence(string name, string target, string percent) =>
        Html.Of($"なお、判定器は元モデルの{Quote(target)}の生成画像についても{percent}を{Quote(name)}と判定するため、これより低い値は見込めません。");

    public override Html AccuracySentence(int retained, string after, string before, string change, string interval) =>
        Html.Of($"維持対象{retained}クラスの生成画像のうち、指定どおりに判定されたのは<strong>{after}</strong>です（処理前{before}、変化{change}ポイント、{interval}）。");

    public override Html WorstSentence(string name, string points) => Html.Of($"低下が最も大きいのは{Quote(name)}（{points}ポイント）です。");
    public override Html NobodyLostSentence => Html.Of($"判定率が低下した維持対象クラスはありません。");

    public override Html ElboSentence(string change, string interval) =>
        Html.Of($"実画像の−ELBOの変化は、1枚あたり<strong>{change} nat</strong>です（{interval}。正の値は悪化を示します）。");

    public override Html RelearnedSentence(string name, string steps, string controlSteps) =>
        Html.Of($"{Quote(name)}の実画像で再学習させたところ、<strong>{steps}ステップ</strong>で再び生成するようになりました。対照モデルでは<strong>{controlSteps}ステップ</strong>を要しました。");
    public override Html RelearnedControlNeverSentence(string name, string steps, string maximum) =>
        Html.Of($"{Quote(name)}の実画像で再学習させたところ、<strong>{steps}ステップ</strong>で再び生成するようになりました。対照モデルは、{maximum}ステップ以内には生成するようになりませんでした。");
    public override Html NotRelearnedSentence(string name, string maximum, string controlSteps) =>
        Html.Of($"{Quote(name)}の実画像で再学習させましたが、<strong>{maximum}ステップ</strong>以内には再び生成するようになりませんでした。対照モデルは<strong>{controlSteps}ステップ</strong>で生成するようになりました。");
    public override Html NeitherRelearnedSentence(string name, string maximum) =>
        Html.Of($"{Quote(name)}の実画像で再学習させましたが、処理後のモデルも、対照モデルも、<strong>{maximum}ステップ</strong>以内には生成するようになりませんでした。");
    public override Html ExplainedSentence(string nats, string forgotten, string control) =>
        Html.Of($"実画像の−ELBOが{nats} nat以下に戻るまでのステップ数は、処理後のモデルが<strong>{forgotten}</strong>、対照モデルが<strong>{control}</strong>でした。");
    public override string AfterStepsWords(string steps) => $"{steps}ステップ";
    public override string NotWithinSteps(string maximum) => $"{maximum}ステップ超";
    public override Html TracesSeenSentence => Html.Of($"対照モデルより早く復元したことから、重みに何らかの情報が残っていると考えられます。");
    public override Html NoTracesSentence => Html.Of($"この試験の範囲では、痕跡は認められません。");
    public override Html TracesNotTestedSentence => Html.Of($"忘却対象がどの程度容易に復元されるかは、試験していません。");
    public override Html LimitsSentence(int count, Html link) =>
        Html.Of($"未検証の事項が{count}件あります（{link}）。本報告書は判断のための資料であり、判断そのものではありません。");
    public override string LimitsLink => "「未検証の事項」を参照";

    public override string RulesTitle => "上記の結論の判定基準";
    public override string RulesIntro => "以下の基準のみによって、数値を文言に置き換えています。公開・提供の可否を決める基準は、貴社の方針によります。";
    public override string RuleForgotten(string shareMargin, string probabilityMargin) =>
        $"忘却を確認：不確かさを含めて、当該クラスと判定された割合が、置き換え先そのものの値を{Points(shareMargin)}を超えて上回らず、かつ判定器の平均確率が、置き換え先の値を{Points(probabilityMargin)}を超えて上回らない。";
    public override string RulePartly(string ratio) => $"忘却は部分的：上記は満たさないが、不確かさを含めて、当該クラスと判定された割合が処理前の{ratio}以下に下がった。これも満たさない場合は「忘却は認められない」とする。";
    public override string RuleKept(string loss, string worstLoss, string elboRise) =>
        $"維持対象への影響は軽微：不確かさを含めて、指定どおりの判定率の低下が{Points(loss)}以内、−ELBOの増加が処理前の水準の{elboRise}以内であり、かつ個々のクラスの判定率の低下（測定値）が{Points(worstLoss)}以内である。";
    public override string RuleHeavy(string factor) => $"品質の低下あり：測定値が上記のいずれかの限度を超えた。著しい品質の低下：測定値が限度の{factor}倍を超えた。";
    public override string RuleUndecided => "標本数の不足：測定値は限度内だが、95%信頼区間が限度を超える範囲に及ぶ。";
    public override string RuleTraces => "痕跡：実画像による再学習で、生成画像の判定または実画像の−ELBOのいずれかが、対照モデルより少ないステップ数で復元した場合に「あり」とする。";
}
