using Lethe.Runs;
using Lethe.Runs.KillTarget;
using Lethe.Runs.Plans;
using Lethe.Torch;

// Runs the toy pipeline: free|paced RUN_FOLDER CACHE_FOLDER [key=value ...]. Prints a line after every piece of work; a paced one then
// waits for a line on its standard input, so that a test decides how far it comes before it is killed.
try
{
    var paced = args[0] == "paced";
    var plan = PlanReader.Parse<ToyPlan>("", "toy.yaml", args[3..]);
    ToyPipeline.Run(args[1], args[2], plan, Tick, new PlainProgress(Console.Error, TimeProvider.System));
    return 0;

    void Tick(string what)
    {
        // Steps as long as a checkpoint takes to write, as in real work, so that a killed run has come further than its last one.
        Thread.Sleep(2);
        Console.Out.WriteLine(what);
        if (paced)
            Console.In.ReadLine();
    }
}
catch (LetheException e)
{
    Console.Error.WriteLine("error: " + e.Message);
    return e.ExitCode;
}
