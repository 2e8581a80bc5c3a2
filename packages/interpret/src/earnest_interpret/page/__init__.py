"""The report page: sections in, one self-contained HTML document out."""

from earnest_interpret.page.render import QUESTIONS, Headline, Page, question_of, render

__all__ = ["QUESTIONS", "Headline", "Page", "question_of", "render"]
