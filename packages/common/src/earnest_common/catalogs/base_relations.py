"""Relations that a set of mocks was drawn from: those of its base sample, at the redshift of the survey."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, final

from earnest_common.catalogs.manifest import Plan
from earnest_common.errors import InputError, IntegrityError
from earnest_common.survey.residuals import ResidualMoments
from earnest_common.survey.scaling import TABLE_2, PowerLaw, ResidualCorrelation, ScalingRelations

__all__ = ["BUILT_IN", "BaseRelations", "recorded_relations"]

BUILT_IN = "built-in"
"""What the configuration of mocks calls the base sample that ships with earnest-mocks."""


@final
@dataclass(frozen=True, kw_only=True)
class BaseRelations:
    """What a set of mocks records of its base sample.

    Attributes
    ----------
    relations
        Power laws that the factors of each catalog multiply, at the survey's redshift.
    correlation
        Correlations of the residuals over all masses.
    moments
        Means and covariances of the residuals as lent at each mass; ``None`` for sets that do not record them.
    z
        Redshift of the base sample, before it was moved to the survey's.
    evolution
        How it was moved, in words; ``None`` where both redshifts are equal.
    cosmology
        Cosmology of the base sample, as far as it is known.
    l_x
        What its luminosity is (band, aperture), in words; ``None`` if unknown.
    n_clusters
        Clusters of the base sample; 0 if unknown.
    """

    relations: ScalingRelations = TABLE_2
    correlation: ResidualCorrelation = field(default_factory=ResidualCorrelation)
    moments: ResidualMoments | None = None
    z: float = 0.0663
    evolution: str | None = None
    cosmology: Mapping[str, Any] = field(default_factory=dict)
    l_x: str | None = None
    n_clusters: int = 0

    def to_record(self) -> dict[str, Any]:
        """Return plain dictionaries and lists, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "BaseRelations":
        """Return what :meth:`to_record` wrote.

        Raises
        ------
        KeyError, TypeError, InputError
            If a field is missing, unknown or impossible.
        """
        moments = record["moments"]
        laws = {name: PowerLaw(**law) for name, law in record["relations"].items()}
        return cls(
            **{
                **record,
                "relations": ScalingRelations(**laws),
                "correlation": ResidualCorrelation(**record["correlation"]),
                "moments": None if moments is None else ResidualMoments.from_record(moments),
            }
        )


def recorded_relations(plan: Plan) -> BaseRelations:
    """Return the relations that a set of mocks was drawn from.

    Sets that record none (of earlier releases) have those of the built-in base sample, the paper's table 2, unless they
    were made from a base sample of their own.

    Raises
    ------
    InputError
        If the set has a base sample of its own and does not record its relations, or records fields that this
        release does not know.
    IntegrityError
        If the record is damaged.
    """
    if plan.base_sample:
        if unknown := sorted(set(plan.base_sample) - set(BaseRelations.__dataclass_fields__)):
            raise InputError(
                f"the set's base sample records {', '.join(unknown)}, which this release does not know; use the "
                "release that made the set, or a newer one"
            )
        try:
            return BaseRelations.from_record(plan.base_sample)
        except (KeyError, TypeError, ValueError, InputError) as error:
            raise IntegrityError(f"the record of the set's base sample is damaged ({error}); make it again") from error
    name = plan.config.get("base_sample", BUILT_IN)
    if name not in (None, BUILT_IN):
        raise InputError(
            f"the set was made from the base sample {name!r} and, as sets of earlier releases, does not record its "
            "scaling relations; allowed are sets of the built-in base sample and sets that record them: make it again "
            "with this release"
        )
    return BaseRelations()
