using Lethe.Evaluation.Language;
using Lethe.Runs.Language.Tasks;
using Lethe.Torch;

namespace Lethe.Runs.Language.Evaluation;

/// <summary>A subtask's items with what the model made of them.</summary>
/// <param name="Name">Name in the results.</param>
/// <param name="Available">Rows that there are.</param>
/// <param name="Items">The items.</param>
/// <param name="Figures">Their figures.</param>
internal sealed record SubtaskRun(string Name, int Available, IReadOnlyList<ItemResult> Items, IReadOnlyList<Figure> Figures);

/// <summary>A task's subtasks with what the model made of them.</summary>
/// <param name="Task">The task.</param>
/// <param name="Shots">Examples before each question.</param>
/// <param name="Divided">Whether the task has subtasks; otherwise the one that there is has the task's own name.</param>
/// <param name="Subtasks">The subtasks.</param>
/// <param name="Figures">Figures over all items.</param>
/// <param name="Seconds">Wall-clock time.</param>
internal sealed record TaskRun(LanguageTask Task, int Shots, bool Divided, IReadOnlyList<SubtaskRun> Subtasks, IReadOnlyList<Figure> Figures, double Seconds)
{
    /// <summary>What is made public of it.</summary>
    public TaskResult Result => new(Task.Name, Shots, Subtasks.Sum(subtask => subtask.Items.Count), Subtasks.Sum(subtask => subtask.Available), Figures,
        Divided ? [.. Subtasks.Select(subtask => new SubtaskResult(subtask.Name, subtask.Items.Count, subtask.Available, subtask.Figures))] : null, Seconds);
}

/// <summary>Asks a model the questions of tasks.</summary>
/// <param name="scorer">Scores continuations.</param>
/// <param name="answers">Generates answers.</param>
/// <param name="encoding">The tokenizer.</param>
/// <param name="context">Progress, clock, stopping.</param>
internal sealed class TaskAsker(LanguageScorer scorer, GreedyAnswers answers, RequestEncoding encoding, RunContext context)
{
    /// <summary>Asks a task.</summary>
    /// <param name="task">The task.</param>
    /// <param name="limit">First rows of each subtask; null for all.</param>
    /// <param name="shots">Examples; null for the task's number.</param>
    public TaskRun Ask(LanguageTask task, int? limit, int? shots)
    {
        var from = context.Time.GetTimestamp();
        context.Progress.StageStarted(task.Name);
        var subtasks = task.Subtasks(limit, shots).Select(subtask => (Subtask: subtask, Items: Item.Of(task.File.OutputType, subtask.Questions))).Where(pair => pair.Items.Count > 0).ToList();
        if (subtasks.Count == 0)
            throw new BadInputException($"{task.Source}: no two rows of a subtask have different answers, so that there is nothing to swap.");
        var judging = new Judging(task.File);
        var results = Results(task.File, [.. subtasks.SelectMany(pair => pair.Items)], judging, task.Name);
        var runs = new List<SubtaskRun>();
        var next = 0;
        foreach (var (subtask, items) in subtasks)
        {
            var own = results[next..(next += items.Count)];
            runs.Add(new SubtaskRun(subtask.Name, subtask.Available, own, judging.Figures(own)));
        }
        var seconds = Math.Round(context.Time.GetElapsedTime(from).TotalSeconds, 3);
        context.Progress.StageFinished(task.Name, seconds);
        var divided = task.File.GroupBy.Count > 0;
        return new TaskRun(task, task.File.OutputType == TaskOutput.LoglikelihoodRolling ? 0 : shots ?? task.File.NumFewshot, divided, runs, divided ? Pooled(judging.Figures(results), runs) : runs[0].Figures, seconds);
    }

    private ItemResult[] Results(TaskFile task, IReadOnlyList<Item> items, Judging judging, string name)
    {
        RateMeter? rate = null;
        void Tell(int done, int all) => context.Progress.Advanced((rate ??= new RateMeter(context.Time, done)).Progress(name, null, done, all, []));
        switch (task.OutputType)
        {
            case TaskOutput.GenerateUntil:
                var made = answers.Answer([.. items.Select(item => new AnswerRequest(item.Question.Context, task.GenerationKwargs.Until, task.GenerationKwargs.MaxGenToks))], Tell, context.Cancellation);
                return [.. items.Zip(made, (item, answer) => judging.Judge(item, [], answer.Text))];
            case TaskOutput.LoglikelihoodRolling:
                var windows = items.Select(item => Guarded(item, () => encoding.Rolling(item.Question.Context, scorer.MaximumLength).ToArray())).ToArray();
                var parts = scorer.Score([.. windows.SelectMany(window => window)], Tell, context.Cancellation).AsSpan();
                var rolled = new ItemResult[items.Count];
                for (var i = 0; i < rolled.Length; i++)
                {
                    var own = parts[..windows[i].Length].ToArray();
                    parts = parts[own.Length..];
                    rolled[i] = judging.Judge(items[i], [new LogLikelihood(own.Sum(part => part.LogProbability), own.All(part => part.Greedy), own.Sum(part => part.Tokens))], null);
                }
                return rolled;
            default:
                var prompts = items.SelectMany(item => item.Prompts.Select(prompt => Guarded(item, () =>
                    (IReadOnlyList<ScoredRequest>)[.. prompt.Continuations.Select(continuation => encoding.Pair(prompt.Context, continuation).Checked(scorer.MaximumLength))]))).ToArray();
                var scores = new Queue<LogLikelihood[]>(scorer.Score(prompts, Tell, context.Cancellation));
                return [.. items.Select(item => judging.Judge(item, [.. item.Prompts.SelectMany(_ => scores.Dequeue())], null))];
        }
    }

    /// <summary>
    /// Figures of a divided task: those over all items, with lm-evaluation-harness's error of a pooled sample, √(Σ (nᵢ − 1) nᵢ sᵢ² / (Σ nᵢ − k) / Σ nᵢ), so that
    /// differences between subtasks are no noise.
    /// </summary>
    private static IReadOnlyList<Figure> Pooled(IReadOnlyList<Figure> figures, IReadOnlyList<SubtaskRun> runs) => [.. figures.Select((figure, at) =>
    {
        var parts = runs.Select(run => run.Figures[at].Value).ToArray();
        var all = runs.Sum(run => run.Items.Count);
        return figure.Value is null || TaskMetrics.Aggregation(figure.Metric) != "mean" || all <= runs.Count || parts.Any(part => part?.StandardError is null)
            ? figure
            : figure with { Value = figure.Value with { StandardError = Math.Sqrt(parts.Sum(part => (part!.N - 1.0) * part.N * part.StandardError!.Value * part.StandardError.Value) / (all - runs.Count) / all) } };
    })];

    private static T Guarded<T>(Item item, Func<T> encode)
    {
        try
        {
            return encode();
        }
        catch (BadInputException e)
        {
            throw new BadInputException($"{item.Place}: {char.ToLowerInvariant(e.Message[0])}{e.Message[1..]}", e);
        }
    }
}
