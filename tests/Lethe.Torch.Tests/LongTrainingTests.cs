namespace Lethe.Torch.Tests;

/// <summary>Alone in the process while they run: they measure its memory, or set the number of threads.</summary>
[CollectionDefinition(nameof(LongTrainingTests), DisableParallelization = true)]
public class LongTraining;

[Collection(nameof(LongTrainingTests))]
public class LongTrainingTests
{
    [TorchFact]
    public void Training_does_not_grow()
    {
        using var training = new Training(seed: 1);
        training.Steps(1000);
        var (live, leaked, resident) = (Tensor.Live, Tensor.Leaked, Resident());
        training.Steps(4000);
        var grown = Resident() - resident;
        Assert.Equal(live, Tensor.Live);
        Assert.Equal(leaked, Tensor.Leaked);
        Assert.True(grown <= 8 << 20, $"resident memory grew by {grown / 1024.0 / 1024:F1} MiB in 4,000 steps; 8 are allowed");
        Assert.InRange(training.Loss, 0, 0.1);
    }

    [TorchFact]
    public void The_same_seed_gives_the_same_numbers_bit_for_bit_on_one_thread()
    {
        var before = Engine.Threads;
        Engine.Threads = 1;
        try
        {
            using var one = new Training(seed: 1);
            using var two = new Training(seed: 1);
            using var three = new Training(seed: 2);
            one.Steps(200);
            two.Steps(200);
            three.Steps(200);
            Assert.Equal(one.Parameters(), two.Parameters());
            Assert.NotEqual(one.Parameters(), three.Parameters());
        }
        finally
        {
            Engine.Threads = before;
        }
    }

    [TorchFact]
    public void A_training_that_was_saved_and_loaded_goes_on_bit_for_bit()
    {
        using var whole = new Training(seed: 1);
        whole.Steps(60);
        using var first = new Training(seed: 1);
        first.Steps(25);
        var state = new StateWriter();
        first.Save(state);
        using var second = new Training(seed: 99);
        second.Load(new StateReader(state.Tensors, state.Values));
        second.Steps(35);
        Assert.Equal(whole.Parameters(), second.Parameters());
    }

    private static long Resident()
    {
        // Aggressive gives free memory back, so that the collector's budget, which follows the processor's cache, is not counted.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        var pages = long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
        return pages * Environment.SystemPageSize;
    }

    /// <summary>A small network with everything that draws or keeps state, learning the sign of a sum.</summary>
    private sealed class Training : IDisposable
    {
        private readonly RandomStream data, noise;
        private readonly Sequential model;
        private readonly Adam optimizer;
        private readonly Ema ema;
        private readonly LearningRateSchedule schedule = new CosineRate(3e-3, 10_000, 1e-3).AfterWarmUp(10);

        public Training(ulong seed)
        {
            using var root = new RandomStream(seed);
            using var initial = root.Child("initial");
            (data, noise) = (root.Child("data"), root.Child("noise"));
            model = new Sequential(new Linear(8, 32, initial), new LayerNorm(32), new Activation(ActivationKind.Gelu), new Dropout(0.1, noise), new Linear(32, 1, initial));
            optimizer = new Adam(model.NamedParameters());
            ema = new Ema(model.NamedParameters(), 0.99);
        }

        public double Loss { get; private set; }

        public void Steps(int count)
        {
            for (var k = 0; k < count; k++)
            {
                using var scope = new TensorScope();
                var x = Tensor.Randn([64, 8], data);
                var loss = model.Forward(x).Squeeze(1).BinaryCrossEntropyWithLogits(x.Sum(1).Gt(0).To(DType.Float32));
                optimizer.ZeroGrad();
                loss.Backward();
                var gradients = optimizer.Gradients();
                GradientClipping.ByNorm(gradients, 1);
                optimizer.LearningRate = schedule.At(optimizer.Steps);
                optimizer.Step(gradients);
                ema.Update();
                Loss = loss.Item();
            }
        }

        public void Save(StateWriter state)
        {
            foreach (var (name, array) in model.StateDict())
                state.Add("model." + name, array);
            optimizer.Save(state, "optimizer.");
            ema.Save(state, "ema.");
            state.Add("random.data", data.State());
            state.Add("random.noise", noise.State());
        }

        public void Load(StateReader state)
        {
            model.LoadStateDict(model.NamedParameters().ToDictionary(entry => entry.Name, entry => state.Array("model." + entry.Name)));
            optimizer.Load(state, "optimizer.");
            ema.Load(state, "ema.");
            data.Restore(state.Array("random.data"));
            noise.Restore(state.Array("random.noise"));
        }

        public float[] Parameters() => [.. model.Parameters().Concat(ema.Averages.Select(entry => entry.Tensor)).SelectMany(tensor => tensor.ToArray<float>())];

        public void Dispose()
        {
            model.Dispose();
            optimizer.Dispose();
            ema.Dispose();
            data.Dispose();
            noise.Dispose();
        }
    }
}
