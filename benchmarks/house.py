"""Measure the layout of the code: rooms and arrows, floors, kinds of lines, private helpers, tests, import times.

    python benchmarks/house.py
    python benchmarks/house.py --root OTHER_CHECKOUT --json

A room is a folder of modules, or a module that lies loose at a package's top; an arrow is an import from one room to
another; the floors of a package are the longest way along its arrows.
"""

import argparse
import ast
import graphlib
import io
import json
import re
import sys
import tokenize
from collections import Counter
from pathlib import Path

PACKAGES = ("common", "mocks", "model", "interpret", "selfcal")
PRESENTING = {"report", "page", "sections", "cli"}


def modules(root: Path) -> dict[str, Path]:
    """Return the file of every module by its dotted name."""
    found = {}
    for package in PACKAGES:
        source = root / "packages" / package / "src"
        for path in sorted(source.rglob("*.py")):
            name = ".".join(path.relative_to(source).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


def room_of(name: str, files: dict[str, Path]) -> str | None:
    """Return the room of a module; ``None`` for the top of a package itself."""
    if "." not in name:
        return None
    if files[name].name == "__init__.py":
        return name
    folder = name.rpartition(".")[0]
    return folder if "." in folder else name


def imports_of(path: Path, files: dict[str, Path]) -> set[str]:
    """Return the modules of the project that a file imports at run time."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in files and id(node) not in for_types:
            found |= {
                f"{node.module}.{a.name}" if f"{node.module}.{a.name}" in files else node.module for a in node.names
            }
    return found


def rooms_and_arrows(files: dict[str, Path]) -> tuple[set[str], set[tuple[str, str]]]:
    """Return the rooms, and the pairs of rooms between which there are imports."""
    arrows = {
        (room_of(name, files), room_of(target, files))
        for name, path in files.items()
        for target in imports_of(path, files)
    }
    rooms = {room for name in files if (room := room_of(name, files))}
    return rooms, {
        (a, b) for a, b in arrows if a and b and a != b and not b.startswith(a + ".") and not a.startswith(b + ".")
    }


def floors(rooms: set[str], arrows: set[tuple[str, str]]) -> dict[str, int | None]:
    """Return the number of floors of each package; ``None`` where arrows go in circles."""
    found: dict[str, int | None] = {}
    for package in PACKAGES:
        own = {room for room in rooms if room.startswith(f"earnest_{package}.")}
        below = {room: {b for a, b in arrows if a == room and b in own} for room in own}
        height: dict[str, int] = {}
        try:
            for room in graphlib.TopologicalSorter(below).static_order():
                height[room] = 1 + max((height[b] for b in below[room]), default=0)
        except graphlib.CycleError:
            found[package] = None
        else:
            found[package] = max(height.values())
    return found


def kinds_of_lines(path: Path) -> Counter[str]:
    """Return how many lines of a file are code, docstring, comment or blank."""
    text = path.read_text(encoding="utf-8")
    lines, kind = text.splitlines(), {}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and lines[token.start[0] - 1].lstrip().startswith("#"):
            kind[token.start[0]] = "comment"
    for node in ast.walk(ast.parse(text)):
        bodies = getattr(node, "body", None)
        for statement in bodies if isinstance(bodies, list) else ():
            if (
                isinstance(statement, ast.Expr)
                and isinstance(statement.value, ast.Constant)
                and isinstance(statement.value.value, str)
            ):
                kind |= dict.fromkeys(range(statement.lineno, statement.end_lineno + 1), "docstring")
    return Counter(kind.get(i, "code" if line.strip() else "blank") for i, line in enumerate(lines, 1))


def helpers(files: dict[str, Path]) -> tuple[int, int]:
    """Return the number of private functions, and of those that their module names only once beside the definition."""
    n, once = 0, 0
    for path in files.values():
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("_") and not node.name.startswith("__"):
                n += 1
                once += len(re.findall(rf"\b{node.name}\b", text)) == 2
    return n, once


def measure(root: Path) -> dict[str, object]:
    """Return all numbers of a checkout."""
    files = modules(root)
    rooms, arrows = rooms_and_arrows(files)
    within = sum(a.split(".")[0] == b.split(".")[0] for a, b in arrows)
    lines: Counter[str] = Counter()
    presenting = 0
    for name, path in files.items():
        counted = kinds_of_lines(path)
        lines += counted
        presenting += counted.total() * bool(PRESENTING & set(name.split(".")[1:]))
    source = lines.total()
    tests = sum(
        len(path.read_text(encoding="utf-8").splitlines())
        for pattern in ("packages/*/tests/**/*.py", "tests/**/*.py")
        for path in root.glob(pattern)
    )
    n_helpers, once = helpers(files)
    return {
        "rooms": len(rooms),
        "arrows": len(arrows),
        "arrows within packages": within,
        "floors": floors(rooms, arrows),
        "source lines": source,
        "lines by kind": dict(lines),
        "comment lines [%]": 100 * lines["comment"] / source,
        "lines in report, page, sections and cli [%]": 100 * presenting / source,
        "private helpers per 1,000 lines": 1000 * n_helpers / source,
        "of which named once [%]": 100 * once / n_helpers,
        "test lines": tests,
        "tests / source": tests / source,
    }


def main() -> None:
    """Print the numbers of a checkout."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1], help="checkout to measure")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    found = measure(arguments.root)
    if arguments.json:
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
        return
    for name, value in found.items():
        text = f"{value:.3g}" if isinstance(value, float) else str(value)
        sys.stdout.write(f"{name:<46}{text}\n")


if __name__ == "__main__":
    main()
