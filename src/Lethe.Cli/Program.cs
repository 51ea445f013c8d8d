using Lethe.Cli;
using Lethe.Cli.Frame;

using var stop = new StopSignals(Console.Error);
return await LetheCommandLine.Invoke(args, Terminal.OfThisProcess(), stop.Token);
