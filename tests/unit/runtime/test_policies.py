"""Policies are found by file, module and name; whatever is wrong is said with file and line."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent

import pytest

from pilotfish.config.errors import ConfigurationError
from pilotfish.runtime.policies import PolicyReferenceError, load_policy

HEAD = "from pilotfish import ClusterEvent, PerNodePlugin, Plugin, Rejection\n"
GOOD = """
class Fewest(PerNodePlugin):
    name = "FewestPods"
    def score_node(self, pod, node):
        return 100 - len(node.pods)
"""


def write(folder: Path, body: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(HEAD + dedent(body).lstrip("\n"))
    return path


def refusal(reference: object) -> str:
    with pytest.raises((ConfigurationError, PolicyReferenceError)) as caught:
        load_policy(str(reference))
    return str(caught.value)


def test_only_policy_of_a_file_needs_no_name(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    policy = load_policy(str(path))
    assert (policy.name, policy.weight, policy.place) == ("FewestPods", None, f"{path}:2")


def test_weight_stands_behind_the_reference(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    assert load_policy(f"{path}:Fewest=5").weight == 5
    assert load_policy(f"{path}=12").weight == 12


@pytest.mark.parametrize("weight", ["0", "-1", "1.5", "x", "", "99999999999"])
def test_weight_is_a_whole_number_from_one(tmp_path: Path, weight: str) -> None:
    path = write(tmp_path, GOOD)
    assert "the weight is a whole number from 1 to 2147483647" in refusal(f"{path}={weight}")


def test_file_is_read_anew_each_time_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    assert load_policy(str(path)).name == "FewestPods"
    write(tmp_path, GOOD.replace("FewestPods", "FewestPodz"))  # as long, within the same second
    assert load_policy(str(path)).name == "FewestPodz"
    assert list(tmp_path.iterdir()) == [path]


def test_policy_may_import_what_is_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "prices_beside.py").write_text("PRICES = {}\n")
    path = write(tmp_path, "from prices_beside import PRICES\n" + GOOD)
    assert load_policy(str(path)).name == "FewestPods"


def test_policy_of_a_module_is_named_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, GOOD, "policies_of_a_team.py")
    monkeypatch.syspath_prepend(tmp_path)
    assert load_policy("policies_of_a_team:Fewest=3").name == "FewestPods"
    assert refusal("policies_of_a_team:Fewst").endswith("has no Fewst; did you mean Fewest?")
    assert "there is no module 'nowhere_at_all'" in refusal("nowhere_at_all:Fewest")


def test_policy_of_an_installed_package_is_found_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, GOOD, "team_package.py")
    info = tmp_path / "team_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: team-package\nVersion: 1.0\n")
    entries = (
        "[pilotfish.policies]\nteams-fewest = team_package:Fewest\nwrong = team_package:HEAD\n"
    )
    (info / "entry_points.txt").write_text(entries)
    monkeypatch.syspath_prepend(tmp_path)
    assert load_policy("teams-fewest=2").name == "FewestPods"
    assert "did you mean 'teams-fewest'?" in refusal("team-fewest")
    assert "policy 'wrong' of package team-package: it cannot be imported" in refusal("wrong")


def test_file_that_is_not_there_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    missing = tmp_path / "mien.py"
    assert refusal(missing) == f"{missing}: there is no such file; did you mean {path}?"


def test_one_of_several_policies_has_to_be_named(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD + GOOD.replace("class Fewest", "class Other"))
    assert refusal(path) == (
        f"{path} has several policies: Fewest (line 2), Other (line 7); "
        f"say which, as in {path}:Fewest"
    )
    assert load_policy(f"{path}:Other").type.__name__ == "Other"
    assert refusal(f"{path}:Othr") == f"{path} has no Othr; did you mean Other?"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("x = 1\n", "{path}: there is no policy in it; expected a class that derives from"),
        ("x = 1 +\n", "{path}:2: it cannot be imported: SyntaxError: invalid syntax"),
        ("x = 1\ny = x / 0\n", "{path}:3: it cannot be imported: ZeroDivisionError: division by"),
        ("import nowhere_at_all\n", "{path}:2: it cannot be imported: ModuleNotFoundError"),
        ("raise SystemExit(3)\n", "{path}:2: it cannot be imported: SystemExit: 3"),
    ],
)
def test_file_without_a_policy_is_refused_with_its_line(
    tmp_path: Path, body: str, problem: str
) -> None:
    path = write(tmp_path, body)
    assert refusal(path).startswith(problem.format(path=path))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("score_node = lambda self, pod, node: 1", ":2: class P: it has no name; expected a text"),
        ("name = 'two words'", "it has the name 'two words'; expected a text without spaces"),
        ("name = 'NodeName'", "its name 'NodeName' is that of a plugin of pilotfish's own"),
        ("name = 'P'", "it does nothing; expected a method filter_node, score_node, sort_key"),
        ("name = 'P'\ndef scor_node(self, pod, node): ...", "did you mean score_node, where it"),
        ("name = 'P'\ndef filter_node(self, pod, node): ...", "in filter but has no requeue_on;"),
        ("name = 'P'\nrequeue_on = 'NodeAdd'", "its requeue_on is 'NodeAdd'; expected a set of"),
        ("name = 'P'\nrequeue_on = {'NodeAdd'}", "expected a set of ClusterEvent"),
        (
            "name = 'P'\nreads = {'nods'}",
            "its reads is {'nods'}: a plugin reads nods, which",
        ),
        ("name = 'P'\nreads = 'nodes'", "its reads is 'nodes'; expected a set of kinds"),
        ("name = 'P'\ndef __init__(self, x): ...", "its __init__ needs x; expected a default"),
        (
            "name = 'P'\ndef __init__(self): 1 / 0\ndef score_node(self, pod, node): ...",
            "it cannot be made: ZeroDivisionError",
        ),
        ("name = 'P'\ndef score_node(self, pod): ...", ":4: class P: score_node takes (pod); exp"),
        (
            "name = 'P'\ndef score_node(pod, node): ...",
            ":4: class P: score_node has no self; expected def score_node(self, pod, node)",
        ),
        ("name = 'P'\nasync def score_node(self, pod, node): ...", ":4: class P: score_node is a"),
        (
            "name = 'P'\ndef score(self, pod, node): ...",
            ":4: class P: plugin 'P': score asks for node; it may ask for feasible, nodes, pod",
        ),
    ],
)
def test_fault_of_a_class_is_said_with_its_line_and_what_was_expected(
    tmp_path: Path, body: str, problem: str
) -> None:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    path = write(tmp_path, f"class P(PerNodePlugin):\n{lines}")
    assert refusal(path).startswith(f"{path}:")
    assert problem in refusal(path)


def test_all_faults_are_said_at_once(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        class P(PerNodePlugin):
            name = "P"
            def filter_node(self, pod): ...
            def score_node(self, node): ...
        """,
    )
    with pytest.raises(ConfigurationError) as caught:
        load_policy(str(path))
    assert [problem.path for problem in caught.value.problems] == [
        f"{path}:4",
        f"{path}:5",
        f"{path}:2",
    ]
