"""`earnest mocks`: mock catalogs and the base sample behind them."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from earnest_common.cli.options import (
    ConfigOption,
    ExecutorOption,
    JsonOption,
    OutOption,
    SectionOption,
    SeedOption,
    SetArgument,
    ShardOption,
    WorkersOption,
)
from earnest_common.cli.output import echo, emit

from earnest_mocks.cli.xray import photons, reduce

__all__ = ["app"]

app = typer.Typer(help="Mock catalogs: generate them, make base samples, draw figures.", no_args_is_help=True)

Presets = Literal["paper", "paper-msun", "paper-h", "realistic", "overspecialised"]
"""The names and aliases of ``earnest_common.survey.presets.PRESETS``, and that of appendix B."""
PresetOption = Annotated[Presets, typer.Option("--preset", help="What is observed, and how.")]


@app.callback()
def _group() -> None:
    """Mock catalogs: generate them, make base samples, draw figures."""


@app.command("generate")
def generate_(
    *,
    out: OutOption,
    preset: PresetOption = "paper",
    n_catalogs: Annotated[
        int, typer.Option("--n-catalogs", min=1, help="Number of catalogs; the paper's grid has 4968.")
    ] = 4968,
    seed: SeedOption = 1,
    config: ConfigOption = None,
    catalogs_per_shard: Annotated[
        int | None, typer.Option(min=1, help="Catalogs per file.", show_default="512, fewer of a large survey")
    ] = None,
    workers: WorkersOption = 1,
    executor: ExecutorOption = None,
    shard: ShardOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a set of mock catalogs. Re-run the same command to resume.

    Workers, shards and interruptions change no byte of the result.
    """
    from earnest_common.run.executors import open_executor, shard_slice
    from earnest_common.run.progress import progress

    from earnest_mocks.catalogs.config import resolve_config
    from earnest_mocks.catalogs.generate import generate_from, statements, useful_workers
    from earnest_mocks.catalogs.source import make_source

    shard_slice(shard, 1)  # a wrong --shard is refused before anything is computed
    source = make_source(resolve_config(preset, file=config), seed=seed)
    for line in statements(source):
        echo(line)
    useful = useful_workers(source, n_catalogs=n_catalogs, workers=workers)
    with progress(n_catalogs, "mock catalogs") as bar, open_executor(workers=useful, address=executor) as pool:
        manifest = generate_from(
            source,
            out,
            n_catalogs=n_catalogs,
            catalogs_per_shard=catalogs_per_shard,
            executor=pool,
            shard=shard,
            on_done=lambda done: bar.advance(done.n_catalogs),
        )
    if manifest is None:
        echo(f"{out}: this part is complete; the set is once all parts are")
        return
    plan = manifest.plan
    answer = {"path": str(out), "preset": preset, "seed": seed, "n_catalogs": plan.n_catalogs}
    more = {"n_clusters": manifest.n_clusters, "data_hash": manifest.data_hash, "synthetic": plan.synthetic}
    emit(answer | more, as_json=as_json)


@app.command("base-sample")
def base_sample_(
    *,
    out: OutOption,
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="SET", help="Imported clusters; default: the emulated sample, made afresh."),
    ] = None,
    reductions: Annotated[
        Path | None,
        typer.Option(metavar="TABLE", help="Gas profiles of imported clusters, from: earnest mocks reduce."),
    ] = None,
    z: Annotated[
        float | None,
        typer.Option(
            "--z",
            min=0,
            max=20,
            help="Bring the clusters of --from to this redshift, self-similarly.",
            show_default="theirs",
        ),
    ] = None,
    observed: Annotated[
        bool, typer.Option(help="Measure the emulated clusters' profiles in X-rays, or take them from the recipe.")
    ] = True,
    seed: SeedOption = 1,
    workers: WorkersOption = 1,
    executor: ExecutorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a base sample: the clusters from which mocks borrow residuals and gas profiles.

    Use it with a configuration file: base_sample = "FILE". Without --from, observe and reduce every cluster of the
    emulated sample anew, which takes four minutes on one core.
    """
    from earnest_common.errors import InputError
    from earnest_common.run.executors import open_executor
    from earnest_common.run.files import refuse_existing
    from earnest_common.run.progress import progress

    from earnest_mocks.base_sample.emulator import N_CLUSTERS
    from earnest_mocks.base_sample.relations import OBSERVABLES
    from earnest_mocks.base_sample.sample import emulated_base_sample, write_base_sample
    from earnest_mocks.measured.emulated import observed_base_sample
    from earnest_mocks.measured.imported import imported_base_sample

    refuse_existing(out)
    if executor is not None and not (observed and source is None):
        raise InputError(
            "--executor divides the X-ray observations of the emulated sample; leave it out of other samples"
        )
    if source is not None:
        sample = imported_base_sample(source, reductions=reductions, z=z)
    elif reductions is not None or z is not None:
        raise InputError("--reductions and --z belong to the clusters of --from SET; name it, or leave them out")
    elif observed:
        with (
            progress(N_CLUSTERS, "X-ray observations") as bar,
            open_executor(workers=workers, address=executor) as pool,
        ):
            sample = observed_base_sample(seed=seed, executor=pool, on_done=lambda _: bar.advance())
    else:
        sample = emulated_base_sample()
    write_base_sample(out, sample)
    laws = {name: getattr(sample.relations, name) for name in OBSERVABLES}
    relations = {
        name: {"slope": law.slope, "log10_normalisation": law.log10_normalisation, "scatter": law.scatter}
        for name, law in laws.items()
    }
    answer = {"path": str(out), "n_clusters": sample.n_clusters, "z": sample.z, "synthetic": sample.synthetic}
    answer |= {name: sample.source.get(name) for name in ("evolution", "cosmology", "l_x")}
    emit(answer | {"log10_pivot": laws["l_x"].log10_pivot, "relations": relations}, as_json=as_json)


@app.command()
def figures(
    catalog_set: SetArgument,
    *,
    section: SectionOption = None,
    compare: Annotated[
        Path | None, typer.Option("--compare", metavar="SET", help="Imported clusters to draw beside the base sample.")
    ] = None,
    base_sample: Annotated[
        Path | None, typer.Option("--base-sample", metavar="FILE", help="The mocks' base sample, if not the built-in.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Draw cluster numbers per mass bin and the scaling relations, as a section of the report."""
    from earnest_common.catalogs import CatalogSet
    from earnest_common.report.section import write_section
    from earnest_common.run.files import refuse_existing

    from earnest_mocks.report.mock_sky import mocks_section

    if section is not None:
        refuse_existing(section)
    drawn = mocks_section(
        CatalogSet.open(catalog_set),
        compare=CatalogSet.open(compare) if compare else None,
        base_sample=base_sample,
    )
    if section is not None:
        write_section(section, drawn)
    emit(drawn.summary, as_json=as_json)


@app.command()
def clones(catalog_set: SetArgument, *, section: SectionOption = None, as_json: JsonOption = False) -> None:
    """Measure how often donors are reused, and how well a profile identifies its donor."""
    from earnest_common.catalogs import CatalogSet
    from earnest_common.report.section import write_section
    from earnest_common.run.files import refuse_existing

    from earnest_mocks.catalogs.clones import clone_report

    if section is not None:
        refuse_existing(section)
    opened = CatalogSet.open(catalog_set)
    report, near = clone_report(opened)
    if section is not None:
        from earnest_mocks.report.clones import clones_section

        write_section(section, clones_section(opened, report, near))
    emit(report.to_dict(), as_json=as_json)


@app.command("mass-function")
def mass_function_(
    *, out: OutOption, config: ConfigOption = None, preset: PresetOption = "paper", as_json: JsonOption = False
) -> None:
    """Tabulate the mass function over a prior of Om0, once for many runs.

    Name the file in the configuration afterwards: mass_function_table = "FILE".
    """
    from earnest_common.run.files import refuse_existing

    from earnest_mocks.catalogs.config import resolve_config
    from earnest_mocks.catalogs.mass_function import mass_function_cube

    refuse_existing(out)
    mass_function_cube(resolve_config(preset, file=config)).save(out)
    emit({"path": str(out), "preset": preset}, as_json=as_json)


@app.command("fit-prescription")
def fit_prescription_(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="CSV or Parquet, one row per cluster, or a folder.")],
    *,
    out: OutOption,
    as_json: JsonOption = False,
) -> None:
    """Fit how observables follow cosmology at fixed mass, from clusters of simulations of several cosmologies.

    Columns: m_500c [solMass], z, sigma8, Om0, Ob0, H0, and any of l_x, t_x, m_gas, y_500; or the unpacked folder of
    Singh et al. (2020), whose pickles are read without running them. The result is a configuration for:
    earnest mocks generate --preset overspecialised --config FILE.toml
    """
    from dataclasses import asdict

    from earnest_mocks.prescription.fit import fit_prescription, read_clusters, write_fit

    fits = fit_prescription(read_clusters(table))
    write_fit(out, fits, origin=f"fitted to {table.name}")
    emit({name: asdict(fit) for name, fit in fits.items()}, as_json=as_json)


app.command("photons")(photons)
app.command("reduce")(reduce)


@app.command()
def relations(
    *,
    base_sample: Annotated[
        Path | None, typer.Option("--base-sample", metavar="FILE", help="Default: the built-in emulated sample.")
    ] = None,
    compare: Annotated[
        Path | None, typer.Option("--compare", metavar="SET", help="Imported clusters beside it.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print slopes, scatter and correlations of a base sample at several masses, beside published simulations."""
    from earnest_mocks.report.relations_table import relations_table, text_of

    table = relations_table(base_sample, compare)
    if as_json:
        emit({"columns": list(table.columns), "rows": [list(row) for row in table.rows]}, as_json=True)
    else:
        typer.echo(text_of(table))
