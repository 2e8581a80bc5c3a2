"""Kill every long command at many moments, and damage every kind of file; nothing wrong may come of it.

Usage: python tests/faults/session.py [kills|flips ...] [--kills 20] [--flips 60] [--model BUNDLE] [--only WORDS]

Kills: each command runs undisturbed once; then again and again, ended (SIGKILL) at a random moment or at one of its
changes of the file system. After each, whatever lies at the place of an output is the undisturbed bytes or nothing,
and the same command then ends well with the undisturbed output, leaving no temporary file. What was found is kept in
``FOLDER/results.json``: after an interruption the session goes on, and does again what failed.

Flips: one bit of a file is flipped, or the file is cut, and a command that reads it runs. It refuses (exit code 2), or
its answer is that of the whole file. Numbers go to standard output, failures are listed; exit code 1 if there are any.
"""

import argparse
import contextlib
import gc
import hashlib
import importlib
import io
import json
import os
import pkgutil
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "fuzz"))

from commands import make_files, run

COARSE = {
    "earnest_selfcal.forward.resolution:Resolution.__init__": {
        "n_nuisance": 32,
        "log10_m_step": 0.1,
        "log10_x_step": 0.1,
    },
    "earnest_selfcal.exact_posterior.posterior:RefereeConfig.__init__": {
        "n_draws": 200,
        "target_ess": 20.0,
        "max_rounds": 1,
    },
    "earnest_selfcal.simulation.grid:simulate_grid": {"surveys_per_shard": 100},
    "earnest_selfcal.cli.survey_answer:figures_answer": {"n_catalogs": 8, "n_posteriors": 8},
}
"""Defaults that no option changes, made coarse: the files and their order are as ever, the numbers in them are not."""

NETWORKS = ("keras", "tensorflow")
CHANGES = ("rename", "replace", "mkdir", "unlink", "rmdir", "link", "truncate", "fsync")


@dataclass(frozen=True, kw_only=True)
class Long:
    """A long command, and what of its outputs does not depend on the clock (default: every byte)."""

    words: str
    outputs: tuple[str, ...]
    same: tuple[str, ...] = ()


def _long(words: str, *outputs: str, same: tuple[str, ...] = ()) -> Long:
    return Long(words=words, outputs=outputs, same=same)


_ALL = "--model MODEL --split all --max-catalogs 2"

LONG = (
    _long("catalogs split SET --out OUT --seed 3", "OUT"),
    _long("mocks generate --n-catalogs 6 --seed 1 --catalogs-per-shard 1 --out OUT", "OUT"),
    _long("mocks photons --cluster-id 3 --cluster-id 5 --out OUT", "OUT"),
    _long("mocks reduce PHOTONS.fits --out OUT.parquet --clusters KNOWN.csv --section S.json", "OUT.parquet", "S.json"),
    _long("selfcal grid --n-surveys 600 --out OUT", "OUT"),
    _long(
        f"interpret leave-one-out SET {_ALL} --out OUT.parquet --section S.json", "OUT.parquet", "OUT.json", "S.json"
    ),
    _long(
        "selfcal referee SET --split all --residuals lognormal --out OUT.parquet --section S.json",
        *("OUT.parquet", "S.json"),
    ),
    _long("selfcal sample MCXC.csv --figure F.svg --section S.json", "F.svg", "S.json"),
    _long("model train --live paper --recipe fast --max-steps 2 --config FEW.toml --out OUT", "OUT", same=("golden.npz",)),
    _long(
        "selfcal contours --n-clusters 130 --median-log10-y-x 13.6 --om0 0.25 0.35 3 --figure F.svg --section S.json",
        *("F.svg", "S.json"),
    ),
    _long(
        f"interpret report SET {_ALL} --n-permutations 99 --out OUT.html --figures FIGURES",
        *("OUT.html", "OUT.json", "FIGURES"),
    ),
    _long(
        "model table4 --data MANY --recipe fast --seeds 1 --max-steps 1 --config FEW.toml --out OUT", "OUT",
        same=("table4.json", "golden.npz"),
    ),
    _long("selfcal nulls --n-catalogs 10 --width 0 --section S.json", "S.json"),
    _long("catalogs import TABLE.csv --format MAPPING.toml --trust-units --out OUT", "OUT"),
    _long("catalogs export SET --format csv --out OUT.csv", "OUT.csv"),
    _long("mocks base-sample --from IMPORTED --out OUT.parquet", "OUT.parquet"),
    _long("selfcal infer --n-clusters 130 --figure F.svg --section S.json", "F.svg", "S.json"),
    _long("model predict SET --model MODEL --out OUT.csv", "OUT.csv"),
    _long(f"interpret saliency SET {_ALL} --out OUT.parquet --section S.json", "OUT.parquet", "OUT.json", "S.json"),
    _long("model figures --model MODEL --out OUT --section S.json", "OUT", "S.json"),
    _long("selfcal figures --n-surveys 300 --out OUT --section S.json", "OUT", "S.json"),
    _long("mocks clones SET --section S.json", "S.json"),
)  # fmt: skip

_EVALUATE = "model evaluate SET --model MODEL --split all --referee REFEREE.parquet --json"

FLIPS = {
    "SET/manifest.json": ("selfcal evaluate SET --split all --json",),
    "SET/catalogs/00000.parquet": ("catalogs describe SET --json", "selfcal evaluate SET --split all --json"),
    "SET/clusters/00000.parquet": ("catalogs describe SET --json", "selfcal evaluate SET --split all --json"),
    "BASE.parquet": ("mocks relations --base-sample BASE.parquet --json",),
    "CUBE.npz": ("mocks generate --n-catalogs 2 --seed 1 --config CUBE.toml --out OUT",),
    "PHOTONS.fits": ("mocks reduce PHOTONS.fits --out OUT.parquet --json",),
    "REDUCTIONS.parquet": ("REDUCTIONS",),
    "GRID/grid.json": ("selfcal figures --grid GRID --out OUT --json",),
    "GRID/surveys-00000.parquet": ("selfcal figures --grid GRID --out OUT --json",),
    "SECTION.json": ("SECTION",),
    "MODEL/bundle.json": ("model predict SET --model MODEL --out OUT.csv",),
    "MODEL/golden.npz": ("model predict SET --model MODEL --out OUT.csv",),
    "MODEL/model.keras": ("model predict SET --model MODEL --out OUT.csv",),
    "MODEL/history.jsonl": ("model figures --model MODEL --section OUT.json",),
    "REFEREE.parquet": (_EVALUATE,),
    "LEFT.parquet": ("TABLE",),
    "LEFT.json": ("ANSWER",),
    "SALIENCY.parquet": ("TABLE",),
}
"""What reads each kind of file: commands, or functions of the packages (``_READERS``) for what a reader's own code reads."""


def main() -> int:
    """Run the session."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("halves", nargs="*", help="kills, flips [both]")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--flips", type=int, default=60)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--folder", type=Path, default=Path(".faults"))
    parser.add_argument("--only", default="", help="Only commands or files that begin so.")
    options = parser.parse_args()
    base = options.folder.resolve() / "base"
    _coarsen()
    if not (base / "done").exists():
        shutil.rmtree(base, ignore_errors=True)
        base.mkdir(parents=True)
        _apart(lambda: _make(base, options.model))
        (base / "done").touch()
    failures: list[str] = []
    if "flips" not in options.halves or "kills" in options.halves:
        _warm()
        for long in LONG:
            trained = long.words.startswith("model") or "MODEL" in long.words
            if long.words.startswith(options.only) and (not trained or (base / "MODEL").exists()):
                failures += _once(
                    options.folder, f"{long.words} | {options.kills}", partial(_kill_often, long, base, options.kills)
                )
    if "kills" not in options.halves or "flips" in options.halves:
        for name, commands in FLIPS.items():
            needed = [word for words in commands for word in words.split() if word.isupper()]
            if name.startswith(options.only) and all(
                (base / word).exists() for word in (name, *needed) if word not in {"OUT", *_READERS}
            ):
                for words in commands:
                    failures += _once(
                        options.folder,
                        f"{name} | {words} | {options.flips}",
                        partial(_flip_often, name, words, base, options.flips),
                    )
    for text in failures:
        print(f"- {text}")
    return int(bool(failures))


def _once(folder: Path, key: str, work: Callable[[], tuple[str, list[str]]]) -> list[str]:
    """Print what some work finds and return its failures; work that found none is not done again, only told again."""
    file = folder / "results.json"
    done = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    failures: list[str] = []
    if key not in done:
        done[key], failures = work()
        if not failures:
            file.write_text(json.dumps(done, indent=1), encoding="utf-8")
    print(done[key], flush=True)
    return failures


def _coarsen() -> None:
    for place, values in COARSE.items():
        module, _, name = place.partition(":")
        function: Any = importlib.import_module(module)
        for part in name.split("."):
            function = getattr(function, part)
        if unknown := values.keys() - function.__kwdefaults__.keys():
            raise SystemExit(f"{place} has no {unknown}")
        function.__kwdefaults__.update(values)


def _apart(work: Callable[[], object]) -> None:
    """Do something in a process of its own: threads that it starts would hang the processes forked here later."""
    child = os.fork()
    if not child:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        raise SystemExit("the files of the session could not be made")


def _make(base: Path, model: Path | None) -> None:
    make_files(base, model)
    (base / "FEW.toml").write_text("[fast]\nn_validation = 64\nn_look = 16\nchunk_catalogs = 64\nbatch_catalogs = 8\n")
    (base / "CUBE.toml").write_text('mass_function_table = "CUBE.npz"\n[Om0]\nlow = 0.25\nhigh = 0.35\n')
    (base / "IDS.csv").write_text("file,cluster_id,m_500c,t_x\nPHOTONS.fits,3,5.4e13,1.09\n")
    networks = (
        f"interpret leave-one-out {base / 'SET'} --model {base / 'MODEL'} --split all --out {base / 'LEFT.parquet'}",
        f"interpret saliency {base / 'SET'} --model {base / 'MODEL'} --split all --out {base / 'SALIENCY.parquet'}",
    )
    for words in (
        *(networks if model is not None else ()),
        f"mocks mass-function --config {base / 'OM0.toml'} --out {base / 'CUBE.npz'}",
        f"mocks reduce {base / 'PHOTONS.fits'} --clusters {base / 'IDS.csv'} --out {base / 'REDUCTIONS.parquet'}",
        f"mocks base-sample --no-observed --out {base / 'BASE.parquet'}",
        f"selfcal grid --n-surveys 2000 --out {base / 'GRID'}",
        f"selfcal referee {base / 'SET'} --split all --residuals lognormal --out {base / 'REFEREE.parquet'}",
    ):
        found = run(words.split())
        if found.code or found.error:
            raise RuntimeError(f"{words}: {found}")


def _warm() -> None:
    """Import all that commands need, so that a forked process begins at once; nothing is computed here."""
    for package in ("earnest_common", "earnest_mocks", "earnest_selfcal", "earnest_interpret", "earnest_model"):
        with contextlib.suppress(ImportError):
            for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
                importlib.import_module(module.name)
    for name in (
        "pydantic",
        "matplotlib.figure",
        "astropy.io.fits",
        "astropy.table",
        "scipy.stats",
        "pyarrow",
        *NETWORKS,
    ):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.freeze()


def _place(base: Path) -> Path:
    place = Path(tempfile.mkdtemp(prefix="faults-"))
    for file in base.iterdir():
        (place / file.name).symlink_to(file)
    return place


def _fork(words: str, place: Path, *, change: int = -1, seconds: float = 0.0) -> tuple[int, int, float, str]:
    """Run a command in a forked process, killed at a change or after a time; return its end, changes, time, words."""
    counter, said = place / ".changes", place / ".said"
    started = time.monotonic()
    child = os.fork()
    if not child:
        os.chdir(place)
        handle = os.open(counter, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
        _count(handle, change)
        found = run(words.split())
        said.write_text(found.err + found.error, encoding="utf-8", errors="replace")
        os._exit(found.code if not found.error else 99)
    if seconds:
        time.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    text = said.read_text(encoding="utf-8") if said.exists() else ""
    n = counter.stat().st_size if counter.exists() else 0
    for file in (counter, said):
        file.unlink(missing_ok=True)
    return os.waitstatus_to_exitcode(status), n, time.monotonic() - started, text


def _count(handle: int, change: int) -> None:
    n = 0

    def wrap(name: str) -> None:
        original = getattr(os, name)

        def counted(*words: object, **named: object) -> object:
            nonlocal n
            os.write(handle, b".")
            if n == change:
                os.kill(os.getpid(), signal.SIGKILL)
            n += 1
            return original(*words, **named)

        setattr(os, name, counted)

    for name in CHANGES:
        wrap(name)


def _content(place: Path, names: tuple[str, ...], same: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the hash of every file at the place of an output."""
    found = {}
    for name in names:
        root = place / name
        files = [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.is_file()) if root.is_dir() else []
        for file in files:
            if not same or file.name in same:
                found[str(file.relative_to(place))] = hashlib.sha256(_without_clock(file)).hexdigest()
    return found


def _without_clock(file: Path) -> bytes:
    """Return what is compared of a file: the golden examples also hold the description, with the seconds of training."""
    if file.name != "golden.npz":
        return file.read_bytes()
    import numpy as np

    with np.load(file) as arrays:
        return b"".join(arrays[name].tobytes() for name in sorted(arrays.files) if name != "description")


def _kill_often(long: Long, base: Path, n: int) -> tuple[str, list[str]]:
    rng, failures, place = random.Random(long.words), [], _place(base)
    code, changes, seconds, text = _fork(long.words, place)
    whole, listing = _content(place, long.outputs, long.same), sorted(p.name for p in place.iterdir())
    shutil.rmtree(place)
    if code:
        return long.words, [f"{long.words}: undisturbed, it ended with {code}: {text}"]
    points = rng.sample(range(changes), changes)
    tried = ended = again = 0
    while ended < n and tried < 2 * n:
        at_change = changes > 0 and tried % 3 < 2
        moment = {"change": points[tried % changes]} if at_change else {"seconds": rng.uniform(0.02, 0.9) * seconds}
        tried += 1
        place = _place(base)
        code, *_ = _fork(long.words, place, **moment)
        ended += code == -signal.SIGKILL
        before = _content(place, long.outputs, long.same)
        wrong = [name for name, found in before.items() if name in whole and whole[name] != found]
        code, _, _, text = _fork(long.words, place)
        complete = before.keys() >= whole.keys() and "exists and is" in text
        after = _content(place, long.outputs, long.same)
        left = sorted(p.name for p in place.iterdir())
        if wrong:
            failures.append(f"{long.words}: killed at {moment}, wrong bytes in {wrong}")
        elif code and not complete:
            failures.append(f"{long.words}: killed at {moment}, then refused with {code}: {text.strip()[-300:]}")
        elif after != whole or left != listing:
            failures.append(
                f"{long.words}: killed at {moment}, then differs: {set(left) ^ set(listing)} {after.keys() ^ whole.keys()}"
            )
        else:
            again += 1
        shutil.rmtree(place)
    name = long.words.split(" --")[0]
    told = f"{name:<40} {changes:>5} changes {ended:>4} kills {again:>4} of {tried} ended whole"
    return told, failures


def _read_tables(file: Path) -> object:
    from earnest_common.run.parquet import read_csv_or_parquet

    return read_csv_or_parquet(file, what="table").write_json()


def _read_reductions(file: Path) -> object:
    from earnest_mocks.measured.profiles import read_reductions

    found = read_reductions(file)
    return found.frame.write_json(), found.radii


def _read_section(file: Path) -> object:
    from earnest_common.report.section import read_section

    return read_section(file)


def _read_answer(file: Path) -> object:
    from earnest_common.run.records import ANSWER

    return ANSWER.content(file)


_READERS: dict[str, Callable[[Path], object]] = {
    "TABLE": _read_tables,
    "REDUCTIONS": _read_reductions,
    "SECTION": _read_section,
    "ANSWER": _read_answer,
}


def _answer(words: str, place: Path, name: str) -> tuple[int, str]:
    """Return exit code and answer (what is printed, and outputs) of a command, or what a function reads."""
    here = Path.cwd()
    if words in _READERS:
        from earnest_common.errors import EarnestError

        try:
            return 0, repr(_READERS[words](place / name))
        except EarnestError:
            return 2, ""
        except Exception as error:
            return 99, repr(error)
    os.chdir(place)
    try:
        found = run(words.split())
    finally:
        os.chdir(here)
    outputs = tuple(p.name for p in place.iterdir() if p.name.startswith("OUT"))
    return (99 if found.error else found.code), found.out + json.dumps(_content(place, outputs))


def _flip_often(name: str, words: str, base: Path, n: int) -> tuple[str, list[str]]:
    rng, ends = random.Random(name), {"refused": 0, "same answer": 0, "other answer": 0, "fault": 0}
    place = _place(base)
    whole = _answer(words, place, name)
    shutil.rmtree(place)
    if whole[0]:
        return name, [f"{name}: undamaged, {words} ended with {whole[0]}: {whole[1][-300:]}"]
    failures = []
    for k in range(n):
        place = _place(base)
        top = place / Path(name).parts[0]
        if top.resolve().is_dir():
            real = top.resolve()
            top.unlink()
            shutil.copytree(real, top)
        data = (base / name).read_bytes()
        at = rng.randrange(len(data))
        damaged = data[:at] if k % 5 == 4 else data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]
        (place / name).unlink()
        (place / name).write_bytes(damaged)
        with contextlib.redirect_stderr(io.StringIO()):
            code, answer = _answer(words, place, name)
        end = (
            "refused"
            if code == 2
            else "fault"
            if code not in (0, 1)
            else "same answer"
            if (code, answer) == whole
            else "other answer"
        )
        ends[end] += 1
        if end in ("fault", "other answer"):
            failures.append(f"{name}: {'cut' if k % 5 == 4 else 'bit flipped'} at byte {at}, {words}: {end} ({code})")
        shutil.rmtree(place)
    return f"{name:<28} {words.split(' --')[0]:<28} {n:>4} damaged: {ends}", failures


if __name__ == "__main__":
    sys.exit(main())
