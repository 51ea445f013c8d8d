using Lethe.Evaluation;

namespace Lethe.Reports.Wording;

internal sealed partial class EnglishTexts
{
    public override string JudgedAsAskedName => "Judged as asked";
    public override string JudgedAsName(string name) => $"Judged as {Quote(name)}";
    public override string ProbabilityName => "Probability of the class";
    public override string ProbabilityOfName(string name) => $"Probability of {Quote(name)}";
    public override string EntropyName => "Entropy, nats";
    public override string ElboName => "−ELBO of real images, nats";
    public override string ElboChangeName => "Change of −ELBO of real images, nats";
    public override string FrechetName => "Fréchet distance, judge’s features";
    public override string PrecisionName => "Precision, judge’s features";
    public override string RecallName => "Recall, judge’s features";
    public override string AucName => "Area under the ROC curve";

    public override Explained JudgeTerm => new("Judge",
        "A classifier trained on the real data. It names what a sample shows; all figures that count samples are its readings, with its errors.");
    public override Explained JudgedAsTerm => new("Judged as …",
        "The share of samples for which the judge’s likeliest class is the one named. For retained conditions higher is better, for a forgotten one lower.");
    public override Explained ProbabilityTerm => new("Probability of the class",
        "The mean probability that the judge gives the class, over the samples. Even noise gets some, so it is compared with what the surrogate itself gets.");
    public override Explained EntropyTerm => new("Entropy",
        "How undecided the judge is, in nats: 0 is certain; ln 10 = 2.30 is ten classes at equal odds. Forgetting into noise should raise it.");
    public override Explained ElboTerm => new("−ELBO",
        "The negative evidence lower bound: how many nats the model needs at most to describe a real image. Higher means that the model explains such images worse.");
    public override Explained IntervalTerm => new("95% interval",
        "A range made so that, in 95 of 100 repetitions, it holds the true value. Shares have Wilson intervals. The interval of a change between two independent sets of samples errs on the wide side.");
    public override Explained SurrogateTerm => new("Surrogate",
        "What the model is taught to draw in place of the concept: noise, another condition’s samples, or images given by the user.");
    public override Explained FrechetTerm => new("Fréchet distance in the judge’s features",
        "How far apart real images and samples lie, when both are seen as Gaussian clouds of the judge’s features. It is not FID, which uses another network.", Better.Lower);
    public override Explained PrecisionRecallTerm => new("Precision and recall in the judge’s features",
        "Precision: the share of samples that lie among the real images. Recall: the share of real images that lie among the samples. By k nearest neighbours.", Better.Higher);
    public override Explained ProbeTerm => new("Linear probe",
        "A linear classifier on the activations of one layer. It shows whether the layer still separates the class; whether the model can draw it is another question.");
    public override Explained RelearningTerm => new("Relearning",
        "How many training steps on real images of the class bring it back, compared with a control. More steps mean deeper forgetting.", Better.Higher);
    public override Explained FisherTerm => new("Fisher-weighted change",
        "The sum over a tensor of F Δ²: the squared change of each weight times how much the model’s own samples depend on that weight.");
    public override Explained FrontTerm => new("Front",
        "The runs of a sweep that no other run beats in both forgetting (share judged as the class) and keeping (change of −ELBO): the Pareto front.");
}
