"""Command-line options that describe a survey; nothing heavy is imported here."""

from typing import Annotated

import typer

__all__ = [
    "CutOption",
    "LowestMassOption",
    "MassBreakOption",
    "PresetOption",
    "RedshiftOption",
    "SlopeOption",
    "SmoothingOption",
    "VolumeFractionOption",
]

PresetOption = Annotated[
    str | None, typer.Option("--preset", help="Survey preset: paper or realistic.", show_default="paper")
]
_AS_PRESET = "as the preset"
VolumeFractionOption = Annotated[
    float | None,
    typer.Option("--volume-fraction", help="Volume in units of (500 Mpc)^3, comoving.", show_default=_AS_PRESET),
]
RedshiftOption = Annotated[
    float | None,
    typer.Option(
        "--z", help="Redshift of the clusters; relations are moved to it self-similarly.", show_default=_AS_PRESET
    ),
]
CutOption = Annotated[str | None, typer.Option("--cut", help="mass or flux.", show_default=_AS_PRESET)]
MassBreakOption = Annotated[
    float | None,
    typer.Option(
        "--log10-m-break", help="Mass [solMass] above which the whole volume is seen.", show_default=_AS_PRESET
    ),
]
LowestMassOption = Annotated[
    float | None, typer.Option("--log10-m-min", help="Lowest mass [solMass].", show_default=_AS_PRESET)
]
SlopeOption = Annotated[
    float | None, typer.Option("--slope", help="Slope of the selection below the break.", show_default=_AS_PRESET)
]
SmoothingOption = Annotated[
    float | None, typer.Option("--smoothing", help="Blur of the selection [dex in mass].", show_default=_AS_PRESET)
]
