namespace Lethe.Torch;

/// <summary>Layers one after another, named "0", "1", … as torch.nn.Sequential names them.</summary>
public sealed class Sequential : Layer
{
    private readonly Layer[] layers;

    /// <summary>Joins the layers and owns them.</summary>
    public Sequential(params Layer[] layers)
    {
        this.layers = layers;
        for (var k = 0; k < layers.Length; k++)
            Part(k.ToString(System.Globalization.CultureInfo.InvariantCulture), layers[k]);
    }

    /// <summary>The layers in their order.</summary>
    public IReadOnlyList<Layer> Layers => layers;

    /// <summary>x through all layers.</summary>
    public override Tensor Forward(Tensor x)
    {
        foreach (var layer in layers)
            x = layer.Forward(x);
        return x;
    }
}
