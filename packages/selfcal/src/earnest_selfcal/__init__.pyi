from .exact_posterior.posterior import RefereeConfig
from .exact_posterior.refereed import Refereed, referee
from .forward.resolution import Resolution
from .forward.table import ForwardTable, forward_table
from .posterior.evaluation import Evaluation, evaluate
from .posterior.posterior import infer
from .survey.config import SurveyConfig, named_preset, resolve_survey, survey_of
from .survey.recorded import summaries_of

__all__ = [
    "Evaluation",
    "ForwardTable",
    "RefereeConfig",
    "Refereed",
    "Resolution",
    "SurveyConfig",
    "evaluate",
    "forward_table",
    "infer",
    "named_preset",
    "referee",
    "resolve_survey",
    "summaries_of",
    "survey_of",
]

__version__: str
