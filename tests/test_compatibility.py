"""The packages fit each other: one version line, pins that accept it, and no sibling but common."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECTS = {path.parent.name: tomllib.loads(path.read_text()) for path in ROOT.glob("packages/*/pyproject.toml")}
VERSIONS = {project["project"]["name"]: project["project"]["version"] for project in PROJECTS.values()}


def siblings(folder: str) -> dict[str, Requirement]:
    lines = [Requirement(line) for line in PROJECTS[folder]["project"]["dependencies"]]
    return {line.name: line for line in lines if line.name in VERSIONS}


def test_one_version_line():
    assert len({version.rpartition(".")[0] for version in VERSIONS.values()}) == 1
    assert len({project["project"]["requires-python"] for project in PROJECTS.values()}) == 1


@pytest.mark.parametrize("folder", PROJECTS)
def test_only_common_is_needed_and_its_pin_accepts_it(folder: str):
    assert set(siblings(folder)) == (set() if folder == "common" else {"earnest-common"})
    assert all(line.specifier.contains(VERSIONS[name]) for name, line in siblings(folder).items())


@pytest.mark.parametrize("folder", PROJECTS)
def test_every_requirement_has_a_lower_bound(folder: str):
    extras = PROJECTS[folder]["project"].get("optional-dependencies", {}).values()
    groups = PROJECTS[folder]["dependency-groups"].values()
    lines = [
        *PROJECTS[folder]["project"]["dependencies"],
        *(x for e in extras for x in e),
        *(x for g in groups for x in g),
    ]
    assert [line for line in lines if not {s.operator for s in Requirement(line).specifier} & {">=", "~="}] == []


@pytest.mark.parametrize("folder", PROJECTS)
def test_licence_is_shipped(folder: str):
    assert (ROOT / "packages" / folder / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    assert PROJECTS[folder]["project"]["license"] == "BSD-3-Clause"
