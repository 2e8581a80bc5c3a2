"""Questions to a trained network: outputs, terse values, gradients, leave-one-out; memory-bounded."""

from earnest_model.inference.base import AbstractInference
from earnest_model.inference.paper import PaperInference
from earnest_model.inference.pooled import PooledInference

__all__ = ["AbstractInference", "PaperInference", "PooledInference"]
