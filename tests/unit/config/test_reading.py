"""What is read from configuration files, and what is refused."""

import pytest

from config_text import configuration, disabled, of_args, of_plugins
from pilotfish.config.errors import ConfigurationError
from pilotfish.config.reading import load_configuration
from pilotfish.config.types import API_VERSION, KIND
from pilotfish.config.upstream import UPSTREAM_PLUGINS
from pilotfish.plugins.default import default_registry
from pilotfish.plugins.profiles import profiles_of
from refused_configurations import REFUSED


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(text, UPSTREAM_PLUGINS)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(("text", "path", "reason"), REFUSED)
def test_invalid_field_is_refused_by_path_with_a_reason(text: str, path: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        profiles_of(text, default_registry())
    (problem,) = caught.value.problems
    assert problem.path.startswith(path), problem
    assert reason in problem.reason, problem


def test_all_unknown_fields_are_told_at_once() -> None:
    text = configuration(parallelisms=1, profiles=[{"plugin": {}, "schedulername": "a"}])
    assert problems(text) == [
        "parallelisms: unknown field; did you mean 'parallelism'?",
        "profiles[0].plugin: unknown field; did you mean 'plugins'?",
        "profiles[0].schedulername: unknown field; did you mean 'schedulerName'?",
    ]


def test_all_invalid_values_are_told_at_once() -> None:
    assert problems(configuration(parallelism=0, podInitialBackoffSeconds=-1)) == [
        "parallelism: must be greater than 0",
        "podInitialBackoffSeconds: must be greater than 0",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", f"this is no mapping with apiVersion and kind {KIND}"),
        ("kind: Pod", f"apiVersion: must be {API_VERSION}; it is missing"),
        (
            f"{{apiVersion: kubescheduler.config.k8s.io/v1beta3, kind: {KIND}}}",
            f"apiVersion: must be {API_VERSION}; it is kubescheduler.config.k8s.io/v1beta3",
        ),
        (f"{{apiVersion: {API_VERSION}, kind: Pod}}", f"kind: must be {KIND}; it is Pod"),
        ("a: 1\nb: {}\na: 2", "this is no YAML: line 3: 'a' stands there twice"),
        ('{"a": 1,\n\t"a": 2}', "this is no YAML: line 2: 'a' stands there twice"),
        ("a: 1\n---\na: 2", "these are several documents; one file is one configuration"),
    ],
)
def test_what_is_no_configuration_is_refused(text: str, problem: str) -> None:
    assert problems(text) == [problem]


def test_broken_yaml_is_told_with_its_place() -> None:
    (problem,) = problems("a: [")
    assert problem.startswith("this is no YAML: ")
    assert "line 1" in problem


def test_documents_without_content_are_passed_over() -> None:
    text = f"--- {configuration(parallelism=4)}\n---\n# no more\n"
    assert load_configuration(text, UPSTREAM_PLUGINS).parallelism == 4


def test_json_may_be_indented_with_tabs() -> None:
    text = configuration(parallelism=4).replace(",", ",\n\t")
    assert load_configuration(text, UPSTREAM_PLUGINS).parallelism == 4


def test_null_is_taken_for_absent() -> None:
    read = load_configuration(configuration(parallelism=None, profiles=None), UPSTREAM_PLUGINS)
    assert read.parallelism == 16


def test_extenders_are_refused_since_they_would_decide() -> None:
    text = configuration(extenders=[{"urlPrefix": "http://localhost"}])
    assert problems(text) == [
        "extenders: pilotfish calls no extenders yet; they decide about nodes"
    ]


@pytest.mark.parametrize("percentage", [0, 1, 99, 100])
def test_any_percentage_of_nodes_is_accepted(percentage: int) -> None:
    text = configuration(percentageOfNodesToScore=percentage)
    assert load_configuration(text, UPSTREAM_PLUGINS)


def test_arguments_of_a_plugin_of_ones_own_are_kept_as_they_are() -> None:
    read = load_configuration(of_args("Mine", anything=[1]), {*UPSTREAM_PLUGINS, "Mine"})
    assert read.profiles[0].plugin_config[0].args == {"anything": [1]}


def test_unknown_plugin_may_not_be_disabled_either() -> None:
    (problem,) = problems(of_plugins(filter=disabled("*", "NodePort")))
    assert problem == (
        "profiles[0].plugins.filter.disabled[1].name: there is no plugin 'NodePort', "
        "nor does --policy give one; did you mean 'NodePorts'?"
    )
