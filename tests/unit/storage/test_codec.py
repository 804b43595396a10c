from __future__ import annotations

import math
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.errors import InputError, StoreError
from banditroute.records import Attempt, Context, Decision, Feedback, Forecast, Outcome, ShadowDecision, Usage
from banditroute.storage.codec import (
    dispatch_json,
    dispatch_of,
    feedback_json,
    feedback_of,
    pace_json,
    pace_of,
    settled_of,
    settlement_json,
)
from banditroute.storage.protocol import Charge, Dispatch, PaceRecord, Settlement, Window
from banditroute.testing.store_records import a_dispatch, a_settlement

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
numbers = st.floats(allow_nan=False, allow_infinity=False)
counts = st.integers(0, 10**9)
flags = st.booleans()
contexts = st.builds(Context, texts, st.lists(numbers, max_size=4).map(tuple), counts, texts)
forecasts = st.dictionaries(texts, st.builds(Forecast, numbers, numbers, numbers, numbers, numbers), max_size=3)
shares = st.dictionaries(texts, numbers, max_size=3)
reasons = st.dictionaries(texts, texts, max_size=3)
shadows = st.none() | st.builds(ShadowDecision, texts, texts, shares, forecasts, shares, texts)
decisions = st.builds(
    Decision, texts, numbers, contexts, texts, numbers, shares, reasons, forecasts, shares, texts, texts, flags, shadows
)
windows = st.builds(Window, texts, texts)
dispatches = st.builds(Dispatch, decisions, numbers, st.lists(windows, max_size=3).map(tuple), numbers, flags)
attempts = st.builds(Attempt, texts, numbers, numbers, texts, texts, flags, flags)
usages = st.none() | st.builds(Usage, counts, counts, counts, counts, counts)
outcomes = st.builds(
    Outcome,
    texts,
    texts,
    numbers,
    usages,
    numbers,
    numbers,
    st.none() | numbers,
    flags,
    flags,
    flags,
    st.lists(attempts, max_size=3).map(tuple),
)
paces = st.builds(PaceRecord, texts, numbers, numbers, numbers, numbers, counts)
charges = st.builds(Charge, windows, numbers)
settlements = st.builds(
    Settlement, outcomes, st.just(()), st.lists(charges, max_size=3).map(tuple), st.lists(paces, max_size=2).map(tuple)
)


@given(dispatches)
def test_dispatches_come_back(dispatch: Dispatch) -> None:
    assert dispatch_of(dispatch_json(dispatch)) == dispatch


@given(settlements)
def test_settlements_come_back(settlement: Settlement) -> None:
    expected = settlement.outcome, settlement.charges, settlement.paces
    assert settled_of(settlement_json(settlement)) == expected


@given(st.builds(Feedback, texts, numbers, texts, numbers), paces)
def test_judgements_and_paces_come_back(feedback: Feedback, pace: PaceRecord) -> None:
    assert feedback_of(feedback_json(feedback)) == feedback
    assert pace_of(pace_json(pace)) == pace


def test_mappings_and_numbers_of_other_kinds_come_back_plain() -> None:
    decision = replace(
        a_dispatch(1).decision, shadow_prices=MappingProxyType({"b": np.float64(0.5)}), propensity=np.float64(0.25)
    )
    assert dispatch_of(dispatch_json(Dispatch(decision))).decision == decision


def test_the_prompt_is_not_in_the_text() -> None:
    dispatch = Dispatch(a_dispatch(1).decision, prompt=b'"something private"')
    text = dispatch_json(dispatch)
    assert "private" not in text
    assert dispatch_of(text, dispatch.prompt) == dispatch


def test_infinite_numbers_come_back_as_not_a_number() -> None:
    endless = Forecast(0.5, 0.1, math.inf, 1.0, 1.0)
    decision = replace(a_dispatch(1).decision, forecasts={"m": endless}, propensities={"m": math.nan})
    back = dispatch_of(dispatch_json(Dispatch(decision))).decision
    assert math.isnan(back.forecasts["m"].cost_usd)
    assert math.isnan(back.propensities["m"])
    assert back.forecasts["m"].latency_s == 1.0


def test_fields_of_a_later_version_are_passed_over() -> None:
    def with_more(data: object) -> object:
        if isinstance(data, dict):
            grown = {key: with_more(value) for key, value in data.items()}
            return grown if set(grown) <= {"small", "large", "huge", "paced"} else {**grown, "of_2031": [1]}
        return [with_more(value) for value in data] if isinstance(data, list) else data

    def grown(text: str) -> str:
        return orjson.dumps(with_more(orjson.loads(text))).decode()

    dispatch = a_dispatch(1)
    settlement = a_settlement(dispatch)
    assert dispatch_of(grown(dispatch_json(dispatch))) == dispatch
    assert settled_of(grown(settlement_json(settlement))).outcome == settlement.outcome


def test_rows_from_before_there_were_shadows_come_back() -> None:
    data = orjson.loads(dispatch_json(a_dispatch(1)))
    del data["decision"]["shadow"]
    decision = a_dispatch(1).decision
    assert decision.shadow is not None
    assert dispatch_of(orjson.dumps(data).decode()).decision == replace(decision, shadow=None)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"decision": 3}', '{"decision": {}}'])
def test_what_is_no_record_is_an_error(text: str) -> None:
    with pytest.raises(StoreError, match="the store is damaged"):
        dispatch_of(text)
    with pytest.raises(StoreError, match="the store is damaged"):
        settled_of(text)


def test_what_json_cannot_hold_is_the_callers_mistake() -> None:
    with pytest.raises(InputError):
        dispatch_json(Dispatch(replace(a_dispatch(1).decision, chosen="\udc00")))
    with pytest.raises(InputError):
        dispatch_json(Dispatch(replace(a_dispatch(1).decision, excluded={"m": object()})))  # type: ignore[dict-item]


def test_a_providers_garbage_does_not_keep_an_outcome_from_being_written() -> None:
    settlement = a_settlement(a_dispatch(1))
    garbled = replace(settlement.outcome, attempts=(Attempt("m", 1.0, problem="bad byte \udcff"),))
    assert settled_of(settlement_json(replace(settlement, outcome=garbled))).outcome.attempts[0].problem == "bad byte ?"
