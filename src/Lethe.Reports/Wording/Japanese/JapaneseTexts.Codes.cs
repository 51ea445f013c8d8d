namespace Lethe.Reports.Wording;

internal sealed partial class JapaneseTexts
{
    public override OpenQuestion MembershipInference => new("特定の画像が学習に使われたことを、外部から推定できるか",
        "メンバーシップ推論は試していません。クラスを生成しなくなったモデルでも、学習に使った画像には異なる反応を示すことがあります。");
    public override OpenQuestion TrainingImageExtraction => new("学習に使った個々の画像を、モデルから取り出せるか",
        "学習画像に酷似した生成画像の探索は行っていません。");
    public override OpenQuestion WhiteBoxWeights => new("重みを入手した者が、学習なしで忘却対象を復元できるか",
        "潜在変数、条件、重みを探索する攻撃は試していません。本報告書の数値は、条件を指定する通常の利用について述べたものです。");
    public override OpenQuestion MixedConditions => new("条件を混ぜる、または通常使わない条件を与えると、忘却対象が生成されるか",
        "通常の条件のみを測定しており、2つの条件の混合や、ラベルにない値は試していません。");
    public override OpenQuestion IndirectGeneration => new("他のクラスの画像の中に、忘却対象が生成されることはないか",
        "維持対象の生成画像は、画像全体として判定しています。画像の一部に忘却対象が含まれていないかは調べていません。");
    public override OpenQuestion TrainingDataDeletion => new("学習データは削除されたか",
        "忘却処理はモデルのみを変更します。データセットとその複製、キャッシュ、バックアップは、それぞれの管理者が削除する必要があります。");
    public override OpenQuestion EarlierModels => new("処理前のモデルを保有している者がいないか",
        "元モデルの複製、および元モデルから派生したモデルには、忘却対象の知識が残っています。");
    public override OpenQuestion RetrainedReference => new("当該データを除いて学習し直したモデルに、どの程度近いか",
        "比較のために、忘却対象を除いて最初から学習し直したモデルは作成していません。");
    public override OpenQuestion OtherJudges => new("別の分類器でも同じ判定になるか",
        "すべての生成画像を1つの判定器で判定しています。別の分類器であれば、忘却対象を検出する可能性があります。");
    public override OpenQuestion HumanRating => new("人が見た場合にどう評価されるか",
        "人によるブラインド評価は行っていません。");
    public override OpenQuestion RealPhotographs => new("写真にも同じ結果が当てはまるか",
        "データセットは小さく単純な画像です。写真、人物の顔、より大規模なモデルについては、何も示していません。");
    public override OpenQuestion Quantisation => new("重みをより少ないビット数で保存すると、忘却対象が復元されないか",
        "モデルは、出力した精度のままで測定しています。");
    public override OpenQuestion RelearningUntested => new("実画像による再学習で、どの程度早く復元するか",
        "実行計画で再学習試験を無効にしています。");
    public override OpenQuestion RelearningOtherData => new("別のデータによる追加学習で、忘却対象が復元されないか",
        "忘れた知識は、別のデータで追加学習した際に戻ることがあります。追加学習のたびに再試験が必要です。");
    public override OpenQuestion LinearProbesUntested => new("内部の層に忘却対象の情報が残っていないか",
        "実行計画で線形プローブを無効にしています。");
    public override OpenQuestion NonlinearProbes => new("より強力なプローブであれば検出されるか",
        "用いたのは線形プローブのみです。ニューラルネットワークによるプローブであれば、線形では見つからない情報を検出する可能性があります。");
    public override OpenQuestion OtherSeeds => new("乱数シードを変えても同じ結果になるか",
        "信頼区間は生成画像の抽出による変動を表すもので、処理全体を繰り返した場合の変動は含みません。");

    public override string StageLoad => "元モデルの準備";
    public override string StageJudge => "判定器の準備";
    public override string StageTrain => "学習";
    public override string StageMeasureBefore => "処理前の測定";
    public override string StageReplay => "リプレイ画像の生成";
    public override string StageSurrogate => "置き換え先の準備";
    public override string StageFisher => "フィッシャー情報量の推定";
    public override string StageScore => "特徴の評価";
    public override string StageSubspaces => "部分空間の構成";
    public override string StageInputs => "編集する行列の入力の観測";
    public override string StageValues => "編集の目標値の探索";
    public override string StageForget => "忘却処理";
    public override string StageMeasureAfter => "処理後の測定";
    public override string StageAttack => "攻撃試験";
    public override string StageProbe => "線形プローブ";
    public override string StageRelearn => "再学習試験";
    public override string StageControl => "再学習の対照モデル";
    public override string StageNeverKnew => "未学習モデルの測定";
    public override string StageExport => "モデルの出力";
    public override string StageVerify => "出力の検証";
}
