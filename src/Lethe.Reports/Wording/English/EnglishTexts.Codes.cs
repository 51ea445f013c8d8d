namespace Lethe.Reports.Wording;

internal sealed partial class EnglishTexts
{
    public override OpenQuestion MembershipInference => new("Can an outsider tell that a certain image was used for training?",
        "Membership inference was not tried. A model can stop drawing a class and still react differently to images it was trained on.");
    public override OpenQuestion TrainingImageExtraction => new("Can single training images be drawn out of the model?",
        "No search for near copies of training images was made.");
    public override OpenQuestion WhiteBoxWeights => new("Can someone who holds the weights bring the concept back without training?",
        "No search through latents, conditions or weights was made. The figures hold for ordinary use through the conditions.");
    public override OpenQuestion MixedConditions => new("Do mixed or unusual conditions draw the concept?",
        "Only the plain conditions were sampled, not blends of two conditions and not values outside the labels.");
    public override OpenQuestion IndirectGeneration => new("Do other conditions draw the concept along the way?",
        "Samples of the retained conditions were judged as wholes; the concept as a part of another image was not looked for.");
    public override OpenQuestion TrainingDataDeletion => new("Was the training data deleted?",
        "Unlearning changes the model only. Data sets, their copies, caches and backups have to be deleted by those who keep them.");
    public override OpenQuestion EarlierModels => new("Who still has an earlier version of the model?",
        "Copies of the base model, and models made from it, still know the concept.");
    public override OpenQuestion RetrainedReference => new("How close is this to training again without the data?",
        "No model was trained from the start without the concept to compare with.");
    public override OpenQuestion OtherJudges => new("Would another classifier say the same?",
        "One judge read all samples. Another may see the concept where this one does not.");
    public override OpenQuestion HumanRating => new("What would people say?",
        "No person rated the samples in a blind test.");
    public override OpenQuestion RealPhotographs => new("Does the result carry over to photographs?",
        "The data set holds small, plain images. Nothing here speaks for photographs, faces or larger models.");
    public override OpenQuestion Quantisation => new("Does the concept come back when weights are stored with fewer bits?",
        "The model was measured in the precision in which it was exported.");
    public override OpenQuestion RelearningUntested => new("How fast do real images of the class bring it back?",
        "Relearning was turned off in the plan.");
    public override OpenQuestion RelearningOtherData => new("Does training on something else bring it back?",
        "Forgotten knowledge can return when a model is trained further on other data. Test again after each such training.");
    public override OpenQuestion LinearProbesUntested => new("Do the inner layers still hold the concept?",
        "Linear probes were turned off in the plan.");
    public override OpenQuestion NonlinearProbes => new("Would a stronger probe find it?",
        "Only linear probes were used; a network trained as a probe may find what a linear one does not.");
    public override OpenQuestion OtherSeeds => new("Is it the same with another seed?",
        "The intervals cover the draw of the samples, not a repetition of the whole run.");

    public override string StageLoad => "Base model";
    public override string StageJudge => "Judge";
    public override string StageTrain => "Training";
    public override string StageMeasureBefore => "Measure before";
    public override string StageReplay => "Replay samples";
    public override string StageSurrogate => "Surrogate";
    public override string StageFisher => "Fisher information";
    public override string StageScore => "Score features";
    public override string StageSubspaces => "Subspaces";
    public override string StageInputs => "Read what edited matrices read";
    public override string StageValues => "Find the edit's values";
    public override string StageForget => "Forget";
    public override string StageMeasureAfter => "Measure after";
    public override string StageAttack => "Attack";
    public override string StageProbe => "Linear probes";
    public override string StageRelearn => "Relearning";
    public override string StageControl => "Control for relearning";
    public override string StageNeverKnew => "Measure the model that never knew";
    public override string StageExport => "Export";
    public override string StageVerify => "Verify the export";
}
