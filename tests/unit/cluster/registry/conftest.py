import pytest

from unit.cluster.registry.api import Api


@pytest.fixture
def api() -> Api:
    return Api()
