"""The built-in price list."""

from datetime import date
from importlib.resources import files

from banditroute.cli.services import SERVICES
from banditroute.config.known_models import known_models
from banditroute.routing.pricelist import import_prices


def test_every_row_can_be_used_and_nothing_is_doubtful() -> None:
    known = known_models()
    result = import_prices(known.listings, as_of=known.as_of.isoformat())
    assert result.findings == ()
    assert 100 <= len(result.models) == result.rows <= 300
    assert known.as_of >= date(2026, 11, 26)
    assert all(model.price.output_usd_per_mtok > 0 for model in result.models)


def test_each_service_begins_with_models_of_its_own_from_cheap_to_dear() -> None:
    known = known_models()
    for service in SERVICES:
        first = [known.models[name] for name in known.first[service.listed_as]]
        outputs = [model.price.output_usd_per_mtok for model in first]
        assert outputs, service.name
        assert outputs == sorted(outputs), service.name
        assert {model.provider for model in first} == {service.listed_as}


def test_it_is_small_and_holds_no_text_but_names() -> None:
    file = files("banditroute") / "data" / "prices.json"
    assert len(file.read_bytes()) <= 60_000
    assert "http" not in file.read_text(encoding="utf-8")
