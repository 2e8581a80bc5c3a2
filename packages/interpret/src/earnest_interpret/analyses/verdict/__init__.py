"""Is a model overspecialised? Tests with stated null hypotheses, combined at one rate of false alarms."""

from earnest_interpret.analyses.verdict.check import Check
from earnest_interpret.analyses.verdict.decide import ALPHA, Evidence, Verdict, decide, gather_evidence

__all__ = ["ALPHA", "Check", "Evidence", "Verdict", "decide", "gather_evidence"]
