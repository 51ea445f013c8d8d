using Lethe.Evaluation;
using Lethe.Reports.Markup;

namespace Lethe.Reports.Wording;

internal sealed partial class JapaneseTexts
{
    public override string LmForgottenTitle => "忘却対象の測定結果（知識）";
    public override string LmRetainedTitle => "維持対象の測定結果";
    public override string LmPerplexityTitle => "その他の文章";
    public override string LmAnswersTitle => "処理前後の回答例";

    public override string LmUndecidedClause => "忘却したとみられるが、設問数が不足し断定できない";
    public override string LmNotKnownClause => "処理前の知識が乏しく、忘却の程度は判断できない";
    public override string LmRetainUndecidedClause => "維持対象への影響は、設問数が不足し判断できない";
    public override Html LmAskedSentence(string topic, int retained) => Html.Of($"{Quote(topic)}を忘却させ、ほかの{retained}分野を維持すること。");
    public override Html LmTrainedSentence(string after, string interval, string before) =>
        Html.Of($"学習に使った表現とは別の表現で問うと、正しい答えの組を入れ替えた組と区別できたのは設問対の<strong>{after}</strong>です（{interval}）。処理前は{before}、当て推量では50%です。");
    public override Html LmUnseenSentence(string after, string interval, string before) =>
        Html.Of($"忘却処理に使っていない同分野の項目では<strong>{after}</strong>です（{interval}）。処理前は{before}でした。");
    public override Html LmGapSentence(string closed, string interval, string floor) =>
        Html.Of($"これは、処理前の値と、知識がなくても得られる値（{floor}）との差の<strong>{closed}</strong>に当たります（{interval}）。");
    public override string LmGuessedByLetters(string guessed, string floor, bool above) =>
        $"知識がなく、設問と答えの文字を比べるだけでも、学習済み対象の設問対の{guessed}に正解します（下限値は{floor}）。" + (above
            ? "設問の言葉から答えの一部が推測できるため、下限値を上回る分のすべてが知識とは限りません。measure.shared_lettersを指定すると、そのような設問を除外できます。" : "");
    public override Html LmNoGapSentence(string floor) =>
        Html.Of($"知識がなくても得られる値は{floor}です。処理前の値との差が十分でないため、割合は示しません。");
    public override Html LmRetainSentence(int topics, string after, string before, string change, string interval) =>
        Html.Of($"維持対象{topics}分野の設問対のうち、区別できたのは<strong>{after}</strong>です（処理前{before}、変化{change}ポイント、{interval}）。");
    public override Html LmNobodyLostSentence => Html.Of($"正答率が低下した分野はありません。");
    public override Html LmPerplexitySentence(string before, string after, string percent, string interval) =>
        Html.Of($"その他の文章のパープレキシティは{before}から<strong>{after}</strong>になりました（{percent}%、{interval}。正の値は悪化を示します）。");
    public override Html LmTracesSentence => Html.Of($"この実行では試験していません。この種の忘却処理では、知識が他の層に残ったまま表に出なくなることがあり、追加学習で戻る可能性があります。");
    public override string LmRuleForgotten(string gap) => $"忘却を確認：学習に使った項目を別の表現で問うたとき、不確かさを含めて差の{gap}以上が解消されている。下限値を下回った分は差し引く。";
    public override string LmRulePartly(string gap) => $"忘却は部分的：上記は満たさないが、測定値として差の{gap}以上が解消されている。これも満たさない場合は「忘却は認められない」とする。";
    public override string LmRuleKnown => "知識不足：処理前の値が下限値を20ポイント以上（確実な範囲では10ポイント以上）上回っていない。";
    public override string LmRuleKept(string loss, string worst, string perplexity) =>
        $"維持対象への影響は軽微：不確かさを含めて、維持対象の平均の低下が{Points(loss)}以内、パープレキシティの上昇が{perplexity}以内であり、かつ個々の分野の低下（測定値）が{Points(worst)}以内である。";
    public override string LmRuleUndecided => "設問数の不足：測定値は限度内だが、95%信頼区間が限度を超える範囲に及ぶ。";

    public override string LmTopic => "分野";
    public override string LmGround => "設問と文章";
    public override string LmScope => "対象範囲";
    public override string LmAskedAbout => "設問の対象";
    public override string LmPartTest => "試験用の項目（設定の選択には使っていない）";
    public override string LmPartValidation => "検証用の項目（設定の選択に使うため、値は良く出やすい）";
    public override string LmTrainedOn => "処理に使った文章";
    public override string LmTexts(string forget, string retain) => $"忘却用{forget}件、維持用{retain}件";
    public override string LmRoleColumn => "区分";
    public override string LmRoleForget => "忘却対象";
    public override string LmRoleNeighbour => "近接分野";
    public override string LmRoleRetain => "維持対象";
    public override string LmEntities => "項目数";
    public override string LmTrainedEntities => "処理に使用";
    public override string LmTextsColumn => "文章数";
    public override string LmQuestions => "設問数";
    public override string LmSplitNote => "項目は一度だけ分割します。各項目は、その文章すべてを処理に使うか、まったく使わないかのいずれかです。処理に使う文章に、設問の文言は含まれません。維持対象は、処理に使っていない項目で測定します。";

    public override string LmTrainedName => "処理に使った項目（別の表現で質問）";
    public override string LmUnseenName => "同分野の未使用の項目";
    public override string LmSwapName => "入れ替え正答率";
    public override string LmMarginName => "入れ替え対数比（nat）";
    public override string LmChoiceName => "四択正答率";
    public override string LmPerplexityName => "パープレキシティ";
    public override string LmNeverKnew => "未学習モデル";
    public override string LmSwapChart => "入れ替え正答率（50%は当て推量）";
    public override string LmFloorBefore => "下限値（処理前）";
    public override string LmFloorAfter => "下限値（処理後）";
    public override string LmGap => "下限値を上回る知識（ポイント）";
    public override string LmGapClosed => "差の解消率";
    public override string LmForgottenNote => "1行目が依頼者に関わる値です。忘却用の文章に含まれる項目を、別の表現で問うています。2行目は、同じ分野の中で忘却がどこまで及ぶかを示すもので、約束された値ではありません。下限値の低下は、忘却ではなく損傷です。";
    public override string LmRetainedNote => "近接分野を先に示します。影響は近接分野から現れ、正答率に現れない損傷も対数比には現れます。";
    public override string LmKeptNote => "忘却処理に使った項目そのものについて、維持すべき知識です（古い記録を忘却させ、現在の記録を維持する場合など）。処理前に四択で正答した設問のうち、処理後も正答した割合を示します。処理前の正答には、当て推量によるものも含まれます。";
    public override string LmRightBefore => "処理前の正答数";
    public override string LmStillRight => "うち処理後も正答";
    public override string LmNonInferior(string points) => $"全設問対をまとめると、低下は{Points(points)}より小さいことが示されました。";
    public override string LmNotShown(string points) => $"全設問対をまとめても、低下が{Points(points)}より小さいことは示されていません。それより大きい低下があるという意味ではありません。";
    public override string LmDetectable(string points) => $"{Points(points)}の変化であれば、おそらく検出できました。";
    public override string LmPerplexityNote(string tokens) => $"学習に使っていない文章{tokens}トークンで測定しました。";

    public override string LmNoAnswers => "実行計画では、回答例を求めていません。";
    public override string LmQuestion => "モデルへの入力";
    public override string LmExpected => "正答";
    public override string LmAnswersNote => "最も確率の高いトークンを順に選んだ回答です。設問は一覧の位置で選んでおり、内容で選んでいません。回答には、個人情報を含め、忘却すべき内容が含まれる場合があります。本ページを渡すことは、その内容を渡すことになります。実行計画で measure.answers を 0 にすると記載しません。";
    public override string LmMovedNote => "元モデルと異なるのは次のテンソルだけです。それ以外は元のまま書き出しています。";
    public override string LmTokensSeen => "忘却処理で読んだトークン数";
    public override string LmTrainedNumbers => "学習した数値の個数";

    public override string LmTradeOffChart => "忘却対象の残存と、忘却の代償";
    public override string LmSwapAxis => "処理に使った項目の入れ替え正答率（← 下限値まで良い）";
    public override string LmCostAxis => "代償（限度を1とする）（↓ 良い）";
    public override string LmBound => "限度";
    public override string LmCostNote => "代償は、手法を比較する際の限度を1とした3つの低下のうち最大のものです。限度は、維持対象の平均で1ポイント、最も低下した近接分野で3ポイント、パープレキシティで2%です。1以下なら限度内です。";
    public override string LmRetainColumn => "維持対象の平均の変化（ポイント）";
    public override string LmWorstColumn => "最も低下した分野（ポイント）";
    public override string LmPerplexityColumn => "パープレキシティの変化（%）";
    public override string LmCostColumn => "代償";

    public override string LmFeaturesTitle => "特徴と部分空間";
    public override string LmSite => "位置";
    public override string LmSeparation => "忘却対象の文章にかかる活性の割合";
    public override string LmAblationForget => "関連特徴を除いたときに失われる忘却対象のマージン";
    public override string LmAblationRetain => "同じく他の話題で失われるマージン";
    public override string LmAblationNote(string correlation) => $"右の二列は、編集前のモデルの各箇所から関連部分空間を取り除き、検証用の質問を尋ねた結果です（独立した確認）。分離の度合いと、忘却対象が他の話題よりどれだけ多く失われたかとのスピアマン順位相関: {correlation}。";
    public override string LmByChance95 => "偶然でも20回に1回達する値";
    public override string LmChosen => "潜在変数";
    public override string LmRanks => "階数：関連＋無関連／全次元";
    public override string LmStability => "別の文書でも同じ潜在変数が選ばれる度合い（Jaccard係数）";
    public override string LmByChance => "偶然の場合";
    public override string LmForgetText => "忘却対象の文章";
    public override string LmRetainText => "維持対象の文章";
    public override string LmHiddenStates => "隠れ状態";
    public override string LmMovedBy => "移動量（相対）";
    public override string LmInRelevant => "うち関連部分空間";
    public override string LmInIrrelevant => "うち無関連部分空間";
    public override string LmMayRead => "読み取れる方向の数";
    public override string LmProtectedEnergy => "維持対象の文章のエネルギー";
    public override string LmForgetEnergy => "忘却対象の文章のエネルギー";
    public override string LmFeaturesNote => "スパースオートエンコーダは、隠れ状態を、それぞれが一つの意味を持ちやすい少数の潜在変数で表します。忘却対象の文章で維持対象より多く使われるものを「関連」、その逆を「無関連」と呼びます。忘却処理は、忘却対象の文章の隠れ状態を、無関連の潜在変数が張る部分空間へ移します。";
    public override string LmMovementNote => "移動量は、変化の二乗平均平方根を元の状態のそれで割った値です。忘却対象の文章だけが動くことが目標です。維持対象の文章のエネルギーが大きい方向を、更新から除くことができます。";
    public override string LmChosenOf(string relevant, string candidates, string irrelevant) => $"候補{candidates}個から関連{relevant}個、無関連{irrelevant}個";
    public override string LmOnForget(string layer) => $"第{layer}層：忘却対象の文章での関連潜在変数";
    public override string LmOnRetain(string layer) => $"第{layer}層：維持対象の文章での同じ潜在変数";
    public override string LmLayer(string layer) => $"第{layer}層";

    public override Explained LmSwapTerm => new("入れ替え正答率",
        "同じ分野の、答えの異なる2つの設問を1対とします。正しい答えの組のほうが、答えを入れ替えた組より確率が高ければ正答とします。答えそのものの出やすさは打ち消し合い、当て推量では50%になります。");
    public override Explained LmMarginTerm => new("入れ替え対数比",
        "正しい答えの組が、入れ替えた組よりどれだけ確率が高いかを nat で表した値です。正答率より先に変化します。");
    public override Explained LmChoiceTerm => new("四択正答率",
        "4つの選択肢のうち正答の確率が最も高い設問の割合です。答えの出やすさの影響を受けます。当て推量では約25%です。");
    public override Explained LmFloorTerm => new("下限値",
        "知識がなくても得られる値です。通常は設問対の50%、名前から答えが推測できる場合は、実在しない名前での測定値を用います。忘却対象を学習していないモデルを測定した場合は、その値を用います。これを下回る場合は、依頼以上のものが失われています。");
    public override Explained LmNeverKnewTerm => new("未学習モデル",
        "元モデルと同じ方法で、忘却対象だけを除いて学習したモデルです。同じ設問で測定し、その値を下限値とします。");
    public override Explained LmGapTerm => new("差の解消率",
        "（処理前 − 処理後）÷（処理前 − 下限値）。変化がなければ0%、下限値に達すれば100%です。下限値を下回った分は差し引きます。", Better.Higher);
    public override Explained LmNeighbourTerm => new("近接分野",
        "忘却対象に近いものとして実行計画で指定した分野です。影響が最初に現れます。");
    public override Explained LmPerplexityTerm => new("パープレキシティ",
        "通常の文章の各トークンで、モデルが平均して何個の同程度に確からしい候補の間で迷うかを示します。", Better.Lower);
    public override Explained LmIntervalTerm => new("95%信頼区間",
        "別の項目で100回繰り返したとき、95回は真の値を含むように作った範囲です。分野ごとに、項目のまとまりを単位とするブートストラップ法で求めています。");

    public override OpenQuestion TextMembership => new("特定の文章が学習に使われたことを、外部から推定できるか",
        "メンバーシップ推論は試していません。答えなくなったモデルでも、学習に使った文章の確率を高く見積もることがあります。");
    public override OpenQuestion TextRelearning => new("追加学習でどの程度早く復元するか",
        "忘却対象の文章、同分野の別の文章、その他のデータのいずれについても、再学習試験は行っていません。この種の手法は追加学習に弱いことが知られています。");
    public override OpenQuestion AdversarialPrompts => new("悪意のある入力で復元されないか",
        "入力文の探索、設問の前に例を置く方法、役割を演じさせる方法は、いずれも試していません。");
    public override OpenQuestion OtherWords => new("別の言い方や別の言語では答えられるのではないか",
        "実行計画の設問のみを、その言語と形式で問うています。");
    public override OpenQuestion InnerLayers => new("内部の層に情報が残っていないか",
        "隠れ状態を調べるプローブは用いていません。一部の層の変更では、他の層が保持する情報が表に出なくなるだけの場合があります。");
    public override OpenQuestion FewerBits => new("重みをより少ないビット数で保存すると、復元されないか",
        "モデルは、出力した精度のままで測定しています。");
    public override OpenQuestion OtherAbilities => new("他の能力は損なわれていないか",
        "実行計画の分野とパープレキシティ以外は測定していません（会話、推論、他の言語など）。./lethe evaluate の --tasks で、より広く測定できます。");
}
