"""A signed-in hub on the shared local cloud."""

import pytest

from tests.tools.local_cloud.hub import Hub
from tools.local_cloud.process_io import CloudProcess


@pytest.fixture
def hub(local_cloud: CloudProcess) -> Hub:
    return Hub(local_cloud)
