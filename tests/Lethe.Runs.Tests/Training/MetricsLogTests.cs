namespace Lethe.Runs.Tests.Training;

public sealed class MetricsLogTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly ManualTime time = new();

    public void Dispose() => folder.Dispose();

    private string Path => folder["metrics.jsonl"];

    private MetricsLog Open() => new(Path, time);

    private static string Line(string stage, int step, string? loop = null) => $"{{\"stage\":\"{stage}\",{(loop is null ? "" : $"\"loop\":\"{loop}\",")}\"step\":{step},\"loss\":{step}.5}}\n";

    private static void Write(MetricsLog log, int step, string? loop = null) => log.Write(loop, step, [("loss", step + 0.5)]);

    [Fact]
    public void Lines_have_stage_loop_step_and_values_in_their_order_and_numbers_that_JSON_lacks_are_null()
    {
        using (var log = Open())
        {
            log.Begin("train");
            log.Write(null, 1, [("loss", 1e-7), ("accuracy", 0.1 + 0.2)]);
            log.Write("control", 2, [("loss", double.NaN)]);
        }
        Assert.Equal("{\"stage\":\"train\",\"step\":1,\"loss\":1E-07,\"accuracy\":0.30000000000000004}\n{\"stage\":\"train\",\"loop\":\"control\",\"step\":2,\"loss\":null}\n", File.ReadAllText(Path));
    }

    [Theory]
    [InlineData("stage")]
    [InlineData("loop")]
    [InlineData("step")]
    public void A_value_cannot_take_the_name_of_a_key_that_every_line_has(string name)
    {
        using var log = Open();
        Assert.Throws<ArgumentException>(() => log.Write(null, 1, [(name, 1)]));
    }

    [Fact]
    public void Resuming_cuts_back_to_the_checkpoints_step()
    {
        File.WriteAllText(Path, Line("a", 1) + Line("b", 1) + Line("b", 2) + Line("b", 3) + "{\"stage\":\"b\",\"st");
        using (var log = Open())
        {
            log.Begin("a");
            Write(log, 1);
            log.End();
            log.Begin("b");
            log.Keep(null, 2);
            log.Write(null, 3, [("loss", 9)]);
            Assert.Equal(Line("b", 1) + Line("b", 2) + "{\"stage\":\"b\",\"step\":3,\"loss\":9}\n", System.Text.Encoding.UTF8.GetString(log.End()));
        }
        Assert.Equal(Line("a", 1) + Line("b", 1) + Line("b", 2) + "{\"stage\":\"b\",\"step\":3,\"loss\":9}\n", File.ReadAllText(Path));
    }

    [Fact]
    public void A_finished_loop_keeps_its_lines_and_the_next_goes_on_behind_them()
    {
        File.WriteAllText(Path, Line("b", 1, "x") + Line("b", 2, "x") + Line("b", 1, "y") + Line("b", 2, "y"));
        using (var log = Open())
        {
            log.Begin("b");
            log.Keep("x", 2);
            log.Keep("y", 1);
            log.End();
            log.Cut();
        }
        Assert.Equal(Line("b", 1, "x") + Line("b", 2, "x") + Line("b", 1, "y"), File.ReadAllText(Path));
    }

    [Fact]
    public void A_stage_that_begins_anew_overwrites_what_it_wrote_and_what_followed()
    {
        File.WriteAllText(Path, Line("a", 1) + Line("a", 2) + Line("b", 1));
        using (var log = Open())
        {
            log.Begin("a");
            Write(log, 1);
            Write(log, 7);
            log.End();
        }
        Assert.Equal(Line("a", 1) + Line("a", 7), File.ReadAllText(Path));
    }

    [Fact]
    public void A_stage_that_writes_less_than_before_leaves_no_line_of_its_own_behind_and_no_other_is_touched()
    {
        File.WriteAllText(Path, Line("a", 1) + Line("a", 2) + Line("b", 1));
        using (var log = Open())
        {
            log.Begin("a");
            Write(log, 1);
            log.End();
        }
        Assert.Equal(Line("a", 1), File.ReadAllText(Path));

        File.WriteAllText(Path, Line("a", 1) + Line("b", 1));
        using (var log = Open())
        {
            log.Begin("a");
            log.Copy(System.Text.Encoding.UTF8.GetBytes(Line("a", 1)));
            log.End();
        }
        Assert.Equal(Line("a", 1) + Line("b", 1), File.ReadAllText(Path));
    }

    [Fact]
    public void Whatever_a_killed_run_left_the_file_ends_as_if_nothing_had_happened()
    {
        var whole = string.Concat(Enumerable.Range(1, 9).Select(step => Line("a", step))) + string.Concat(Enumerable.Range(1, 9).Select(step => Line("b", step)));
        var random = new Random(3);
        for (var i = 0; i < 200; i++)
        {
            // Any beginning of the file, whole lines or not, sometimes with rubbish behind it.
            File.WriteAllText(Path, whole[..random.Next(whole.Length + 1)] + (random.Next(3) == 0 ? "{\"stage\":\"a\",\"step\":2}\n\0\0" : ""));
            using (var log = Open())
            {
                foreach (var stage in new[] { "a", "b" })
                {
                    log.Begin(stage);
                    for (var step = 1; step <= 9; step++)
                        Write(log, step);
                    Assert.Equal(9, log.End().Count(letter => letter == '\n'));
                }
                log.Cut();
            }
            Assert.Equal(whole, File.ReadAllText(Path));
        }
    }

    [Fact]
    public void Whoever_watches_sees_lines_within_a_second_or_so()
    {
        using var log = Open();
        log.Begin("a");
        Write(log, 1);
        time.Move(TimeSpan.FromSeconds(1));
        Write(log, 2);

        using var reader = new StreamReader(new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        Assert.Equal(Line("a", 1) + Line("a", 2), reader.ReadToEnd());
    }
}
