"""Configuration fields that a consumer of catalog sets understands; all others are refused, never ignored."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, final

from earnest_common.catalogs.manifest import Plan
from earnest_common.errors import InputError

__all__ = ["MOCKS_FIELDS", "Understood", "refuse_unread"]

_SELECTION = ("log10_m_break", "log10_m_min", "slope", "smoothing", "l_x")
_FACTORS = ("l_x_normalisation", "t_x_normalisation", "m_gas_normalisation", "l_x_slope")
_SCATTERS = ("l_x_scatter", "t_x_scatter", "m_gas_scatter", "m_wl_scatter")
_SYSTEMATICS = ("m_wl_bias", "t_x_calibration", "profile_stretch", "profile_trend")

MOCKS_FIELDS = (
    *(
        "preset",
        "cosmology",
        "Om0",
        "mass_function",
        "mass_function_table",
        "base_sample",
        "prescription",
        "split",
        "aperture",
    ),
    *(f"survey.{name}" for name in ("volume", "z", "cut")),
    *(f"survey.selection.{name}" for name in _SELECTION),
    *(f"priors.{name}" for name in ("sigma8", *_FACTORS, *_SCATTERS, *_SYSTEMATICS)),
    *(f"donors.{name}" for name in ("half_width", "at_least", "split", "recombine", "own_clusters")),
    *(f"noise.{name}" for name in ("m_gas_profile", "gas_slope_profile", "t_x")),
)
"""Every field that the configuration of mocks has in this release, written out: a new one is unknown to all consumers
until it is entered here and each has been looked through."""


@final
@dataclass(frozen=True, kw_only=True)
class Understood:
    """Fields of a mock set's recorded configuration that a consumer can take.

    Attributes
    ----------
    consumer
        Who reads the set, for messages.
    read
        Dotted names, each with everything below it, that it reads or that make no difference to it.
    only
        Dotted names that it takes at one value alone, the one it assumes; they win over ``read``.
    why
        For names of ``only``: what another value would change.
    """

    consumer: str
    read: tuple[str, ...] = MOCKS_FIELDS
    only: Mapping[str, object] = field(default_factory=dict)
    why: Mapping[str, str] = field(default_factory=dict)

    def problems(self, config: Mapping[str, Any]) -> list[str]:
        """Return one sentence for each field that the consumer does not understand.

        Examples
        --------
        >>> reader = Understood(consumer="a reader", read=("survey.z",), only={"noise": None})
        >>> reader.problems({"survey": {"z": 0.1}, "noise": None})
        []
        >>> reader.problems({"survey": {"z": 0.1, "tilt": 2}})
        ['survey.tilt = 2 is not known to a reader in this release']
        """
        return list(self._problems(config, ""))

    def _problems(self, config: Mapping[str, Any], above: str) -> Iterator[str]:
        for name, value in config.items():
            path = above + name
            if path in self.only:
                if value != self.only[path]:
                    reason = f" ({self.why[path]})" if path in self.why else ""
                    yield f"{path} = {_short(value)}; {self.consumer} takes only {_short(self.only[path])}{reason}"
            elif isinstance(value, Mapping) and any(one.startswith(f"{path}.") for one in (*self.read, *self.only)):
                yield from self._problems(value, f"{path}.")
            elif path not in self.read:
                yield f"{path} = {_short(value)} is not known to {self.consumer} in this release"


def refuse_unread(plan: Plan, understood: Understood) -> None:
    """Refuse a set of mocks with configuration fields that a consumer would have to ignore.

    Sets of other kinds are left alone: what they record is how a table was imported.

    Raises
    ------
    InputError
        With all such fields, what is allowed and a remedy.
    """
    problems = understood.problems(plan.config) if plan.kind == "mock" else []
    if problems:
        raise InputError(
            "\n  - ".join(
                [
                    "the set's mocks were made with what is not understood here; make them without it, or, where a "
                    "field is not known, use the release that made the set or a newer one",
                    *problems,
                ]
            )
        )


def _short(value: object) -> str:
    text = {None: "none", True: "true", False: "false"}.get(value) if isinstance(value, bool | None) else str(value)
    text = text or ""
    return text if len(text) <= 60 else f"{text[:57]}..."
