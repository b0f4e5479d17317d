"""Plugins by name."""

import pytest

from pilotfish.framework import Plugin, ProfileError, Registry


class Nothing(Plugin):
    """Does nothing."""

    name = "Nothing"

    def __init__(self, level: int = 0) -> None:
        if level < 0:
            raise ValueError(f"level {level} is negative")
        self.level = level


def test_plugin_is_made_of_its_arguments() -> None:
    made = Registry(Nothing).make("Nothing", {"level": 3})
    assert isinstance(made, Nothing)
    assert made.level == 3


def test_each_plugin_that_is_made_is_a_new_one() -> None:
    registry = Registry(Nothing)
    assert registry.make("Nothing") is not registry.make("Nothing")


def test_misspelt_name_is_answered_with_the_right_one() -> None:
    with pytest.raises(
        ProfileError, match="'Nothings' is not registered; did you mean 'Nothing'\\?"
    ):
        Registry(Nothing).make("Nothings")


def test_unknown_name_is_answered_with_what_there_is() -> None:
    with pytest.raises(ProfileError, match="'Xyz' is not registered; there are Nothing"):
        Registry(Nothing).make("Xyz")


def test_second_plugin_of_a_name_is_refused() -> None:
    with pytest.raises(ProfileError, match="plugin 'Nothing' is registered twice"):
        Registry(Nothing, Nothing)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [({"size": 1}, "unexpected keyword argument 'size'"), ({"level": -1}, "level -1 is negative")],
)
def test_wrong_arguments_name_the_plugin(arguments: dict[str, int], problem: str) -> None:
    with pytest.raises(ProfileError, match=f"plugin 'Nothing' cannot be made: .*{problem}"):
        Registry(Nothing).make("Nothing", arguments)


def test_plugin_of_ones_own_stands_beside_the_others() -> None:
    registry = Registry()
    registry.add("Nothing", lambda: Nothing(level=7))
    assert "Nothing" in registry
    assert "Something" not in registry
    assert registry.make("Nothing")
