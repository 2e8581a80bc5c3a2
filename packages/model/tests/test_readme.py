"""The README's example runs, on the toy."""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_the_example_runs(bundle, toy_set, tmp_path, monkeypatch):
    (tmp_path / "bundle").symlink_to(bundle)
    (tmp_path / "mocks").symlink_to(toy_set.path)
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)
    assert names["batch"].n_catalogs == 100
