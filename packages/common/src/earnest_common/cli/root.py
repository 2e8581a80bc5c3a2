"""The command `earnest`: mounts the groups of whatever is installed and turns errors into one clear message."""

import contextlib
import functools
import io
import os
import sys
import warnings
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Annotated, Any, NoReturn, final

import typer

from earnest_common.cli.output import emit
from earnest_common.errors import EarnestError, InputError
from earnest_common.run.numbers import number_problem
from earnest_common.run.progress import be_quiet

__all__ = ["build_app", "main"]

_TRACEBACK = "EARNEST_TRACEBACK"


@final
class _InOrderOfWork(typer.core.TyperGroup):
    """The groups of the packages, and after them the command that looks after the installation."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - a click.Context, of click or of its copy in typer
        return sorted(super().list_commands(ctx), key=lambda name: name == "doctor")


def build_app() -> typer.Typer:
    """Return the application with one command group per installed package.

    A group whose package cannot be imported is listed with the reason, and fails only when used.
    """
    from earnest_common.cli.doctor import doctor
    from earnest_common.cli.groups import command_groups

    app = typer.Typer(
        name="earnest",
        cls=_InOrderOfWork,
        help="Interpretable galaxy-cluster cosmology: mock catalogs, sigma8, and the reasons for it.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",  # in "rich" a unit in brackets, [solMass], is taken for a tag and left out
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for point in command_groups():
        try:
            app.add_typer(point.load(), name=point.name)
        except ImportError as error:
            _add_unavailable(app, point, error)
    app.command("doctor")(doctor)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        from earnest_common.run.provenance import DISTRIBUTIONS, versions

        found = versions()
        emit({name: found[name] for name in DISTRIBUTIONS if name in found}, as_json=False)
        raise typer.Exit


def _root(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the installed packages' versions."
        ),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show libraries' warnings, and the traceback of a fault.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show neither progress nor notes, only results and errors.")
    ] = False,
) -> None:
    """Interpretable galaxy-cluster cosmology: mock catalogs, sigma8, and the reasons for it."""
    if verbose:
        os.environ[_TRACEBACK] = "1"  # worker processes inherit it
        warnings.simplefilter("default")
    if quiet:
        be_quiet()


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
    """Run the command line.

    The exit code is 0 for good, 1 for a result that says no, 2 for bad input or usage and for a lack of room or memory,
    70 for a fault of the software, 130 after Ctrl-C, and 141 where the reader of the output went away.
    """
    _tolerate_terminals()
    try:
        command = typer.main.get_command(build_app())
        _check_numbers(command)
        command()
    except SystemExit as end:
        _end(end)
    except EarnestError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _interrupt()
    except BaseException as error:  # also the panics of Polars
        _fail(*_in_words(error))


def _tolerate_terminals() -> None:
    """Show characters that a terminal's encoding lacks as escapes, and write to nowhere where a stream is closed."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _check_numbers(command: Any) -> None:  # noqa: ANN401 - a click.Command, of click or of its copy in typer
    """Let every command refuse numbers that are not finite or are too large, before it does anything."""
    for child in getattr(command, "commands", {}).values():
        _check_numbers(child)
    run, options = command.callback, {option.name: option.opts[0] for option in command.params}
    if run is None or not options:
        return

    @functools.wraps(run)
    def checked(**values: Any) -> Any:  # noqa: ANN401
        for name, value in values.items():
            if (problem := number_problem(value)) is not None:
                raise InputError(f"{options.get(name, name)}: {problem}")
        return run(**values)

    command.callback = checked


def _end(end: SystemExit) -> NoReturn:
    """End as asked, but with a word after Ctrl-C, and silently where nobody reads any more."""
    cause: BaseException | None = end
    while cause is not None:
        if isinstance(cause, BrokenPipeError):
            _leave(141)
        if isinstance(cause, KeyboardInterrupt):
            _interrupt()
        cause = cause.__cause__ or cause.__context__
    try:
        sys.stdout.flush()
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            _leave(141)
        _fail(f"the answer cannot be written to standard output: {error.strerror}; results in files are whole")
    raise end


def _interrupt() -> NoReturn:
    _fail("stopped; no output is incomplete; re-run the same command to resume where it can", 130)


def _in_words(error: BaseException) -> tuple[str, int]:
    """Return the message and exit code of an error that nothing expected."""
    kind, text = type(error).__name__, str(error).strip().partition("\n")[0]
    if isinstance(error, ImportError) and "failed to map segment" in str(error):
        return _in_words(MemoryError("a library could not be loaded"))
    again = "nothing was half-written, free the cause and run the command again"
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror or error}{where}; {again}", 2
    if isinstance(error, MemoryError) or kind == "ResourceExhaustedError" or "memory allocation" in text:
        return f"not enough memory ({text or kind}); {again}: close other programs, or ask for less at a time", 2
    if os.environ.get(_TRACEBACK):
        import traceback

        traceback.print_exception(error)
    return (
        f"unexpected {kind}: {text}\nThis is a fault of the software, not an answer; nothing was half-written. Please "
        f"report it with the lines that the same command prints as `earnest -v ...`."
    ), 70


def _fail(message: str, code: int = 2) -> NoReturn:
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    with contextlib.suppress(OSError):
        sys.stderr.write(f"earnest: {message}\n")
        sys.stderr.flush()
    _leave(code)


def _leave(code: int) -> NoReturn:
    """End with a code; what a closed pipe did not take is dropped, or Python would complain of it at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)
