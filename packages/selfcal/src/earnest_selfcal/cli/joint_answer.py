"""What the command `contours` does with files, callable without a command line."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from earnest_common.errors import InputError
from earnest_common.report.section import section_text
from earnest_common.run.parts import Content, Outputs
from earnest_common.run.provenance import provenance
from earnest_common.survey.presets import Preset

from earnest_selfcal.posterior.inference import Observed
from earnest_selfcal.posterior.joint_om0 import contours_figure, contours_section, joint_posterior

__all__ = ["joint_answer"]


def joint_answer(
    preset: Preset,
    observed: Observed,
    om0: tuple[float, float, int],
    *,
    figure: Path | None = None,
    section: Path | None = None,
    outputs: Outputs | None = None,
    on_done: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Return the joint posterior of sigma8 and Om0 in numbers and, if asked, as a figure and a section.

    Parameters
    ----------
    preset, observed
        The survey and what it found.
    om0
        Lowest and highest value, and how many.
    figure, section
        Files to write.
    outputs
        The same, where they were opened before the work.
    on_done
        Called after each value of Om0.

    Raises
    ------
    InputError
        If the numbers cannot be used.
    """
    low, high, n = om0
    if n < 3 or not preset.cosmology.Ob0 < low < high <= 1:
        raise InputError(
            f"om0 = {low} to {high} in {n} values cannot be used; at least 3 values between Ob0 = "
            f"{preset.cosmology.Ob0} and 1 are needed"
        )
    values = np.linspace(low, high, n).round(6).tolist()
    joint = joint_posterior(preset, observed, om0=values, on_done=on_done)
    contents: dict[Path, Content] = {}
    if figure is not None:
        contents[figure] = contours_figure(joint).svg
    if section is not None:
        record = provenance(config={**asdict(preset), "om0": values, "n_clusters": observed.n_clusters})
        contents[section] = section_text(contours_section(joint, provenance=record))
    (outputs or Outputs.open((figure, section), joint.numbers())).write(contents)
    return joint.numbers()
