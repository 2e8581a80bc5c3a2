"""Give every command thousands of bad inputs, and keep those that do not end in one message.

Usage: python tests/fuzz/session.py [--inputs 3000] [--model BUNDLE] [--folder FOLDER] [--only WORDS]

A good end is exit code 0 or 1, or 2 with one message; no traceback, no fault of the software (70), no half-written or
stray file, within 40 seconds of the processor and six times that by the clock (more where a good end takes more). Inputs are drawn by Hypothesis in batches of a fixed seed, a batch of
each call first and then by weight. Results are kept in ``FOLDER/results.jsonl``, so that the same command goes on after
an interruption and does batches with failures once more; each failing input is kept with its files in
``FOLDER/failures``.
"""

import argparse
import collections
import contextlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from commands import COMMANDS, Call, Outcome, config_fields, make_files, run
from hostile import FLOATS, INTEGERS, NO_NUMBERS, TEXTS, altered_bytes, altered_json, odd_path, toml_text
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

BATCH = 25
GIGABYTES = 24


class TooLongError(BaseException):
    """An input that keeps a command busy without end."""


def main() -> int:
    """Run the session; exit 1 if an input failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=3000)
    parser.add_argument("--model", type=Path, help="A bundle trained on preset paper; default: train one.")
    parser.add_argument("--folder", type=Path, default=Path(".fuzz"), help="Results and failures.")
    parser.add_argument("--only", default="", help="Only commands that begin so, such as: selfcal.")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    base = options.folder.resolve() / "base"
    if not (base / "done").exists():
        shutil.rmtree(base, ignore_errors=True)
        base.mkdir()
        make_files(base, options.model)
        (base / "done").touch()
    resource.setrlimit(resource.RLIMIT_AS, (GIGABYTES << 30, GIGABYTES << 30))
    signal.signal(signal.SIGPROF, _too_long)
    signal.signal(signal.SIGALRM, _too_long)
    calls = [c for c in COMMANDS if " ".join(c.words).startswith(options.only)]
    calls = [c for c in calls if "MODEL" not in c.words or (base / "MODEL").exists()]
    done = _results(options.folder)
    number = 0
    while sum(len(one["inputs"]) for one in done.values()) < options.inputs:
        number += 1
        key = f"{options.only}#{number}"
        if key in done:
            continue
        drawn = random.Random(number).choices(calls, [c.weight for c in calls])[0]
        call = calls[number - 1] if number <= len(calls) else drawn
        _refuse_vain(call, base, options.folder)
        done[key] = {
            "key": key,
            "command": " ".join(call.words[:2]),
            "inputs": _batch(call, number, base, options.folder),
        }
        with (options.folder / "results.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(done[key]) + "\n")
    return _report(list(done.values()))


def _refuse_vain(call: Call, base: Path, folder: Path) -> None:
    """Make a call once as it is: inputs of one that fails anyway would find nothing."""
    file, words = folder / "unchanged.json", " ".join(call.words)
    done = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if words in done:
        return
    done[words], problem = _call_once(call, base)
    if done[words] != call.code:
        raise SystemExit(f"unchanged, {words!r} ended with {done[words]} instead of {call.code}: {problem}")
    file.write_text(json.dumps(done, indent=1), encoding="utf-8")


def _call_once(call: Call, base: Path) -> tuple[int, str]:
    with _place(base) as place:
        before = _listing(place)
        found = _run(list(call.words), call, place)
        problem = _problem(found, call, place, before, list(call.words))
        return (found.code, found.err.strip()[-300:]) if not problem else (99, problem)


@contextlib.contextmanager
def _place(base: Path) -> Iterator[Path]:
    """Yield a new folder with links to all files, and remove it."""
    place = Path(tempfile.mkdtemp(prefix="fuzz-"))
    try:
        for file in base.iterdir():
            (place / file.name).symlink_to(file)
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _run(words: list[str], call: Call, place: Path) -> Outcome:
    here = Path.cwd()
    os.chdir(place)
    signal.setitimer(signal.ITIMER_PROF, call.seconds)
    signal.setitimer(signal.ITIMER_REAL, 6 * call.seconds)  # for what waits for ever
    try:
        return run(words)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        os.chdir(here)


def _results(folder: Path) -> dict[str, Any]:
    file = folder / "results.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    records = {record["key"]: record for record in map(json.loads, lines)}
    return {key: record for key, record in records.items() if not any("problem" in one for one in record["inputs"])}


def _batch(call: Call, number: int, base: Path, folder: Path) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []

    @seed(number)
    @settings(
        max_examples=BATCH,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def one(data: st.DataObject) -> None:
        results.append(_try(data, call, base, folder, f"{number:05d}-{len(results):02d}"))

    one()
    return results


def _try(data: st.DataObject, call: Call, base: Path, folder: Path, name: str) -> dict[str, Any]:
    with _place(base) as place:
        words, what = _input(data, call, place)
        before, started = _listing(place), time.monotonic()
        found = _run(words, call, place)
        problem = _problem(found, call, place, before, words)
        record = {"words": words, "what": what, "code": found.code, "seconds": round(time.monotonic() - started, 2)}
        if problem:
            record |= {"problem": problem, "error": found.error, "err": found.err[-2000:]}
            _keep(folder / "failures" / name, place, record)
        return record


def _input(data: st.DataObject, call: Call, place: Path) -> tuple[list[str], str]:
    """Return the words of a bad call, and make the files it needs."""
    words = list(call.words)
    kinds = ["option", "option"]
    kinds += ["config", "config"] * bool(call.config)
    files = [i for i, word in enumerate(words) if (place / word).exists() and not word.startswith("-")]
    kinds += ["file", "file", "path"] * bool(files)
    kinds += ["output"] * bool(call.outputs)
    what = data.draw(st.sampled_from(kinds))
    if what == "option":
        _change_option(data, words)
    elif what == "config":
        (place / "C.toml").write_bytes(data.draw(toml_text(config_fields(call.config))))
        words += ["--config", "C.toml"]
    elif what == "file":
        _alter(data, place / words[data.draw(st.sampled_from(files))])
    elif what == "path":
        at = data.draw(st.sampled_from(files))
        words[at] = data.draw(odd_path(place, place / words[at]))
    else:
        _spoil_output(data, place / call.outputs[0])
    return [word.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape") for word in words], what


def _change_option(data: st.DataObject, words: list[str]) -> None:
    places = [i for i, word in enumerate(words) if word.startswith("--") and i + 1 < len(words)]
    odd = st.one_of(INTEGERS, FLOATS, NO_NUMBERS, TEXTS)
    if not places:
        words.append(data.draw(odd).replace("\0", ""))
        return
    for at in data.draw(st.lists(st.sampled_from(places), min_size=1, max_size=2, unique=True)):
        now = words[at + 1]
        if data.draw(st.integers(0, 9)) == 0:
            words.append(data.draw(odd))
        elif _is_number(now):
            words[at + 1] = data.draw(st.one_of(INTEGERS, FLOATS, NO_NUMBERS))
        elif not now.startswith("OUT"):
            words[at + 1] = data.draw(odd)
        else:
            words.append(data.draw(st.sampled_from(["--json", "--nothing", "--executor=x", "--shard=0/0", "--out="])))


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _alter(data: st.DataObject, path: Path) -> None:
    """Put a damaged copy in the place of a file, or of one file of a folder."""
    real = path.resolve()
    path.unlink()
    if real.is_dir():
        shutil.copytree(real, path)
        path = data.draw(st.sampled_from(sorted(p for p in path.rglob("*") if p.is_file())))
        real = path
    content = real.read_bytes()
    if path.suffix == ".json":
        content = data.draw(altered_json(content))
    elif path.suffix == ".csv" and data.draw(st.booleans()):
        rows = [line.split(",") for line in content.decode().splitlines()]
        row = data.draw(st.sampled_from(rows))
        row[data.draw(st.integers(0, len(row) - 1))] = data.draw(st.one_of(FLOATS, INTEGERS, NO_NUMBERS, TEXTS))
        content = "\n".join(",".join(r) for r in rows).encode("utf-8", "surrogateescape")
    else:
        content = data.draw(altered_bytes(content))
    path.write_bytes(content)


def _spoil_output(data: st.DataObject, path: Path) -> None:
    kind = data.draw(st.sampled_from(["file", "folder", "full", "loop"]))
    if kind == "file":
        path.write_text("mine", encoding="utf-8")
    elif kind == "loop":
        path.symlink_to(path.name)
    else:
        path.mkdir()
        if kind == "full":
            (path / "notes.txt").write_text("mine", encoding="utf-8")


def _listing(place: Path) -> set[str]:
    return {str(path.relative_to(place)) for path in place.rglob("*")}


def _problem(found: Outcome, call: Call, place: Path, before: set[str], words: list[str]) -> str:
    """Return what is wrong with the end of a call; empty if nothing is."""
    if found.error:
        return f"an error came through: {found.error.splitlines()[0][:200]}"
    if found.code not in (0, 1, 2):
        return f"exit code {found.code}: {found.err.strip().splitlines()[-2:]}"
    if "Traceback" in found.err:
        return "a traceback was printed"
    if found.code == 2 and not found.err.strip():
        return "exit code 2 without a message"
    new = {name for name in _listing(place) - before if "__pycache__" not in name}
    if left := [name for name in new if name.endswith(".part")]:
        return f"temporary files are left: {left}"
    if found.code == 2 and (left := [name for name in call.outputs if name in new]):
        return f"refused, but wrote {left}"
    named = {word.partition("/")[0] for word in words} | {word.partition("=")[2] for word in words}
    roots = {Path(name).parts[0] for name in new} - set(call.outputs) - named
    records = {f".{name}.outputs.json" for name in call.outputs}
    if strays := [name for name in roots - records if not name.endswith((".parts", ".training"))]:
        return f"stray files: {sorted(strays)}"
    return ""


def _keep(folder: Path, place: Path, record: dict[str, Any]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in place.iterdir():
        if not path.is_symlink():
            copy = shutil.copytree if path.is_dir() else shutil.copy
            copy(path, folder / path.name)
    (folder / "input.json").write_text(json.dumps(record, indent=1), encoding="utf-8")


def _too_long(*_: object) -> None:
    raise TooLongError


def _report(batches: list[dict[str, Any]]) -> int:
    inputs, bad, ends = collections.Counter(), collections.Counter(), collections.Counter()
    problems: list[str] = []
    for batch in batches:
        for one in batch["inputs"]:
            inputs[batch["command"]] += 1
            ends[one["code"]] += 1
            if "problem" in one:
                bad[batch["command"]] += 1
                problems.append(f"{' '.join(one['words'])!r} ({one['what']}): {one['problem']}")
    for command in sorted(inputs):
        print(f"{command:<28}{inputs[command]:>6} inputs{bad[command]:>6} failures")
    print(f"{'all':<28}{inputs.total():>6} inputs{bad.total():>6} failures; exit codes {dict(sorted(ends.items()))}")
    for text in problems[:60]:
        print(f"- {text.encode('ascii', 'backslashreplace').decode()}")
    return int(bad.total() > 0)


if __name__ == "__main__":
    sys.exit(main())
