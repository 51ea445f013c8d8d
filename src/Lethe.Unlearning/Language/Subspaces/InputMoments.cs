using Lethe.Models.Language;
using Lethe.Torch;

namespace Lethe.Unlearning.Language.Subspaces;

/// <summary>
/// What edited matrices read: the mean of x xᵀ over text to forget and over text to protect, by the site where they read it; matrices that read the same share them. Nothing of a method's options but the matrices decides them, so that
/// one reading serves all weights, steps, cuts and seeds. Kept in float32, the type that they are computed in.
/// </summary>
public sealed class InputMoments : IDisposable
{
    private readonly Dictionary<Site, (Tensor Forget, Tensor Guarded)> bySite;

    /// <summary>Moments that were read before.</summary>
    /// <param name="bySite">Of text to forget and of text to protect, (D, D) each, D the size of what is read at the site; owned by this from now on.</param>
    public InputMoments(IReadOnlyDictionary<Site, (Tensor Forget, Tensor Guarded)> bySite) => this.bySite = new(bySite);

    /// <summary>The sites.</summary>
    public IReadOnlyCollection<Site> Sites => bySite.Keys;

    /// <summary>Reads them with the untouched weights. Streams: nothing grows with the text.</summary>
    /// <param name="cache">The slice whose edited matrices are meant.</param>
    /// <param name="forget">Text to forget; positions that its masks do not count are left out, here and below.</param>
    /// <param name="guarded">Text to protect, with weights above 0: retain text, neighbours, look-alikes.</param>
    /// <param name="advanced">Told how many batches have been read, and of how many.</param>
    /// <exception cref="UsageException">There is no text to protect, a weight is not above 0, or a matrix's place is not known.</exception>
    public static InputMoments Read(SliceCache cache, IReadOnlyList<TextBatch> forget, IReadOnlyList<InputText> guarded, Action<long, long>? advanced = null)
    {
        if (guarded.Count == 0 || guarded.Any(text => !(text.Weight > 0 && double.IsFinite(text.Weight))))
            throw new UsageException("The input projector needs text to protect, each with a weight above 0.");
        var places = cache.Names.Select(name => MatrixPlace.Of(cache.Model, name)).DistinctBy(place => place.Inputs).ToDictionary(place => place.Inputs);
        var (done, all, weights) = (0L, forget.Count + guarded.Sum(text => (long)text.Batches.Count), guarded.Sum(text => text.Weight));
        Dictionary<Site, Tensor> Mean(IReadOnlyList<TextBatch> batches, double weight)
        {
            var moments = places.ToDictionary(entry => entry.Key, entry => new SecondMoments(entry.Value.InputSize));
            try
            {
                foreach (var batch in batches)
                {
                    using var one = new TensorScope();
                    cache.Visit(batch, new Reader(places, moments, batch.CountedPlaces(cache.Device)));
                    advanced?.Invoke(++done, all);
                }
                return moments.ToDictionary(entry => entry.Key, entry => (entry.Value.Products() * weight).To(DType.Float32));
            }
            finally
            {
                foreach (var one in moments.Values)
                    one.Dispose();
            }
        }
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var forgotten = Mean(forget, 1);
        var held = guarded.Select(text => Mean(text.Batches, text.Weight / weights)).ToArray();
        return new(places.Keys.ToDictionary(site => site, site => (TensorScope.Detach(forgotten[site]), TensorScope.Detach(held.Select(moments => moments[site]).Aggregate((a, b) => a + b)))));
    }

    /// <summary>Those of a site, (D, D) each.</summary>
    /// <exception cref="BadInputException">They are not there.</exception>
    public (Tensor Forget, Tensor Guarded) Of(Site site) => bySite.TryGetValue(site, out var moments) ? moments
        : throw new BadInputException($"What is read at {site} was not looked at before forgetting; there are moments of {string.Join(", ", bySite.Keys)}.");

    /// <summary>Frees them.</summary>
    public void Dispose()
    {
        foreach (var (forget, guarded) in bySite.Values)
        {
            forget.Dispose();
            guarded.Dispose();
        }
        bySite.Clear();
    }

    private sealed class Reader(Dictionary<Site, MatrixPlace> places, Dictionary<Site, SecondMoments> moments, Tensor counted) : ISiteVisitor
    {
        public bool Wants(Site site) => places.ContainsKey(site);

        public Tensor Visit(Site site, Tensor value)
        {
            using var scope = new TensorScope();
            var read = places[site].Read(value);
            moments[site].Add(read.Reshape(-1, read.Size(-1)).IndexSelect(0, counted));
            return value;
        }
    }
}
