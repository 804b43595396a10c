import math

import pytest

from banditroute.benching.settings import RunSettings
from banditroute.errors import InputError


@pytest.mark.parametrize("most_usd", [0.0, -1.0, math.inf, math.nan])
def test_a_limit_that_is_none_is_refused(most_usd: float) -> None:
    with pytest.raises(InputError, match="is no limit; give dollars above 0"):
        RunSettings(most_usd=most_usd)


def test_no_calls_at_a_time_are_refused() -> None:
    with pytest.raises(InputError, match="0 calls at a time are none"):
        RunSettings(concurrency=0)
