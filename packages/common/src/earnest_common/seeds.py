"""Random generators that depend on the seed, the stage and the catalog alone, never on how work is divided."""

from enum import IntEnum

import numpy as np

__all__ = ["Stage", "generator"]


class Stage(IntEnum):
    """The independent streams of random numbers; a value is never given a new meaning."""

    DESIGN = 0
    POPULATION = 1
    BASE_SAMPLE = 2
    SPLIT = 3
    TRAINING = 4
    SELF_CALIBRATION = 5
    RESAMPLING = 6
    PHOTONS = 7
    NOISE = 8
    SHUFFLING = 9


def generator(seed: int, stage: Stage, index: int = 0) -> np.random.Generator:
    """Return the generator of one stage and one catalog (or other unit of work).

    Parameters
    ----------
    seed
        The user's seed, not negative.
    stage
        The stream.
    index
        The catalog id, or another number that names the unit of work.

    Examples
    --------
    >>> a, b = (generator(1, Stage.POPULATION, index=7).random() for _ in range(2))
    >>> a == b
    True
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(int(stage), index))))
