"""Names for the array types that signatures share."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["FloatArray", "FloatLike", "IntArray"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
FloatLike = float | FloatArray
