"""All work on the project: `nox` runs lint, types, every package alone, all together, and two sets of versions.

`nox -s matrix` runs all tests and the main job on every supported Python, with the newest and with the lowest versions
of what the packages declare; `nox -l` lists all sessions.
"""

import os
from pathlib import Path

import nox
from packaging.requirements import Requirement

ROOT = Path(__file__).parent
PROJECTS = {path.parent.name: nox.project.load_toml(path) for path in sorted(ROOT.glob("packages/*/pyproject.toml"))}
FOLDER = {project["project"]["name"]: folder for folder, project in PROJECTS.items()}
SLOW_TO_CHECK = {"tensorflow", "keras"}  # mypy does not follow them, see pyproject.toml
PYTHONS = ("3.11", "3.12", "3.13")
RESOLUTIONS = {"newest": (), "lowest": ("--resolution", "lowest-direct")}
VERSION_MANAGERS = (  # where each keeps its Pythons: a variable and its default, and the folder of versions
    ("PYENV_ROOT", "~/.pyenv", "versions"),
    ("ASDF_DATA_DIR", "~/.asdf", "installs/python"),
    ("MISE_DATA_DIR", "~/.local/share/mise", "installs/python"),
)

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False  # a Python that is absent is skipped, and the log says which
nox.options.sessions = ["lint", "types", "tests", "cross", "versions(3.13, newest)", "versions(3.11, lowest)"]
nox.options.reuse_venv = "yes"

COMPILE = {"UV_COMPILE_BYTECODE": "1"}  # environments that import much and often: TensorFlow imports twice as fast

every_package = nox.parametrize("package", list(PROJECTS), ids=list(PROJECTS))


def interpreter(version):
    """Return a Python of this version that a version manager keeps, or the version, which nox looks up on the path."""
    roots = [
        Path(os.environ.get(variable, default)).expanduser() / inside for variable, default, inside in VERSION_MANAGERS
    ]
    kept = [path for root in roots for path in sorted(root.glob(f"{version}.*/bin/python{version}"))]
    return str(kept[-1]) if kept else version


every_python = nox.parametrize("python", [interpreter(version) for version in PYTHONS], ids=PYTHONS)
oldest_and_newest = nox.parametrize(  # NumPy of one has other types than that of the other
    "python", [interpreter(version) for version in (PYTHONS[0], PYTHONS[-1])], ids=[PYTHONS[0], PYTHONS[-1]]
)
every_resolution = nox.parametrize("resolution", list(RESOLUTIONS), ids=list(RESOLUTIONS))


def siblings(folder, found=()):
    """Return the packages that a package declares, directly or not, and itself, in the order of need."""
    for line in PROJECTS[folder]["project"]["dependencies"]:
        sibling = FOLDER.get(Requirement(line).name)
        if sibling and sibling not in found:
            found = siblings(sibling, found)
    return (*found, folder)


def editable(folders, extras=""):
    """Return the arguments that install packages from this checkout."""
    return [argument for folder in folders for argument in ("-e", f"packages/{folder}{extras}")]


def test_tools(*folders):
    """Return the test requirements of packages."""
    return sorted({line for f in folders for line in nox.project.dependency_groups(PROJECTS[f], "test")})


def run_tests(session, package):
    """Run a package's tests and examples on all cores, the tests of a file in one process."""
    folders = [f"packages/{package}/{part}" for part in ("src", "tests")]
    session.run("pytest", "-n", "auto", "--dist", "loadfile", "--doctest-modules", *folders, *session.posargs)


@nox.session
def demo(session):
    """Do the main job, end to end: mocks, training, sigma8, the reasons for it, and one page."""
    session.install(*editable(PROJECTS), *editable(["common"], "[astropy,figures]"), env=COMPILE)
    session.run("python", "examples/main_job.py", *session.posargs)


@nox.session
def lint(session):
    """Format, lint and import contracts."""
    session.install("ruff>=0.14", "import-linter>=2.5", "packaging")
    session.run("ruff", "format", *([] if "--fix" in session.posargs else ["--check"]), ".")
    session.run("ruff", "check", *session.posargs, ".")
    sources = os.pathsep.join(str(ROOT / "packages" / folder / "src") for folder in PROJECTS)
    session.run("lint-imports", "--no-cache", env={"PYTHONPATH": sources})


@nox.session
@oldest_and_newest
@every_package
def types(session, package):
    """Type-check one package on the oldest and the newest Python."""
    projects = [PROJECTS[f]["project"] for f in siblings(package)]
    extras = [line for p in projects for lines in p.get("optional-dependencies", {}).values() for line in lines]
    needed = [line for p in projects for line in p["dependencies"]]
    wanted = [x for x in needed + extras if Requirement(x).name not in {*FOLDER, *SLOW_TO_CHECK}]
    session.install("mypy>=1.18", *wanted)
    session.install("--no-deps", *editable(siblings(package)))
    session.run("mypy", f"packages/{package}/src")


@nox.session
@every_package
def tests(session, package):
    """Run one package's tests and examples with nothing installed but what it declares."""
    session.install(*editable(siblings(package)), *test_tools(package), "pytest-xdist>=3.6", env=COMPILE)
    run_tests(session, package)


@nox.session
def cross(session):
    """Run the tests of all packages together."""
    session.install(
        *editable(PROJECTS), *test_tools(*PROJECTS), "playwright>=1.45", "packaging", "scikit-learn>=1.5", env=COMPILE
    )
    session.run("pytest", "tests", *session.posargs)


def install_all(session, resolution):
    """Install all packages with the newest or the lowest versions that they allow."""
    if resolution == "lowest" and session.venv_backend != "uv":
        session.skip("lowest versions need uv: pip install nox[uv]")
    session.install(
        *RESOLUTIONS[resolution], *editable(PROJECTS), *test_tools(*PROJECTS), "pytest-xdist>=3.6", env=COMPILE
    )


def small_main_job(session):
    """Run the main job with few catalogs and few steps."""
    folder = Path(session.create_tmp())
    small = ("--n-catalogs", "300", "--trainings", "2", "--train-steps", "40", "--real-tables", str(folder))
    session.run("python", "examples/main_job.py", "--out", str(folder / "job"), *small)


@nox.session
@every_resolution
@every_python
def versions(session, resolution):
    """Run the tests of common and a small main job on one Python, with the newest or the lowest versions allowed."""
    install_all(session, resolution)
    run_tests(session, "common")
    small_main_job(session)


@nox.session
@every_resolution
@every_python
def matrix(session, resolution):
    """Run every package's tests and a small main job on one Python, with the newest or the lowest versions allowed."""
    install_all(session, resolution)
    for package in PROJECTS:
        run_tests(session, package)
    small_main_job(session)


@nox.session(reuse_venv=False)
@every_package
def wheel(session, package):
    """Build the wheels of one package and of what it needs, install only them, and run its tests."""
    folder = session.create_tmp()
    session.install("build>=1.2", "hatchling>=1.27")
    for name in siblings(package):
        session.run(
            "python", "-m", "build", "--no-isolation", "--wheel", f"--outdir={folder}", f"packages/{name}", silent=True
        )
    wheels = [str(p) for n in siblings(package) for p in Path(folder).glob(f"earnest_{n}-*.whl")]
    session.run("python", "-m", "pip", "--version", success_codes=[0, 1], silent=True)
    session.install(*wheels, *test_tools(package))
    session.run("earnest", "doctor")
    session.run("pytest", f"packages/{package}/tests", *session.posargs)


@nox.session
def fuzz(session):
    """Give every command 3,000 bad inputs; `-- --inputs N --only "mocks generate"` for fewer. Goes on when repeated."""
    _robustness(session, "fuzz", "--inputs", "3000")


@nox.session
def faults(session):
    """Kill every long command 20 times and damage every kind of file; `-- kills --only "selfcal grid"` for some."""
    _robustness(session, "faults", "--kills", "20", "--flips", "60")


def _robustness(session, name, *words):
    """Train a small model once, then run tests/NAME/session.py with it; its results are in .NAME."""
    session.install(*editable(PROJECTS), *test_tools(*PROJECTS), env=COMPILE)
    model = ROOT / f".{name}" / "model"
    if not model.exists():
        model.parent.mkdir(exist_ok=True)
        words_of_training = ("--live", "paper", "--recipe", "fast", "--max-steps", "60", "--seed", "2")
        session.run("earnest", "model", "train", *words_of_training, "--out", str(model))
    script, folder = str(ROOT / "tests" / name / "session.py"), str(ROOT / f".{name}")
    session.run("python", script, "--folder", folder, "--model", str(model), *words, *session.posargs)


@nox.session
def benchmarks(session):
    """Measure what README states: `nox -s benchmarks` lists the scripts, `-- NAME ARGUMENTS` runs one."""
    scripts = {path.stem: path for path in sorted(ROOT.glob("benchmarks/*.py"))}
    if not session.posargs or session.posargs[0] not in scripts:
        session.log(f"give one of: {', '.join(scripts)}")
        return
    session.install(*editable(PROJECTS), *test_tools(*PROJECTS), env=COMPILE)
    session.run("python", str(scripts[session.posargs[0]]), *session.posargs[1:])
