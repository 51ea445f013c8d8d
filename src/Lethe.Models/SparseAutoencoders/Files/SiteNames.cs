using System.Globalization;
using System.Text.RegularExpressions;
using Lethe.Models.Language;
using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders.Files;

/// <summary>Names of sites as others write them, and Lethe's ("layers.7.residual_after").</summary>
internal static partial class SiteNames
{
    /// <summary>The site of a hook name such as "blocks.7.hook_resid_post", or of Lethe's own names; a name that is neither stays as it is.</summary>
    public static SaeSite Parse(string name)
    {
        try
        {
            var site = Site.Parse(name);
            return new SaeSite(site.ToString(), site.Layer);
        }
        catch (UsageException)
        {
            // A layer of some other model; whoever joins the two will see whether it has it.
            return new SaeSite(name);
        }
    }

    /// <summary>The hook name of a site where it has one, else the site's own name.</summary>
    public static string Hook(SaeSite site) => site.Layer is null ? site.Name : Site.Parse(site.Name).HookName ?? site.Name;

    /// <summary>The site that a path of Gemma Scope names: its layer from "layer_3", its kind from the repository's folder (…-res, -mlp, -att); residual stream where no folder says another.</summary>
    public static SaeSite? OfGemmaScope(string path)
    {
        var folders = Path.GetFullPath(path).Split(Path.DirectorySeparatorChar);
        if (folders.Select(folder => LayerFolder().Match(folder)).LastOrDefault(match => match.Success) is not { } layer)
            return null;
        var repository = folders.LastOrDefault(folder => folder.StartsWith("gemma-scope", StringComparison.Ordinal)) ?? "";
        return Of(layer.Groups[1].Value, repository.EndsWith("-att", StringComparison.Ordinal) ? "heads" : repository.EndsWith("-mlp", StringComparison.Ordinal) ? "mlp_added" : "residual_after");
    }

    /// <summary>Number of latents that a folder "width_16k" names; null where none does.</summary>
    public static long? WidthOfGemmaScope(string path)
    {
        var match = Path.GetFullPath(path).Split(Path.DirectorySeparatorChar).Select(folder => WidthFolder().Match(folder)).LastOrDefault(match => match.Success);
        return match is null || !long.TryParse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture, out var number) ? null : match.Groups[2].Value switch
        {
            "k" => number switch { 65 => 65_536, 131 => 131_072, 262 => 262_144, 524 => 524_288, _ => number * 1024 },
            "m" => number << 20,
            _ => number,
        };
    }

    /// <summary>The site of dictionary_learning's "resid_post_layer_3" and its kin; a name that is none stays as it is.</summary>
    public static SaeSite OfSubmodule(string name, long? layer)
    {
        var match = Submodule().Match(name);
        if (!match.Success)
            return new SaeSite(name, layer is >= 0 and <= int.MaxValue ? (int)layer : null);
        return Of(match.Groups[2].Value, match.Groups[1].Value switch { "resid_post" => "residual_after", "resid_pre" => "residual_before", "mlp_out" or "mlp" => "mlp_added", _ => "attention_added" });
    }

    private static SaeSite Of(string layer, string kind) => Parse($"layers.{layer}.{kind}");

    [GeneratedRegex(@"^layer_(\d{1,6})$")]
    private static partial Regex LayerFolder();

    [GeneratedRegex(@"^width_(\d{1,9})([km]?)$")]
    private static partial Regex WidthFolder();

    [GeneratedRegex(@"^(resid_post|resid_pre|mlp_out|mlp|attn_out|attention_out)_layer_(\d{1,6})$")]
    private static partial Regex Submodule();
}
