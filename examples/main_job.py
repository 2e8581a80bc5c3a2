"""The main job of earnest, end to end: mocks, training, sigma8 with an error bar, the reasons for it, and one page.

Every step is a command that you can run yourself; the script prints each. Killed, it goes on where it was; finished,
it starts anew.

    python examples/main_job.py [--out demo] [--trainings 5] [--train-steps 500] [--real-tables FOLDER]

FOLDER holds published tables (docs/tables.md says where to get them; $EARNEST_REAL_TABLES, or shared/data beside the
checkout, if not given). What is there is imported, compared with the mocks, and the page says what can be concluded.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from real_tables import MAGNETICUM, import_real_tables, real_tables_section

HERE = Path(__file__).resolve().parent
EARNEST = [sys.executable, "-c", "from earnest_common.cli.root import main; main()"]


def earnest(*words: object) -> dict[str, Any]:
    """Run one command of earnest, show it, and return what it prints as JSON."""
    text = [str(word) for word in words]
    sys.stderr.write(f"\n$ earnest {' '.join(text)}\n")
    done = subprocess.run([*EARNEST, *text], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)
    return json.loads(done.stdout) if "--json" in text else {}


def make(path: Path, *words: object) -> Path:
    """Run a command that writes ``path``, unless an earlier run has."""
    if not path.exists() or (path / "plan.json").exists():
        earnest(*words, "--out", path)
    return path


def answer(path: Path, *words: object) -> dict[str, Any]:
    """Run a command that answers in JSON and keep the answer, unless an earlier run has."""
    if not path.exists():
        path.write_text(json.dumps(earnest(*words, "--json"), indent=1))
    told: dict[str, Any] = json.loads(path.read_text())
    return told


def run(out: Path, *, n_catalogs: int, trainings: int, train_steps: int, real_tables: Path) -> dict[str, Any]:
    """Do the main job in a folder and return the headline numbers."""
    mocks = make(
        out / "mocks",
        *("mocks", "generate", "--preset", "paper", "--n-catalogs", n_catalogs),
        *("--seed", 1, "--workers", os.cpu_count() or 1),
    )
    model = make(
        out / "model",
        *("model", "train", "--live", "paper", "--architecture", "pooled", "--recipe", "fast"),
        *("--seed", 2, "--seeds", trainings, "--max-steps", train_steps),
    )
    sections = {name: out / f"{name}.section.json" for name in ("accuracy", "selfcal", "mocks", "real")}
    accuracy = answer(
        out / "accuracy.json", "model", "evaluate", "--model", model, mocks, "--section", sections["accuracy"]
    )
    counts = answer(
        out / "selfcal.json", "selfcal", "evaluate", mocks, "--split", "all", "--section", sections["selfcal"]
    )
    real = import_real_tables(real_tables, out, make=make, answer=answer)
    compare = ("--compare", out / MAGNETICUM) if MAGNETICUM in real else ()
    answer(out / "mocks.json", "mocks", "figures", mocks, "--section", sections["mocks"], *compare)
    real_tables_section(sections["real"], real)
    include = [word for path in sections.values() for word in ("--include", path)]
    page = out / "earnest.html"
    report = earnest("interpret", "report", "--model", model, mocks, "--out", page, *include, "--json")
    return {"accuracy": accuracy, "selfcal": counts, "reasons": report["reasons"], "page": str(page.resolve())}


def table(told: dict[str, Any], seconds: float) -> str:
    """Return the closing words on the terminal."""
    accuracy, counts = told["accuracy"], told["selfcal"]
    rows = [
        ("sigma8 scatter, held-out catalogs", f"{accuracy['scatter']:.4f} +- {accuracy['scatter_err']:.4f}"),
        ("  prior scatter (always the mean)", f"{accuracy['prior_scatter']:.4f}"),
        ("  skill 1-(scatter/prior)^2", f"{accuracy['skill']:.3f}"),
        ("  the paper's network (its mocks)", "0.0212"),
        ("bias", f"{accuracy['bias']:+.4f}"),
        ("68 % interval covers", f"{100 * accuracy['coverage_68']:.1f} %"),
        ("N alone, scatter", f"{counts['n_only_scatter']:.4f}"),
        ("N and median Y_X, scatter", f"{counts['n_median_y_x_scatter']:.4f}"),
        ("held-out catalogs (emulated)", f"{accuracy['n_catalogs']}"),
    ]
    lines = [f"  {name:<36}{value}" for name, value in rows]
    reasons = [f"  {number}. {reason}" for number, reason in enumerate(told["reasons"][:7], start=1)]
    return "\n".join(["", *lines, "", "Why:", *reasons, "", f"Done in {seconds:.0f} s. The page: {told['page']}"])


def main() -> None:
    """Parse the options and do the main job."""
    parser = argparse.ArgumentParser(description="The main job of earnest, end to end.")
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder of all results (demo)")
    parser.add_argument("--n-catalogs", type=int, default=4968, help="held-out catalogs (4968, the paper's grid)")
    parser.add_argument("--trainings", type=int, default=5, help="networks of the ensemble (5)")
    parser.add_argument("--train-steps", type=int, default=500, help="steps of each (500, some 15 seconds)")
    parser.add_argument("--real-tables", type=Path, default=None, help="folder of published tables")
    options = parser.parse_args()
    if (options.out / "earnest.html").exists():
        shutil.rmtree(options.out)
    options.out.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    folder = options.real_tables or Path(os.environ.get("EARNEST_REAL_TABLES", HERE.parent.parent / "shared" / "data"))
    told = run(
        options.out,
        n_catalogs=options.n_catalogs,
        trainings=options.trainings,
        train_steps=options.train_steps,
        real_tables=folder,
    )
    sys.stdout.write(table(told, time.monotonic() - start) + "\n")


if __name__ == "__main__":
    main()
