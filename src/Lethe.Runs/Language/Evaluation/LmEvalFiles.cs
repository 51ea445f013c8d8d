using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lethe.Evaluation.Language;
using Lethe.Formats;
using Lethe.Models.Language.Checkpoints;
using Lethe.Runs.Language.Tasks;
using Lethe.Torch;

namespace Lethe.Runs.Language.Evaluation;

/// <summary>
/// Writes results as lm-evaluation-harness 0.4.13 lays them out, so that what reads its files reads these: results_DATE.json and, for each subtask,
/// samples_NAME_DATE.jsonl.
/// </summary>
internal static class LmEvalFiles
{
    private static readonly JsonSerializerOptions Lines = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions Indented = new(Lines) { WriteIndented = true };

    /// <summary>Makes the folder, before anything is computed.</summary>
    /// <exception cref="UsageException">It cannot be made.</exception>
    public static void Prepare(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"--output is '{folder}', and that folder cannot be made: {e.Message}", e);
        }
    }

    /// <summary>Writes the files.</summary>
    /// <returns>Their names.</returns>
    public static IReadOnlyList<string> Write(string folder, LanguageResult result, IReadOnlyList<TaskRun> runs, LanguageEvaluationOptions options, RequestEncoding encoding, LanguageCheckpoint checkpoint)
    {
        // lm-evaluation-harness names files by the local time in ISO form, ':' as '-'.
        var date = result.Run.Finished.UtcDateTime.ToString("yyyy-MM-dd'T'HH-mm-ss.ffffff", CultureInfo.InvariantCulture);
        var files = new List<string> { $"results_{date}.json" };
        var hashes = new JsonObject();
        foreach (var run in runs)
            foreach (var subtask in run.Subtasks)
            {
                var samples = subtask.Items.SelectMany(item => Samples(run.Task, item)).ToList();
                hashes[subtask.Name] = Sha(string.Concat(samples.Select(sample => (string)sample["doc_hash"]! + (string)sample["prompt_hash"]! + (string)sample["target_hash"]!)));
                files.Add($"samples_{subtask.Name}_{date}.jsonl");
                AtomicFile.WriteAllText(Path.Combine(folder, files[^1]), string.Concat(samples.Select(sample => sample.ToJsonString(Lines) + "\n")));
            }
        var document = Results(result, runs, options, encoding, checkpoint, hashes);
        AtomicFile.WriteAllText(Path.Combine(folder, files[0]), document.ToJsonString(Indented) + "\n");
        return files;
    }

    /// <summary>The keys of results.json.</summary>
    public static JsonObject Results(LanguageResult result, IReadOnlyList<TaskRun> runs, LanguageEvaluationOptions options, RequestEncoding encoding, LanguageCheckpoint checkpoint, JsonObject hashes)
    {
        var (results, groups, members, configs, versions, shots, better, counts) = (new JsonObject(), new JsonObject(), new JsonObject(), new JsonObject(), new JsonObject(), new JsonObject(), new JsonObject(), new JsonObject());
        foreach (var run in runs)
        {
            var file = run.Task.File;
            if (run.Divided)
            {
                groups[run.Task.Name] = Scores(run.Task.Name, file, run.Figures, run.Subtasks.Sum(subtask => subtask.Items.Count));
                results[run.Task.Name] = groups[run.Task.Name]!.DeepClone();
            }
            members[run.Task.Name] = new JsonArray([.. run.Divided ? run.Subtasks.Select(subtask => (JsonNode)subtask.Name) : []]);
            foreach (var subtask in run.Subtasks)
            {
                results[subtask.Name] = Scores(subtask.Name, file, subtask.Figures, subtask.Items.Count);
                configs[subtask.Name] = Configuration(subtask.Name, file, run.Shots);
                versions[subtask.Name] = file.Metadata.Version;
                shots[subtask.Name] = run.Shots;
                better[subtask.Name] = new JsonObject(subtask.Figures.Select(figure => figure.Metric).Distinct().Select(metric => KeyValuePair.Create(metric, (JsonNode?)Higher(file, metric))));
                counts[subtask.Name] = new JsonObject { ["original"] = subtask.Available, ["effective"] = subtask.Items.Count };
            }
        }
        var started = result.Run.Started.ToUnixTimeMilliseconds() / 1000.0;
        var bos = checkpoint.Special.Bos;
        var eos = checkpoint.Special.Eos;
        return new JsonObject
        {
            ["results"] = results,
            ["groups"] = groups,
            ["group_subtasks"] = members,
            ["configs"] = configs,
            ["versions"] = versions,
            ["n-shot"] = shots,
            ["higher_is_better"] = better,
            ["n-samples"] = counts,
            ["config"] = new JsonObject
            {
                ["model"] = "lethe",
                ["model_args"] = $"pretrained={result.Model.Path},dtype={result.Model.DataType}{string.Concat((result.Model.Guardrails ?? []).Select(guardrail => $",guardrail={guardrail.Name}:{guardrail.Digest[..12]}"))}",
                ["model_dtype"] = result.Model.DataType,
                ["batch_size"] = "auto",
                ["device"] = result.Run.Device,
                ["use_cache"] = null,
                ["limit"] = options.Limit,
                ["bootstrap_iters"] = 0,
                ["gen_kwargs"] = null,
                ["random_seed"] = null,
                ["numpy_seed"] = null,
                ["torch_seed"] = null,
                ["fewshot_seed"] = null,
            },
            ["git_hash"] = null,
            ["date"] = started,
            ["lm_eval_version"] = null,
            ["lethe_version"] = result.Run.Lethe,
            ["libtorch_version"] = result.Run.Libtorch,
            ["tokenizer_bos_token"] = new JsonArray(bos is { } first ? encoding.Tokenizer.TokenOf(first) : null, bos?.ToString(CultureInfo.InvariantCulture)),
            ["tokenizer_eos_token"] = new JsonArray(eos is { } last ? encoding.Tokenizer.TokenOf(last) : null, eos?.ToString(CultureInfo.InvariantCulture)),
            ["eot_token_id"] = eos,
            ["max_length"] = result.Model.MaximumLength,
            ["task_hashes"] = hashes,
            ["model_source"] = "lethe",
            ["model_name"] = result.Model.Path,
            ["system_instruction"] = null,
            ["system_instruction_sha"] = null,
            ["fewshot_as_multiturn"] = false,
            ["chat_template"] = null,
            ["chat_template_sha"] = null,
            ["start_time"] = started,
            ["end_time"] = result.Run.Finished.ToUnixTimeMilliseconds() / 1000.0,
            ["total_evaluation_time_seconds"] = result.Seconds.ToString("R", CultureInfo.InvariantCulture),
        };
    }

    private static JsonObject Scores(string name, TaskFile file, IReadOnlyList<Figure> figures, int count)
    {
        var scores = new JsonObject { ["name"] = name, ["alias"] = file.TaskAlias is { } alias && name == file.Task ? alias : name, ["sample_len"] = count };
        foreach (var figure in figures)
        {
            scores[$"{figure.Metric},{figure.Filter}"] = figure.Value is { } value ? value.Value : null;
            scores[$"{figure.Metric}_stderr,{figure.Filter}"] = figure.Value?.StandardError is { } error ? error : "N/A";
        }
        return scores;
    }

    private static bool Higher(TaskFile file, string metric) => file.MetricList.FirstOrDefault(known => known.Metric == metric)?.HigherIsBetter ?? TaskMetrics.HigherIsBetter(metric);

    private static JsonObject Configuration(string name, TaskFile file, int shots)
    {
        var output = JsonNamingPolicy.SnakeCaseLower.ConvertName(file.OutputType.ToString());
        var metrics = file.MetricList.Count > 0 ? file.MetricList.Select(metric => metric.Metric) : TaskMetrics.Of(file.OutputType);
        var configuration = new JsonObject
        {
            ["task"] = name,
            ["dataset_path"] = file.DatasetPath,
            ["dataset_kwargs"] = new JsonObject { ["data_files"] = new JsonObject(file.DatasetKwargs.DataFiles.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))) },
        };
        foreach (var (key, value) in ((string, string?)[])[("test_split", file.TestSplit), ("validation_split", file.ValidationSplit), ("training_split", file.TrainingSplit), ("fewshot_split", file.FewshotSplit)])
            if (value is not null)
                configuration[key] = value;
        configuration["doc_to_text"] = file.DocToText;
        configuration["doc_to_target"] = file.DocToTarget;
        if (file.DocToChoice is not null)
            configuration["doc_to_choice"] = CanonicalJson.Node(file.DocToChoice);
        configuration["description"] = file.Description;
        configuration["target_delimiter"] = file.TargetDelimiter;
        configuration["fewshot_delimiter"] = file.FewshotDelimiter;
        configuration["fewshot_config"] = new JsonObject { ["sampler"] = file.FewshotConfig.Sampler, ["split"] = shots > 0 ? file.ExampleSplit : null };
        configuration["num_fewshot"] = shots;
        configuration["metric_list"] = new JsonArray([.. metrics.Select(metric => (JsonNode)new JsonObject { ["metric"] = metric, ["aggregation"] = TaskMetrics.Aggregation(metric), ["higher_is_better"] = Higher(file, metric) })]);
        configuration["output_type"] = output;
        if (file.OutputType == TaskOutput.GenerateUntil)
        {
            configuration["generation_kwargs"] = CanonicalJson.Node(file.GenerationKwargs);
            configuration["filter_list"] = CanonicalJson.Node(file.FilterList);
        }
        configuration["repeats"] = file.Repeats;
        configuration["should_decontaminate"] = file.ShouldDecontaminate;
        configuration["metadata"] = new JsonObject { ["version"] = file.Metadata.Version };
        return configuration;
    }

    // One line for each item; for each filter of it, where the figures differ by filter.
    private static IEnumerable<JsonObject> Samples(LanguageTask task, ItemResult result)
    {
        var item = result.Item;
        var file = task.File;
        var arguments = file.OutputType switch
        {
            TaskOutput.LoglikelihoodRolling => [[item.Question.Context]],
            TaskOutput.GenerateUntil => [[item.Question.Context, JsonSerializer.Serialize(new { until = file.GenerationKwargs.Until, max_gen_toks = file.GenerationKwargs.MaxGenToks, do_sample = false }, Lines)]],
            _ => (IReadOnlyList<string[]>)[.. item.Prompts.SelectMany(prompt => prompt.Continuations.Select(continuation => (string[])[prompt.Context, continuation]))],
        };
        foreach (var filter in result.Figures.Keys.Select(key => key.Filter).Distinct())
        {
            var sample = new JsonObject
            {
                ["doc_id"] = item.Id,
                ["doc"] = JsonNode.Parse(item.Row.GetRawText()),
                ["target"] = item.TargetText,
                ["arguments"] = new JsonObject(arguments.Select((words, i) => KeyValuePair.Create($"gen_args_{i}", (JsonNode?)new JsonObject(words.Select((word, j) => KeyValuePair.Create($"arg_{j}", (JsonNode?)word)))))),
                ["resps"] = new JsonArray([.. Responses(file, result, result.Text).Select(response => (JsonNode)new JsonArray(response))]),
                ["filtered_resps"] = new JsonArray([.. Responses(file, result, result.Filtered.GetValueOrDefault(filter) ?? result.Text)]),
                ["filter"] = filter,
                ["metrics"] = new JsonArray([.. result.Figures.Keys.Where(key => key.Filter == filter).Select(key => (JsonNode)key.Metric)]),
                ["doc_hash"] = Sha(PythonJson.Of(item.Row)),
                ["prompt_hash"] = Sha(arguments[0][0]),
                ["target_hash"] = Sha(item.TargetText),
            };
            foreach (var (key, value) in result.Figures.Where(pair => pair.Key.Filter == filter))
            {
                sample[key.Metric] = key.Metric switch
                {
                    "word_perplexity" => new JsonArray(value, WhiteSpace.Words(item.Question.Context)),
                    "byte_perplexity" or "bits_per_byte" => new JsonArray(value, WhiteSpace.Bytes(item.Question.Context)),
                    "token_perplexity" => new JsonArray(value, result.Scores[0].Tokens),
                    _ => value,
                };
            }
            yield return sample;
        }
    }

    // lm-evaluation-harness writes numbers and flags of responses as texts.
    private static IEnumerable<JsonNode> Responses(TaskFile file, ItemResult result, string? text) => file.OutputType switch
    {
        TaskOutput.GenerateUntil => [text!],
        TaskOutput.LoglikelihoodRolling => [Number(result.Scores[0].LogProbability)],
        _ => result.Scores.Select(score => (JsonNode)new JsonArray(Number(score.LogProbability), score.Greedy ? "True" : "False")),
    };

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static string Sha(string text) => CanonicalJson.Sha256(Encoding.UTF8.GetBytes(text));
}
