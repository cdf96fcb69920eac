"""What the system charts are given, through the real helm: overrides mean what `--set` means, templates are kept."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from rig.charts import Repository, serve
from rig.node import versions
from scheduler_k3s import helm_set, system_values

pytestmark = pytest.mark.cluster

SAME_AS_SET = [
    ("a.b.c", "x"),
    (r"podAnnotations.example\.com/port", "8082"),
    ("list[0].name", "first"),
    ("list[2]", "third"),
    ("nested[0][1]", "x"),
    ("truth", "true"),
    ("truth", "False"),
    ("nothing", "null"),
    ("number", "12"),
    ("number", "-5"),
    ("number", "+5"),
    ("number", "1048576"),
    ("number", "9223372036854775807"),
    ("text", "9223372036854775808"),
    ("text", "007"),
    ("text", "0x1F"),
    ("text", "1e3"),
    ("text", "1.5"),
    ("text", "on"),
    ("text", "~"),
    ("text", "2024-01-01"),
    ("text", ""),
    ("text", r"a\,b"),
    ("text", r"C:\\dir"),
    ("text", "a=b"),
    ("text", " blanks "),
    ("text", "two\nlines"),
    ("items", "{a,b,1,true}"),
    ("items", r"{a\,b,c}"),
    ("items", "{}"),
]


@pytest.fixture(scope="module")
def repository() -> "Repository":
    with serve("example.com/none", definitions=False) as found:
        return found


def values_in_helm(folder: Path, repository: Repository, *words: str) -> object:
    """What a chart sees of its values, by helm's own reading of the words."""
    archive = folder / "chart.tgz"
    archive.write_bytes(repository.files["keda-2.19.0.tgz"])
    homes = {f"HELM_{name}_HOME": str(folder) for name in ("CACHE", "CONFIG", "DATA")}
    argv = [versions.program("helm"), "template", "keda", str(archive), *words]
    done = subprocess.run(
        argv, env={**os.environ, **homes}, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("  values.json: ")]
    return json.loads(json.loads(line.partition(": ")[2]))


@pytest.mark.parametrize(("key", "text"), SAME_AS_SET)
def test_an_override_means_what_set_means(
    tmp_path: Path, repository: Repository, key: str, text: str
) -> None:
    tree: dict[str, object] = {}
    helm_set.assign(tree, key, text)
    ours = tmp_path / "values.json"
    ours.write_text(json.dumps(tree))
    numbers = [f"--set={each}={number}" for each, number in system_values.numbers({key: text}).items()]
    given = values_in_helm(tmp_path, repository, f"--values={ours}", *numbers)
    assert given == values_in_helm(tmp_path, repository, "--set", f"{key}={text}")


def test_commas_and_braces_that_set_would_split_stay_in_one_value(
    tmp_path: Path, repository: Repository
) -> None:
    text = "a,b={c}\nd"
    ours = tmp_path / "values.json"
    ours.write_text(json.dumps(system_values.values("keda", {"config": text})))
    given = values_in_helm(tmp_path, repository, f"--values={ours}")
    assert isinstance(given, dict)
    assert given["config"] == text
