"""The model card: what a reader of a bundle should know, as Markdown."""

from collections.abc import Mapping
from typing import Any

from earnest_common.bundle import BundleDescription

from earnest_model.networks import architecture
from earnest_model.training.validation import in_words, warning

__all__ = ["model_card"]


def model_card(description: BundleDescription) -> str:
    """Return the card of a bundle, with the front matter that model hubs read."""
    training, validation = description.training, description.training["validation"]
    prior = "\n".join(f"| {name} | {low:.4g} | {high:.4g} |" for name, (low, high) in description.prior.items())
    low, high = description.prior["sigma8"]
    widths, beside = description.calibration, ", ".join(description.supplementary) or "nothing"
    radii = ", ".join(f"{radius:.3g}" for radius in description.radii)
    others = list(widths.get("others", {}))
    more = f" Beside it the marginal distributions of {', '.join(others)}." if others else ""
    warned = warning(validation)
    unskilled = f"\n- **Warning:** {warned}." if warned else ""
    seeds = ", ".join(map(str, training.get("seeds", [training["seed"]])))
    members = f" in {len(training['seeds'])} networks whose distributions are averaged" if "seeds" in training else ""
    without = validation.get("without", {})
    lacking = "".join(f" Without {key.replace('+', ' and ')}: {one['scatter']:.4f}." for key, one in without.items())
    optional = f"\n- **May be missing:** {', '.join(description.optional)}, for some or all clusters of a catalog."
    may_lack = optional if description.optional else ""
    made_of = description.synthetic or "unknown to this card"
    return f"""---
library_name: keras
license: bsd-3-clause
tags: [astronomy, cosmology, galaxy-clusters]
---

# sigma8 from a catalog of galaxy clusters

Architecture `{training["architecture"]}`: {architecture(training["architecture"]).description}.
{training["n_parameters"]:,} trained parameters{members}, recipe `{training["recipe"]}`, seed {seeds},
{validation["step"]:,} steps.

- **In:** per cluster {", ".join(description.features)} for the encoder and {beside} beside the terse value, in
  physical, h-free units; profiles at {radii} R_500c.{may_lack}
- **Terse value:** {_terse(training)}.
- **Out:** a distribution of sigma8 between {low:.4g} and {high:.4g}; outside that range it cannot be right.{more}
- **Accuracy:** {in_words(validation)}.{lacking}{unskilled}
- **Intervals:** calibrated on {widths["n_catalogs"]} validation catalogs.
- **Training catalogs:** {made_of}.

Ranges of the training catalogs:

| label | low | high |
| --- | --- | --- |
{prior}

Do not use it for catalogs that were selected or measured differently; ask `earnest interpret applicability` first.
"""


def _terse(training: Mapping[str, Any]) -> str:
    is_anchored = training["architecture"] == "pooled" and training["config"].get("pooled", {}).get("anchor", 0) > 0
    if is_anchored:
        return "trained to follow ln M_500c within each catalog, up to a constant"
    return "not determined by the training: another seed may give another"
