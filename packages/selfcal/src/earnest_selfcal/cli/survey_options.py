"""Command-line options that describe a survey; nothing heavy is imported here."""

from typing import Annotated, Literal

import typer

__all__ = [
    "CutOption",
    "LowestMassOption",
    "MassBreakOption",
    "PresetOption",
    "RedshiftOption",
    "SetPresetOption",
    "SlopeOption",
    "SmoothingOption",
    "VolumeFractionOption",
]

Presets = Literal["paper", "paper-msun", "paper-h", "realistic"]
"""The names and aliases of ``earnest_common.survey.presets.PRESETS``."""
PresetOption = Annotated[
    Presets | None, typer.Option("--preset", help="What is observed, and how.", show_default="paper")
]
SetPresetOption = Annotated[
    Presets | None, typer.Option("--preset", help="Survey preset.", show_default="the set's own survey")
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
CutOption = Annotated[
    Literal["mass", "flux"] | None, typer.Option("--cut", help="Quantity of the selection.", show_default=_AS_PRESET)
]
MassBreakOption = Annotated[
    float | None,
    typer.Option(
        "--log10-m-break",
        help="log10 of the mass [solMass] above which the survey is complete.",
        show_default=_AS_PRESET,
    ),
]
LowestMassOption = Annotated[
    float | None, typer.Option("--log10-m-min", help="log10 of the lowest mass [solMass].", show_default=_AS_PRESET)
]
SlopeOption = Annotated[
    float | None, typer.Option("--slope", help="Slope of the selection below the break.", show_default=_AS_PRESET)
]
SmoothingOption = Annotated[
    float | None, typer.Option("--smoothing", help="Blur of the selection [dex in mass].", show_default=_AS_PRESET)
]
