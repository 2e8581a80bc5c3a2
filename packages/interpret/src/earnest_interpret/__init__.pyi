from .analyses.applicability.answer import Applicability
from .analyses.verdict.decide import Verdict
from .answers.ablation import Ablation, ablation
from .answers.applicability import applicability
from .answers.clusters import LeaveOneOut, leave_one_out
from .answers.inputs import Saliency, saliency
from .answers.report import report
from .answers.terse_value import TerseValues, terse
from .answers.verdict import verdict
from .page.interpretation import InterpretConfig
from .page.report import Report
from .sample import Sample, read_sample

__all__ = [
    "Ablation",
    "Applicability",
    "InterpretConfig",
    "LeaveOneOut",
    "Report",
    "Saliency",
    "Sample",
    "TerseValues",
    "Verdict",
    "ablation",
    "applicability",
    "leave_one_out",
    "read_sample",
    "report",
    "saliency",
    "terse",
    "verdict",
]

__version__: str
