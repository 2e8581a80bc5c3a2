"""The model card: what a reader of a bundle should know, as Markdown."""

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
    made_of = description.synthetic or "unknown to this card"
    return f"""---
library_name: keras
license: bsd-3-clause
tags: [astronomy, cosmology, galaxy-clusters]
---

# sigma8 from a catalog of galaxy clusters

Architecture `{training["architecture"]}`: {architecture(training["architecture"]).description}.
{training["n_parameters"]:,} trained parameters, recipe `{training["recipe"]}`, seed {training["seed"]},
{validation["step"]:,} steps.

- **In:** per cluster {", ".join(description.features)} for the encoder and {beside} beside the terse value, in
  physical, h-free units; profiles at {radii} R_500c.
- **Out:** a distribution of sigma8 between {low:.4g} and {high:.4g}; outside that range it cannot be right.{more}
- **Accuracy:** {in_words(validation)}.{unskilled}
- **Intervals:** calibrated on {widths["n_catalogs"]} validation catalogs.
- **Training catalogs:** {made_of}.

Ranges of the training catalogs:

| label | low | high |
| --- | --- | --- |
{prior}

Do not use it for catalogs that were selected or measured differently; ask `earnest interpret applicability` first.
"""
