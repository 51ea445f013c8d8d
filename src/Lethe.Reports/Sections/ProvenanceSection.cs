using Lethe.Reports.Markup;
using Lethe.Reports.Wording;
using Lethe.Runs.Results;

namespace Lethe.Reports.Sections;

/// <summary>Where, when and from what the run was made, so that it can be matched and repeated.</summary>
internal static class ProvenanceSection
{
    public static Html Render(ReportContext context)
    {
        var t = context.Texts;
        var request = context.Result.Request;
        List<(string Name, string Digest)> files = [(t.BaseModelWeights, request.ModelDigest), (t.FisherArtefact, context.Result.Method.FisherDigest)];
        if (context.Result.Judge is { } judge)
            files.Add((t.JudgeWeights, judge.Digest));
        return Render(context.Result.Run, [(t.BaseModel, Html.Of($"<code>{request.Model}</code>")), (t.Dataset, Html.Text(request.Dataset))], files, context.Input.Files, context.Input.ResultDigest, t);
    }

    /// <summary>Of a run of any kind.</summary>
    /// <param name="run">Where and when.</param>
    /// <param name="facts">What it was made from, in words.</param>
    /// <param name="digests">The same as digests.</param>
    /// <param name="own">Files of the run.</param>
    /// <param name="result">Digest of result.json; null where it is not known.</param>
    /// <param name="t">The language.</param>
    public static Html Render(RunFacts run, IEnumerable<(string Term, Html Value)> facts, IEnumerable<(string Name, string Digest)> digests, IEnumerable<FileDigest> own, string? result, Texts t)
    {
        List<(string Name, string Digest)> files = [.. digests, .. own.Select(file => (file.Name, file.Sha256))];
        if (result is { } digest)
            files.Add((t.ResultFile, digest));
        var rows = files.Select(file => Html.Of($"<tr><th scope=\"row\">{file.Name}</th><td>{Parts.Digest(file.Digest)}</td></tr>\n"));
        return Html.Of($"""
            {Parts.Facts([
                (t.Run, Html.Of($"<code>{run.Id}</code>")),
                .. facts,
                (t.Started, Html.Text(t.Moment(run.Started))),
                (t.Finished, Html.Text(t.Moment(run.Finished))),
                (t.Seed, Html.Text(Numbers.Plain(run.Seed))),
                (t.Device, Html.Of($"<code>{run.Device}</code>")),
                (t.Processor, Html.Text(run.Processor)),
                (t.Threads, Html.Text(Numbers.Count(run.Threads))),
                (t.Versions, Html.Text($"Lethe {run.Lethe}, libtorch {run.Libtorch}"))])}
            {Parts.Table("digests", Html.Of($"<thead><tr><th scope=\"col\">{t.FileColumn}</th><th scope=\"col\">{t.DigestColumn}</th></tr></thead><tbody>{rows}</tbody>"))}
            """);
    }
}
