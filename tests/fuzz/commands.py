"""One quick and valid call of every command, and the small files that they read."""

import contextlib
import dataclasses
import gzip
import importlib
import io
import json
import math
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["COMMANDS", "Call", "config_fields", "make_files", "run"]


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call that ends well, or is refused at its last check where a good end would take long.

    Attributes
    ----------
    words
        Of the command, with names in the folder of files for paths.
    outputs
        Names of what it writes.
    config
        The configuration class, as ``module:name`` or a function that returns a filled one.
    weight
        How often it is drawn, against others.
    seconds
        Of the processor that it may take.
    code
        How it ends where nothing is changed.
    """

    words: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    config: str = ""
    weight: int = 2
    seconds: float = 40.0
    code: int = 0


def _call(text: str, *outputs: str, config: str = "", weight: int = 2, seconds: float = 40.0, code: int = 0) -> Call:
    return Call(words=tuple(text.split()), outputs=outputs, config=config, weight=weight, seconds=seconds, code=code)


_MOCKS, _SURVEY = "earnest_mocks.catalogs.config:resolve_config", "earnest_selfcal.survey.config:resolve_survey"
_TRAINING, _INTERPRET = "earnest_model.config:TrainingConfig", "earnest_interpret.page.interpretation:InterpretConfig"
_MODEL = "--model MODEL"

COMMANDS = (
    _call("doctor", weight=1),
    _call("catalogs validate SET", weight=4),
    _call("catalogs describe SET", weight=4),
    _call("catalogs split SET --out OUT --seed 3 --train 0.5 --validation 0.2", "OUT", weight=4),
    _call("catalogs schema", weight=1),
    _call("catalogs formats", weight=2),
    _call(
        "catalogs import TABLE.csv --format MAPPING.toml --out OUT --h 0.7 --where l_x>0 --without t_x",
        "OUT",
        weight=10,
    ),
    _call("catalogs import TABLE.csv.gz --format MAPPING.toml --out OUT --z 0.1 --missing drop", "OUT", weight=4),
    _call("catalogs export SET --format csv --out OUT.csv --table clusters", "OUT.csv", weight=3),
    _call("catalogs export SET --format fits --out OUT.fits", "OUT.fits", weight=2),
    _call(
        "mocks generate --out OUT --preset paper --n-catalogs 2 --seed 1 --catalogs-per-shard 1 --workers 1",
        "OUT",
        config=_MOCKS,
        weight=14,
    ),
    _call("mocks base-sample --from IMPORTED --out OUT.parquet --seed 1", "OUT.parquet", weight=4),
    _call("mocks clones SET --section OUT.json", "OUT.json", weight=1),
    _call("mocks figures SET --section OUT.json", "OUT.json", weight=1),
    _call("mocks fit-prescription FIT.csv --out OUT.toml", "OUT.toml", weight=3),
    _call(
        "mocks photons --cluster-id 3 --seed 1 --workers 1 --out OUT.fits",
        "OUT.fits",
        config="earnest_mocks.xray.photons:Observation",
        weight=4,
    ),
    _call(
        "mocks reduce PHOTONS.fits --out OUT.parquet --clusters KNOWN.csv --workers 1",
        "OUT.parquet",
        config="earnest_mocks.xray.reduction:ReductionConfig",
        weight=4,
    ),
    _call("mocks relations --compare IMPORTED", weight=2),
    _call(
        "selfcal infer --n-clusters 130 --median-log10-y-x 13.6 --volume-fraction 1 --z 0.07 --smoothing 0.05",
        config=_SURVEY,
        weight=14,
    ),
    _call("selfcal infer --set SET --catalog-id 1 --median y_x", config=_SURVEY, weight=4),
    _call("selfcal evaluate SET --split all", config=_SURVEY, weight=4),
    _call("selfcal grid --out OUT --n-surveys 20 --seed 1 --workers 1 --shard 1/1", "OUT", config=_SURVEY, weight=8),
    _call(
        "selfcal volumes --volume-fraction 0.5 --smoothing 0.076 --n-surveys 50 --n-posteriors 2 --seed 1",
        config=_SURVEY,
        weight=3,
    ),
    _call("selfcal peak --per-dex 100 --log10-y-x 13.6", config=_SURVEY, weight=4),
    _call("selfcal sample MCXC.csv --flux-limit 1e-11 --z-low 0.01 --z-high 0.07 --min-latitude 20", weight=5),
    _call(
        "selfcal forecast --flux-limit 4e-14 --area 13000",
        config="earnest_selfcal.light_cone.shells:LightCone",
        weight=4,
    ),
    _call("selfcal contours --n-clusters 130 --median-log10-y-x 13.6 --om0 0.2 0.4 3", config=_SURVEY, weight=3),
    _call(
        "selfcal referee SET --max-catalogs 1 --split all --residuals lognormal --out OUT.parquet",
        "OUT.parquet",
        config=_SURVEY,
        weight=2,
    ),
    _call(f"model predict SET {_MODEL} --out OUT.csv", "OUT.csv", weight=8),
    _call(f"model evaluate SET {_MODEL} --split all", weight=3),
    _call(f"model export {_MODEL} --format savedmodel --out OUT", "OUT", weight=2, seconds=120.0),
    _call(
        "model train --out OUT --live nothing --recipe fast --seed 1 --max-steps 1",
        "OUT",
        config=_TRAINING,
        weight=6,
        code=2,
    ),
    _call(
        "model table4 --out OUT --data SET --test SET --split none --seeds 1 --max-steps 1",
        "OUT",
        config=_TRAINING,
        weight=3,
        code=2,
    ),
    _call(
        f"interpret leave-one-out SET {_MODEL} --split all --max-catalogs 1 --out OUT.parquet",
        "OUT.parquet",
        "OUT.json",
        config=_INTERPRET,
        weight=4,
    ),
    _call(
        f"interpret terse SET {_MODEL} --split all --n-permutations 99 --max-rows 5000 --seed 1",
        config=_INTERPRET,
        weight=2,
    ),
    _call(f"interpret ablation MANY {_MODEL} --split all --n-shuffles 1 --seed 1", config=_INTERPRET, weight=1),
    _call(f"interpret verdict MANY {_MODEL} --split all --alpha 0.05", config=_INTERPRET, weight=2),
    _call(
        f"interpret applicability SET {_MODEL} --training MANY --split all --max-catalogs 1",
        config="earnest_interpret.cli.applicability_command:ApplicabilityConfig",
        weight=2,
    ),
    _call(
        f"interpret report SET {_MODEL} --out OUT.html --split all --max-catalogs 1 --n-permutations 99 --include SECTION.json "
        "--summary SUMMARY.json",
        "OUT.html",
        "OUT.json",
        config=_INTERPRET,
        weight=4,
    ),
    _call("mocks mass-function --out OUT.npz --config OM0.toml", "OUT.npz", config=_MOCKS, weight=2),
    _call("selfcal figures --out OUT --n-surveys 200 --seed 1 --section OUT.json", "OUT", config=_SURVEY, weight=2),
    _call("selfcal nulls --n-catalogs 10 --width 0.05 --seed 1 --workers 1", config=_SURVEY, weight=1, seconds=400.0),
    _call(f"model figures {_MODEL} --out OUT --section OUT.json", "OUT", weight=2),
    _call(
        f"interpret saliency SET {_MODEL} --split all --max-catalogs 1 --of sigma8 --method gradient --out OUT.parquet",
        "OUT.parquet",
        "OUT.json",
        config=_INTERPRET,
        weight=2,
    ),
    _call(
        f"interpret proxy SET {_MODEL} --split all --max-catalogs 1 --out OUT.parquet",
        "OUT.parquet",
        "OUT.json",
        config=_INTERPRET,
        weight=2,
    ),
)


_MAPPING = """
name = "mine"
title = "made up"
kind = "observed"
l_x = "bolometric"
[reader]
kind = "suffix"
[columns]
z = { source = "z" }
m_500c = { source = "m_500c", unit = "Msun", optional = true }
l_x = { source = "l_x", unit = "1e44 erg/s" }
t_x = { source = "t_x", unit = "keV", optional = true }
m_gas = { source = "m_gas", unit = "Msun", optional = true }
"""


@dataclass
class Outcome:
    """What a call did: exit code, what it printed, and an error that went through ``main``, which none may."""

    code: int = 0
    out: str = ""
    err: str = ""
    error: str = field(default="")


def run(words: list[str]) -> Outcome:
    """Run the command line in this process."""
    from earnest_common.cli.root import main

    found, before = Outcome(), sys.argv
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="strict") for _ in "12")
    sys.argv = ["earnest", *words]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as end:
        found.code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException as error:
        found.error = f"{type(error).__name__}: {error}"
    finally:
        sys.argv = before
    for stream, name in ((out, "out"), (err, "err")):
        stream.flush()
        setattr(found, name, stream.buffer.getvalue().decode("utf-8", "replace"))
    return found


def make_files(folder: Path, model: Path | None) -> None:
    """Write every file that the calls read; those of a model only where one is at hand."""
    masses = [1e14 * (1 + 0.2 * k) for k in range(24)]
    table = "z,m_500c,l_x,t_x,m_gas\n" + "".join(
        f"{0.1 + 0.0005 * k},{m:.4g},{1.8 * (m / 3e14) ** 1.6:.4g},{3.5 * (m / 3e14) ** 0.6:.4g},{0.1 * m:.4g}\n"
        for k, m in enumerate(masses)
    )
    (folder / "TABLE.csv").write_text(table, encoding="utf-8")
    (folder / "TABLE.csv.gz").write_bytes(gzip.compress(table.encode(), mtime=0))
    (folder / "MAPPING.toml").write_text(_MAPPING, encoding="utf-8")
    (folder / "OM0.toml").write_text("[Om0]\nlow = 0.25\nhigh = 0.35\n", encoding="utf-8")
    (folder / "KNOWN.csv").write_text("file,m_500c,t_x\nPHOTONS.fits,5.4e13,1.09\n", encoding="utf-8")
    rows = "".join(
        f"{1e14 * (1 + k)},{0.1},{0.7 + 0.01 * k},0.3,0.045,70,{1 + k},{2 + 0.2 * k},{1e13 * (1 + k)}\n"
        for k in range(24)
    )
    (folder / "FIT.csv").write_text("m_500c,z,sigma8,Om0,Ob0,H0,l_x,t_x,m_gas\n" + rows, encoding="utf-8")
    sky = "".join(f"{ra:.3f},{dec:.3f},{z:.4f},{l_x:.4g},{2 * l_x**0.6:.4g}\n" for ra, dec, z, l_x in _bright())
    (folder / "MCXC.csv").write_text("RAdeg,DEdeg,z,L500,M500\n" + sky, encoding="utf-8")
    (folder / "SUMMARY.json").write_text(json.dumps({"scatter": 0.02, "bias": 0.001}), encoding="utf-8")
    from earnest_common.report.section import DataTable, Figure, Section, write_section

    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><path d="M 0 0 L 9 9" stroke="black"/></svg>'
    section = Section(
        key="counts",
        title="N",
        text=("words",),
        figures=(Figure(name="f", svg=svg, alt="a", caption="c"),),
        tables=(DataTable(name="t", columns=("a",), rows=((1.0,), (None,)), caption="c"),),
        summary={"n_only_scatter": 0.037},
    )
    write_section(folder / "SECTION.json", section)
    for words in (
        f"mocks generate --n-catalogs 3 --seed 1 --catalogs-per-shard 2 --out {folder / 'SET'}",
        f"mocks generate --n-catalogs 140 --seed 2 --out {folder / 'MANY'}",
        f"catalogs import {folder}/TABLE.csv --format {folder}/MAPPING.toml --trust-units --out {folder}/IMPORTED",
        f"mocks photons --cluster-id 3 --out {folder / 'PHOTONS.fits'}",
    ):
        found = run(words.split())
        if found.code or found.error:
            raise RuntimeError(f"{words}: {found}")
    if model is not None:
        shutil.copytree(model, folder / "MODEL")


def _bright() -> list[tuple[float, float, float, float]]:
    """Return ra, dec [deg], z and L_X in 0.1-2.4 keV [1e44 erg/s] of a made-up sample complete to 1e-11 erg/s/cm^2."""
    draws = [[k * share % 1 for share in (0.7548776662, 0.5698402910, 0.4142135624, 0.2360679775)] for k in range(1500)]
    found = [(360 * a, 180 * b - 90, 0.07 * c ** (1 / 3), 0.05 * (1 - d) ** (-1 / 0.85)) for a, b, c, d in draws]
    return [one for one in found if one[3] * 1e44 > 1e-11 * 4 * math.pi * (one[2] * 4283 * 3.086e24) ** 2]


def config_fields(where: str) -> dict[str, Any]:
    """Return the fields of a configuration with their defaults, those of nested tables with a dot."""
    module, _, name = where.partition(":")
    made = getattr(importlib.import_module(module), name)
    config = made("paper") if name == "resolve_config" else made()
    flat: dict[str, Any] = {}

    def walk(value: Any, prefix: str) -> None:
        for item in dataclasses.fields(value):
            inner = getattr(value, item.name)
            flat[prefix + item.name] = inner
            if dataclasses.is_dataclass(inner):
                walk(inner, f"{prefix}{item.name}.")

    walk(config, "")
    return flat
