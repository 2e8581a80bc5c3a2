"""`earnest doctor`: what is installed and whether it works together."""

import sys

import typer

from earnest_common.cli.options import JsonOption
from earnest_common.cli.output import emit

__all__ = ["doctor"]


def doctor(*, as_json: JsonOption = False) -> None:
    """Show what is installed: packages, file formats, plugins and optional extras; exit 1 if something is broken."""
    from importlib.util import find_spec

    from earnest_common.bundle import BUNDLE_FORMAT_VERSION
    from earnest_common.catalogs import FORMAT_VERSION
    from earnest_common.plugins import COMMANDS, ESTIMATORS, LIMITS, SOURCES, plugins
    from earnest_common.run.provenance import DISTRIBUTIONS, extras, versions
    from earnest_common.schema import SCHEMA_VERSION

    found = versions()
    problems = [
        f"{group} '{name}' cannot be found: {point.module} is not importable"
        for group in (COMMANDS, SOURCES, ESTIMATORS, LIMITS)
        for name, point in plugins(group).items()
        if find_spec(point.module.partition(".")[0]) is None
    ]
    answer = {
        "python": sys.version.split()[0],
        "packages": {name: found.get(name, "not installed") for name in DISTRIBUTIONS},
        "foundations": {k: v for k, v in found.items() if k not in DISTRIBUTIONS and k != "python"},
        "formats": {"catalog set": FORMAT_VERSION, "schema": SCHEMA_VERSION, "bundle": BUNDLE_FORMAT_VERSION},
        "plugins": {group: list(plugins(group)) for group in (COMMANDS, SOURCES, ESTIMATORS, LIMITS)},
        "extras": {
            extra: f"no ({', '.join(missing)} not installed)" if missing else "yes"
            for extra, missing in extras().items()
        },
        "problems": problems,
    }
    emit(answer, as_json=as_json)
    if problems:
        raise typer.Exit(1)
