"""Which sentences all trainings of a model share: those get their range, the others are withheld."""

from collections.abc import Sequence
from dataclasses import replace

from earnest_interpret.caution import marked
from earnest_interpret.page.reasons import Reason
from earnest_interpret.words import format_number

__all__ = ["agreed"]


def agreed(reasons: Sequence[Reason], members: Sequence[Sequence[Reason]] = ()) -> tuple[Reason, ...]:
    """Return the reasons of a model, each confirmed by all its trainings or replaced by how they differ.

    Trainings share a sentence if it is said of each, with the same outcome and the same claim: a sign, an order, which
    quantity comes first. A sentence that only some of them give is withheld too. Of a model that was trained once,
    sentences on its encoder carry a mark.

    Parameters
    ----------
    reasons
        Of the model.
    members
        Of each training, two or more; none for a model that was trained once.
    """
    if not members:
        return tuple(
            replace(reason, text=marked(reason.text)) if reason.is_of_one_training else reason for reason in reasons
        )
    keys = list(dict.fromkeys(reason.key for said in (reasons, *members) for reason in said))
    return tuple(_together(key, reasons, members) for key in keys)


def _together(key: str, reasons: Sequence[Reason], members: Sequence[Sequence[Reason]]) -> Reason:
    found = [next((reason for reason in said if reason.key == key), None) for said in members]
    said = [reason for reason in found if reason is not None]
    own = next((reason for reason in reasons if reason.key == key), None)
    if own is not None and not said:  # a check that is made of the whole alone
        return own
    first, numbers = own or said[0], tuple(dict(reason.numbers) for reason in said)
    ranges = _ranges(first, said)
    is_shared = (
        own is not None
        and len(said) == len(members)
        and all((r.outcome, r.claim) == (own.outcome, own.claim) for r in said)
    )
    if is_shared:
        words = f"all {len(members)} trainings{f': {ranges}' if ranges else ''}"
        return replace(first, text=f"{first.text} [{words}]", by_member=numbers)
    where = f" in the {len(said)} of {len(members)} trainings that show it" if len(said) < len(members) else ""
    over = f": {ranges}{where or f' over {len(members)} trainings'}" if ranges else where
    return Reason(
        key=key,
        outcome="undetermined",
        text=f"{first.subject} is not determined by the training{over}.",
        numbers={},
        by_member=numbers,
    )


def _ranges(first: Reason, said: Sequence[Reason]) -> str:
    parts = []
    for name, label in first.ranges.items():
        values = [value for reason in said if isinstance(value := reason.numbers.get(name), int | float)]
        if not values:
            continue
        scale, digits, unit = (100, 1, " %") if label.endswith("%") else (1, 3, "")
        low, high = (format_number(scale * float(value), digits) for value in (min(values), max(values)))
        parts.append(f"{label.removesuffix('%').strip()} {low}{f' to {high}' if high != low else ''}{unit}")
    return ", ".join(parts)
