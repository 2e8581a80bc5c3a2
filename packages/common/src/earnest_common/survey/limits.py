"""How well sigma8 could be told at best: the accuracies that an estimate is measured against."""

from dataclasses import dataclass
from typing import final

from earnest_common.errors import InputError

__all__ = ["Limit"]


@final
@dataclass(frozen=True, kw_only=True)
class Limit:
    """The scatter of sigma8 that no estimate can beat, as measured over simulated catalogs.

    Attributes
    ----------
    scatter, scatter_err
        Root mean square of the best possible estimate minus the truth over the prior, and its standard error.
    n_catalogs
        Number of catalogs.
    text
        Of what it is the limit, in words that fit after "the limit of".
    without_grid
        The scatter that is left to an estimate that does not use that parameters of the catalogs lie on a grid, where
        they do: a mock's grid is no knowledge of the sky.
    fewer_inputs
        Whether the estimate sees something that the limit does not know, such as shapes of gas profiles: then it may
        scatter by less, and a share of the information would compare two questions.

    Examples
    --------
    >>> limit = Limit(scatter=0.015, scatter_err=0.0005, n_catalogs=500, text="l_x alone, lognormal scatter")
    >>> round(limit.efficiency(0.020), 4)
    0.5625
    """

    scatter: float
    scatter_err: float
    n_catalogs: int
    text: str
    without_grid: float | None = None
    fewer_inputs: bool = False

    def __post_init__(self) -> None:
        if not (self.scatter > 0 and self.scatter_err >= 0 and self.n_catalogs >= 1):
            raise InputError(
                f"limit: scatter = {self.scatter} must be positive, scatter_err = {self.scatter_err} not negative, "
                f"n_catalogs = {self.n_catalogs} at least 1"
            )

    def efficiency(self, scatter: float) -> float | None:
        """Return the share of the information that an estimate of this scatter uses, (limit / scatter)^2.

        ``None`` for estimates that do not scatter at all, and for those that see more than the limit knows.
        """
        return (self.scatter / scatter) ** 2 if scatter > 0 and not self.fewer_inputs else None

    def efficiency_without_grid(self, scatter: float) -> float | None:
        """Return the share of what can be known without the grid, where there is one."""
        if self.without_grid is None or self.fewer_inputs or not scatter > 0:
            return None
        return (self.without_grid / scatter) ** 2
