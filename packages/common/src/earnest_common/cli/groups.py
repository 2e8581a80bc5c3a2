"""The command groups of installed packages."""

from importlib.metadata import EntryPoint, entry_points

__all__ = ["command_groups"]

_GROUP = "earnest.cli"


def command_groups() -> list[EntryPoint]:
    """Return the entry points of all command groups in alphabetical order."""
    return sorted(entry_points(group=_GROUP), key=lambda point: point.name)
