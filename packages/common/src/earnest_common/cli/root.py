"""The command `earnest`: mounts the groups of whatever is installed and turns errors into one clear message."""

import sys
from importlib.metadata import EntryPoint

import typer

from earnest_common.errors import EarnestError

__all__ = ["build_app", "main"]


def build_app() -> typer.Typer:
    """Return the application with one command group per installed package.

    A group whose package cannot be imported is listed with the reason, and fails only when used.
    """
    from earnest_common.cli.doctor import doctor
    from earnest_common.cli.groups import command_groups

    app = typer.Typer(
        name="earnest",
        help="Interpretable galaxy-cluster cosmology: mock catalogs, sigma8, and the reasons for it.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",  # in "rich" a unit in brackets, [solMass], is taken for a tag and left out
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    app.command("doctor")(doctor)
    for point in command_groups():
        try:
            app.add_typer(point.load(), name=point.name)
        except ImportError as error:
            _add_unavailable(app, point, error)
    return app


def _root() -> None:
    """Interpretable galaxy-cluster cosmology: mock catalogs, sigma8, and the reasons for it."""


def _add_unavailable(app: typer.Typer, point: EntryPoint, error: ImportError) -> None:
    reason = f"cannot be imported: {error}"

    @app.command(
        point.name,
        help=f"Not available: {reason}",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
    def unavailable() -> None:
        raise EarnestError(f"'earnest {point.name}' {reason}; reinstall the package that provides it")


def main() -> None:
    """Run the command line: exit 0 is good, 1 a result that says no, 2 bad input or usage."""
    try:
        build_app()()
    except EarnestError as error:
        _fail(str(error))
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        _fail(f"{error.strerror or error}{where}; nothing was half-written, free the cause and run the command again")
    except KeyboardInterrupt:
        sys.stderr.write("earnest: stopped; the same command goes on where it can\n")
        sys.exit(130)


def _fail(message: str) -> None:
    sys.stderr.write(f"earnest: {message}\n")
    sys.exit(2)
