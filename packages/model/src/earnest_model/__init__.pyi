from .bundle.estimator import NetworkEstimator, OutsideTrainingWarning, load
from .config import FastRecipe, PaperConfig, PaperRecipe, PooledConfig, TrainingConfig
from .evaluation.accuracy import Accuracy
from .evaluation.evaluate import evaluate, predict
from .training.train import train

__all__ = [
    "Accuracy",
    "FastRecipe",
    "NetworkEstimator",
    "OutsideTrainingWarning",
    "PaperConfig",
    "PaperRecipe",
    "PooledConfig",
    "TrainingConfig",
    "evaluate",
    "load",
    "predict",
    "train",
]

__version__: str
