"""How far a catalog lies from what a model was trained on, and whether the model may be applied to it."""

from earnest_interpret.analyses.applicability.answer import Applicability, Comparison
from earnest_interpret.analyses.applicability.decide import Reference, apply_to, learn

__all__ = ["Applicability", "Comparison", "Reference", "apply_to", "learn"]
