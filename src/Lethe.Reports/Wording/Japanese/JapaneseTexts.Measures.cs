using Lethe.Evaluation;

namespace Lethe.Reports.Wording;

internal sealed partial class JapaneseTexts
{
    public override string JudgedAsAskedName => "指定どおりの判定率";
    public override string JudgedAsName(string name) => $"{Quote(name)}と判定された割合";
    public override string ProbabilityName => "当該クラスの平均確率";
    public override string ProbabilityOfName(string name) => $"{Quote(name)}の平均確率";
    public override string EntropyName => "エントロピー（nat）";
    public override string ElboName => "実画像の−ELBO（nat）";
    public override string ElboChangeName => "実画像の−ELBOの変化（nat）";
    public override string FrechetName => "フレシェ距離（判定器の特徴量）";
    public override string PrecisionName => "適合率（判定器の特徴量）";
    public override string RecallName => "再現率（判定器の特徴量）";
    public override string AucName => "ROC曲線下面積（AUC）";

    public override Explained JudgeTerm => new("判定器",
        "実データで学習した分類器です。生成画像に何が写っているかを判定します。枚数を数える指標はすべてこの判定に基づき、判定器の誤りを含みます。");
    public override Explained JudgedAsTerm => new("…と判定された割合",
        "判定器が最も可能性が高いとしたクラスが、当該クラスである生成画像の割合です。維持対象では高いほど、忘却対象では低いほど良好です。");
    public override Explained ProbabilityTerm => new("当該クラスの平均確率",
        "判定器が当該クラスに与えた確率を、生成画像全体で平均した値です。ノイズにもある程度の確率が与えられるため、置き換え先そのものの値と比較します。");
    public override Explained EntropyTerm => new("エントロピー",
        "判定器の迷いの大きさ（nat）です。0は確信している状態、ln 10＝2.30は10クラスが同じ確率の状態を表します。ノイズに置き換えた場合は大きくなるはずです。");
    public override Explained ElboTerm => new("−ELBO",
        "負の変分下界です。モデルが実画像1枚を記述するのに要する情報量（nat）の上限を表し、大きいほど、その画像をうまく説明できないことを意味します。");
    public override Explained IntervalTerm => new("95%信頼区間",
        "同じ測定を100回繰り返したとき、95回程度は真の値を含むように求めた範囲です。割合にはウィルソンの区間を用いています。独立した2組の生成画像の差については、広めの区間となります。");
    public override Explained SurrogateTerm => new("置き換え先",
        "忘却対象の代わりに生成するよう、モデルに学習させる画像です。ノイズ、他クラスの生成画像、利用者が指定した画像などがあります。");
    public override Explained FrechetTerm => new("フレシェ距離（判定器の特徴量）",
        "実画像と生成画像を判定器の特徴量で表し、それぞれを正規分布とみなしたときの隔たりです。別のネットワークを用いるFIDとは異なります。", Better.Lower);
    public override Explained PrecisionRecallTerm => new("適合率・再現率（判定器の特徴量）",
        "適合率は実画像の分布の範囲に入る生成画像の割合、再現率は生成画像の分布の範囲に入る実画像の割合です。k近傍法で求めます。", Better.Higher);
    public override Explained ProbeTerm => new("線形プローブ",
        "ある層の出力を入力とする線形分類器です。その層で当該クラスを見分けられるかを示します。モデルがそのクラスを生成できるかどうかとは別の問題です。");
    public override Explained RelearningTerm => new("再学習試験",
        "当該クラスの実画像で何ステップ学習すると復元するかを、対照モデルと比較します。ステップ数が多いほど、深く忘却しています。", Better.Higher);
    public override Explained FisherTerm => new("フィッシャー情報量で重み付けした変化",
        "テンソル内の F Δ² の和です。個々の重みの変化の2乗に、モデル自身の生成画像がその重みにどれだけ依存するかを掛けた値を合計します。");
    public override Explained FrontTerm => new("パレートフロント",
        "忘却（当該クラスと判定された割合）と維持（−ELBOの変化）の両方で、これを上回る実行がほかにない実行の集まりです。");
}
