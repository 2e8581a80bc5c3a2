"""Sections of the report that this package writes: numbers in, figures, tables and sentences out."""

from earnest_interpret.sections.ablation import ablation_section
from earnest_interpret.sections.accuracy import accuracy_section
from earnest_interpret.sections.clusters import clusters_section
from earnest_interpret.sections.inputs import inputs_section
from earnest_interpret.sections.proxy import proxy_section
from earnest_interpret.sections.terse import terse_section

__all__ = [
    "ablation_section",
    "accuracy_section",
    "clusters_section",
    "inputs_section",
    "proxy_section",
    "terse_section",
]
