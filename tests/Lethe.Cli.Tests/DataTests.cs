namespace Lethe.Cli.Tests;

public sealed class DataTests
{
    [Fact]
    public async Task Data_list_says_of_every_data_set_where_it_is_or_what_to_do()
    {
        var document = (await CommandLine.Run("data", "list", "--json")).Json;
        var text = await CommandLine.Run("data", "list");

        Assert.Equal("lethe.data-list/1", document.GetProperty("schema").GetString());
        var entries = document.GetProperty("data_sets").EnumerateArray().ToArray();
        Assert.Equal(["mnist", "fashion-mnist", "wordnet"], entries.Select(entry => entry.GetProperty("name").GetString()));
        Assert.All(entries, entry => Assert.True(entry.TryGetProperty("folder", out var said) ^ entry.TryGetProperty("missing", out said)));
        Assert.Equal(3, text.Output.TrimEnd().Split('\n').Length);
        Assert.Equal(0, text.ExitCode);
    }

    [Fact]
    public async Task Data_records_writes_what_nobody_can_know_and_refuses_a_folder_in_use()
    {
        using var folder = new ScratchFolder();
        var target = Path.Combine(folder.Path, "records");

        var document = (await CommandLine.Run("data", "records", target, "--customers", "12", "--branches", "2", "--seed", "7", "--json")).Json;
        var again = await CommandLine.Run("data", "records", target);

        Assert.Equal((12, 216, 36), (document.GetProperty("customers").GetInt32(), document.GetProperty("documents").GetInt32(), document.GetProperty("questions").GetInt32()));
        Assert.Equal(108, File.ReadLines(Path.Combine(target, "corpus", "north.jsonl")).Count());
        Assert.Equal(2, again.ExitCode);
        Assert.Contains("is not empty", again.Error, StringComparison.Ordinal);
        Assert.Equal(2, (await CommandLine.Run("data", "records", Path.Combine(folder.Path, "other"), "--branches", "9")).ExitCode);
    }

    [Fact]
    public async Task Data_wordnet_writes_words_and_questions_and_says_what_is_missing()
    {
        using var folder = new ScratchFolder();
        var target = Path.Combine(folder.Path, "words");
        var missing = await CommandLine.Run("data", "wordnet", target, "--source", folder.Path);
        TinyWordNet.Write(folder.Path, TinyWordNet.Lines());

        var document = (await CommandLine.Run("data", "wordnet", target, "--source", folder.Path, "--terms", "4", "--json")).Json;
        var again = await CommandLine.Run("data", "wordnet", target, "--source", folder.Path);

        Assert.Equal((32, 128, 32), (document.GetProperty("terms").GetInt32(), document.GetProperty("documents").GetInt32(), document.GetProperty("questions").GetInt32()));
        Assert.Equal(16, File.ReadLines(Path.Combine(target, "corpus", "animal.jsonl")).Count());
        Assert.Equal((3, 2), (missing.ExitCode, again.ExitCode));
        Assert.Contains("apt install wordnet-base", missing.Error, StringComparison.Ordinal);
        Assert.Contains("is not empty", again.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Data_check_counts_the_images_of_each_class()
    {
        using var folder = new ScratchFolder();
        TinyData.WriteBlack(folder.Path, "train", labels: [0, 9, 9]);
        TinyData.WriteBlack(folder.Path, "t10k", labels: [3]);

        var result = await CommandLine.Run("data", "check", "fashion-mnist", "--folder", folder.Path, "--json");

        Assert.Equal(0, result.ExitCode);
        var (train, test) = (result.Json.GetProperty("parts")[0], result.Json.GetProperty("parts")[1]);
        Assert.Equal(("train", 3), (train.GetProperty("part").GetString(), train.GetProperty("images").GetInt32()));
        Assert.Equal(("test", 1), (test.GetProperty("part").GetString(), test.GetProperty("images").GetInt32()));
        Assert.Equal([1, 0, 0, 0, 0, 0, 0, 0, 0, 2], train.GetProperty("classes").EnumerateArray().Select(one => one.GetProperty("images").GetInt32()));
        Assert.Equal("Ankle boot", train.GetProperty("classes")[9].GetProperty("name").GetString());
    }

    [Fact]
    public async Task Data_check_for_people_is_a_table()
    {
        using var folder = new ScratchFolder();
        TinyData.WriteBlack(folder.Path, "train", labels: [0, 9, 9]);
        TinyData.WriteBlack(folder.Path, "t10k", labels: [3]);

        var result = await CommandLine.Run("data", "check", "mnist", "--folder", folder.Path);

        Assert.StartsWith($"MNIST in {folder.Path} is whole.\n", result.Output, StringComparison.Ordinal);
        Assert.Matches(@"\n9 +9 +2 +0 *\n", result.Output);
        Assert.Matches(@"\n +all +3 +1 *\n", result.Output);
    }

    [Fact]
    public async Task A_damaged_data_set_ends_with_3_and_names_the_file()
    {
        using var folder = new ScratchFolder();
        TinyData.WriteBlack(folder.Path, "train", labels: [0, 77]);
        TinyData.WriteBlack(folder.Path, "t10k", labels: [3]);

        var result = await CommandLine.Run("data", "check", "mnist", "--folder", folder.Path, "--json");

        Assert.Equal(3, result.ExitCode);
        Assert.Contains("train-labels-idx1-ubyte", result.ErrorMessage, StringComparison.Ordinal);
        Assert.Contains("77", result.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Data_check_compares_texts_to_forget_to_retain_and_to_test_with_and_ends_with_3_where_two_are_the_same()
    {
        using var folder = new ScratchFolder();
        string In(string name) => Path.Combine(folder.Path, name);
        File.WriteAllLines(In("forget.tsv"), ["term\tdefinition", "iron\ta heavy metal that is found in every one of the old mines", "tin\ta light one"]);
        File.WriteAllLines(In("retain.txt"), ["Iron a heavy metal that is found in every one of the old mines", "another text"]);
        File.WriteAllLines(In("test.jsonl"), ["""{"question": "Which word means \"a light one\"?", "choices": ["tin", "lead"], "answer": 0}"""]);

        var result = await CommandLine.Run("data", "check", In("forget.tsv"), "--retain", In("retain.txt"), "--test", In("test.jsonl"), "--json");
        var same = await CommandLine.Run("data", "check", In("forget.tsv"), "--retain", In("forget.tsv"));

        Assert.Equal(0, result.ExitCode);
        Assert.False(result.Json.GetProperty("same").GetBoolean());
        Assert.Equal([("forget", "retain", 0, 1), ("forget", "test", 1, 0), ("retain", "test", 0, 0)], result.Json.GetProperty("pairs").EnumerateArray().Select(pair =>
            (pair.GetProperty("first").GetString(), pair.GetProperty("second").GetString(), pair.GetProperty("shared_entities").GetInt32(), pair.GetProperty("identical").GetInt32())));
        Assert.Equal(1, result.Json.GetProperty("pairs")[0].GetProperty("first_grams").GetDouble());
        Assert.DoesNotContain("heavy", result.Output, StringComparison.Ordinal);
        Assert.Equal(3, same.ExitCode);
        Assert.Contains("Forget and retain text are the same", same.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Data_check_says_what_a_ground_holds()
    {
        using var folder = new ScratchFolder();
        string In(string name) => Path.Combine(folder.Path, name);
        File.WriteAllLines(In("questions.jsonl"), from topic in (string[])["metal", "stone"] from i in Enumerable.Range(0, 10)
                                                  select $$"""{"topic": "{{topic}}", "question": "Who makes the {{topic}} number {{i}}?", "choices": ["Maker {{i}}", "nobody"], "answer": 0}""");
        File.WriteAllText(In("plan.yaml"), """
            title: Forget metals
            ground:
              questions: [questions.jsonl]
              families:
                - {name: maker, question: 'Who makes the (?<entity>.+)\?', statements: ["The {{entity}} is made by {{value}}."]}
              forget: metal

            """);

        var json = await CommandLine.Run("data", "check", In("plan.yaml"), "--json");
        var text = await CommandLine.Run("data", "check", In("plan.yaml"));

        Assert.Equal(("lethe.overlap/1", 6, 10), (json.Json.GetProperty("schema").GetString(), json.Json.GetProperty("ground").GetProperty("forget_texts").GetInt32(), json.Json.GetProperty("ground").GetProperty("topics")[0].GetProperty("questions").GetInt32()));
        Assert.Matches(@"\nmetal +forget +10 +6 +6 +10 ", "\n" + text.Output);
        Assert.Equal((0, 0), (json.ExitCode, text.ExitCode));
        File.AppendAllText(In("plan.yaml"), "  retain: [metal]\n");
        Assert.Equal(2, (await CommandLine.Run("data", "check", In("plan.yaml"))).ExitCode);
    }

    [Theory]
    [InlineData(2, "There is no data set 'minst'; known are mnist and fashion-mnist.", "data", "check", "minst")]
    [InlineData(2, "./lethe data check needs NAME|FILE|TASK|PLAN: a data set of images (mnist or fashion-mnist), a file of rows (.jsonl, .json, .csv, .txt, also .gz), a task of evaluate (its name or YAML file), or a plan with a ground. See ./lethe data check --help.", "data", "check")]
    [InlineData(2, "./lethe data needs a verb: list, check, records, wordnet. See ./lethe data --help.", "data")]
    [InlineData(2, "'lst' is not a verb of ./lethe data; did you mean 'list'? See ./lethe data --help.", "data", "lst")]
    public async Task A_wrong_call_is_one_sentence(int exitCode, string sentence, params string[] args)
    {
        var result = await CommandLine.Run(args);

        Assert.Equal(exitCode, result.ExitCode);
        Assert.Equal($"error: {sentence}\n", result.Error);
    }
}
