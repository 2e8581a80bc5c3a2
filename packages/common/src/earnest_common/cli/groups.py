"""The command groups of installed packages."""

from importlib.metadata import EntryPoint, entry_points

__all__ = ["command_groups"]

_GROUP = "earnest.cli"
_ORDER = ("mocks", "catalogs", "model", "interpret", "selfcal")


def command_groups() -> list[EntryPoint]:
    """Return the entry points of all command groups in the order of work, those of other packages after them."""
    last = len(_ORDER)
    return sorted(
        entry_points(group=_GROUP),
        key=lambda point: (_ORDER.index(point.name) if point.name in _ORDER else last, point.name),
    )
