import base64
import hashlib
import hmac

import pytest

from banditroute.alerting.signing import signed, signing_key
from banditroute.errors import ConfigError


def test_the_specifications_own_example() -> None:
    key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    shown = signed(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert shown == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_of_ones_own_is_its_bytes() -> None:
    expected = base64.b64encode(hmac.new(b"swordfish", b"id.7.{}", hashlib.sha256).digest()).decode()
    assert signed(signing_key("swordfish"), "id", 7, b"{}") == f"v1,{expected}"


@pytest.mark.parametrize("secret", ["", "  ", "whsec_not base64!"])
def test_a_secret_that_is_none_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(ConfigError) as refused:
        signing_key(secret)
    assert "not base64!" not in str(refused.value)
