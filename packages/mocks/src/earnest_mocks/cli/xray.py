"""The commands `earnest mocks photons` and `earnest mocks reduce`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from earnest_common.cli.options import (
    ConfigOption,
    ExecutorOption,
    JsonOption,
    OutOption,
    SectionOption,
    SeedOption,
    WorkersOption,
)
from earnest_common.cli.output import emit

if TYPE_CHECKING:
    import polars as pl

__all__ = ["photons", "reduce"]


def photons(
    *,
    out: OutOption,
    cluster_id: Annotated[
        list[int] | None,
        typer.Option("--cluster-id", min=0, help="Cluster of the emulated base sample; repeat it; default: all."),
    ] = None,
    seed: SeedOption = 1,
    config: ConfigOption = None,
    workers: WorkersOption = 1,
    executor: ExecutorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write EMULATED X-ray photon lists of the built-in base sample's clusters (SIMPUT files, a megabyte each).

    OUT ending in .fits takes one cluster, any other OUT is a folder. Re-run the same command to resume.
    """
    from earnest_common.errors import InputError
    from earnest_common.run.config import load_config
    from earnest_common.run.executors import open_executor
    from earnest_common.run.files import refuse_existing
    from earnest_common.run.progress import progress

    from earnest_mocks.base_sample.emulator import emulate
    from earnest_mocks.xray.lists import write_photon_lists
    from earnest_mocks.xray.photons import Observation, emulate_photons
    from earnest_mocks.xray.simput import write_photons

    observation, clusters = load_config(Observation, file=config), emulate()
    if out.suffix == ".fits" and cluster_id is not None and len(cluster_id) == 1:
        refuse_existing(out)
        if executor is not None:
            raise InputError("--executor divides many photon lists; leave it out for one, or name a folder with --out")
        seen = emulate_photons(clusters, cluster_id[0], seed=seed, observation=observation)
        write_photons(out, seen, instrument=observation.instrument)
        emit({"path": str(out), "n_photons": seen.n_photons, "synthetic": "EMULATED"}, as_json=as_json)
        return
    wanted = cluster_id or list(range(len(clusters.log10_m_500c)))
    with progress(len(wanted), "photon lists") as bar, open_executor(workers=workers, address=executor) as pool:
        files = write_photon_lists(
            out,
            clusters,
            wanted,
            seed=seed,
            observation=observation,
            executor=pool,
            on_done=lambda _: bar.advance(),
        )
    emit({"path": str(out), "n_lists": len(files), "synthetic": "EMULATED"}, as_json=as_json)


def reduce(
    files: Annotated[list[Path], typer.Argument(metavar="PHOTONS.fits...", help="Photon lists.", show_default=False)],
    *,
    out: OutOption,
    clusters: Annotated[
        Path | None,
        typer.Option(
            "--clusters",
            metavar="TABLE",
            help="CSV or Parquet: file, m_500c [solMass], t_x [keV], and cluster_id if wanted.",
        ),
    ] = None,
    trust_units: Annotated[
        bool, typer.Option("--trust-units", help="Reduce lists even if units, place or background look wrong.")
    ] = False,
    section: SectionOption = None,
    config: ConfigOption = None,
    workers: WorkersOption = 1,
    executor: ExecutorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reduce X-ray photon lists to gas masses and slopes, as one Parquet table.

    The lists may come from `earnest mocks photons` or from PHOX. Re-run the same command to resume.
    """
    from earnest_common.report.section import section_text
    from earnest_common.run.config import load_config
    from earnest_common.run.executors import open_executor
    from earnest_common.run.progress import progress

    from earnest_mocks.report.xray import require_matplotlib, xray_section, xray_summary
    from earnest_mocks.xray.reduction import ReductionConfig
    from earnest_mocks.xray.table import read_known_clusters, reduce_files

    if section is not None:
        require_matplotlib()
    resolved = load_config(ReductionConfig, file=config)
    known = read_known_clusters(clusters) if clusters else {}

    def section_of(frame: "pl.DataFrame") -> str:
        return section_text(xray_section(files, frame, config=resolved, known=known, trust_units=trust_units))

    with progress(len(files), "photon lists") as bar, open_executor(workers=workers, address=executor) as pool:
        frame = reduce_files(
            files,
            out,
            config=resolved,
            known=known,
            trust_units=trust_units,
            more={section: section_of} if section is not None else None,
            executor=pool,
            on_done=lambda _: bar.advance(),
        )
    emit({"path": str(out)} | xray_summary(frame), as_json=as_json)
