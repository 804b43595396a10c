"""How much a judgement counts."""

from random import Random

import pytest

from banditroute.routing.trust import Judgement, Trust, TrustSettings


def judged(tenant: str = "a", source: str = "user", quality: float = 0.9, expected: float | None = 0.9, *heard: str):
    return Judgement(tenant, source, quality, expected, heard)


class TestSources:
    def test_a_configured_source_has_its_weight(self):
        trust = Trust(TrustSettings(sources={"judge": 0.5, "bot": 0.0}))
        assert trust.weigh(judged(source="judge"), 0.0) == 0.5
        assert trust.weigh(judged(source="bot"), 0.0) == 0.0

    def test_invented_names_gain_at_most_one_more_judgement(self):
        trust = Trust()
        names = [f"me{number}" for number in range(50)]
        weights = [trust.weigh(Judgement("a", name, 1.0, 0.9, tuple(names[:k])), 0.0) for k, name in enumerate(names)]
        assert weights[:3] == [1.0, 0.5, 0.25]
        assert sum(weights) < 2.0

    def test_a_configured_source_is_not_held_against_the_others(self):
        trust = Trust(TrustSettings(sources={"judge": 1.0}))
        assert trust.weigh(judged("a", "user", 0.9, 0.9, "judge"), 0.0) == 1.0

    def test_the_routers_own_graders_count_in_full_whoever_asked(self):
        trust = Trust(TrustSettings(graders=frozenset({"valid"})))
        for number in range(200):
            trust.weigh(judged("quiet"), float(number))
        weights = {trust.weigh(judged("loud", "valid", 0.0, 0.9), float(number)) for number in range(1_000)}
        assert weights == {1.0}
        assert trust.weigh(judged("quiet", "user", 0.9, 0.9, "valid"), 0.0) == 1.0


class TestFloods:
    def test_one_tenant_alone_is_never_a_flood(self):
        trust = Trust()
        assert {trust.weigh(judged(), 0.01 * number) for number in range(5_000)} == {1.0}

    def test_a_tenant_makes_up_its_share_and_no_more(self):
        trust, chance, weight = Trust(TrustSettings(severity=0.0)), Random(0), {"loud": 0.0, "quiet": 0.0}
        for number in range(6_000):
            tenant = "loud" if chance.random() < 0.95 else "quiet"
            weigh = trust.weigh(judged(tenant), float(number))
            weight[tenant] += weigh if number > 1_000 else 0.0  # before, there are too few others
        assert weight["loud"] / sum(weight.values()) == pytest.approx(0.5, abs=0.05)

    def test_an_old_flood_is_forgotten(self):
        trust = Trust(TrustSettings(half_life_s=10.0))
        for number in range(500):
            trust.weigh(judged("loud"), 0.0)
            trust.weigh(judged("quiet"), 0.0) if number % 10 == 0 else None
        flooded = trust.weigh(judged("loud"), 1.0)
        for _ in range(30):
            trust.weigh(judged("quiet"), 200.0)
        assert flooded < 0.2
        assert trust.weigh(judged("loud"), 200.0) == 1.0


class TestReliability:
    @staticmethod
    def play(lie, settings=None, judgements=4_000, seed=0):
        """Mean weight of the liar and of the others, late in the stream; every tenth judgement is the liar's."""
        trust, chance = Trust(settings), Random(seed)
        weights: dict[bool, list[float]] = {True: [], False: []}
        for number in range(judgements):
            liar = number % 10 == 0
            expected = 0.6 + 0.3 * chance.random()
            honest = float(chance.random() < expected)
            quality = lie(honest) if liar else honest
            tenant = "liar" if liar else f"t{number % 7}"
            weights[liar].append(trust.weigh(Judgement(tenant, "user", quality, expected), float(number)))
        return [sum(tail) / len(tail) for tail in (weights[True][-100:], weights[False][-100:])]

    def test_who_says_the_opposite_is_hardly_heard(self):
        liar, others = self.play(lambda honest: 1.0 - honest)
        assert liar < 0.2
        assert others == pytest.approx(1.0, abs=0.02)

    def test_honest_judgements_that_are_0_or_1_count_in_full(self):
        # 20 seeds, tolerance 1.5: the mean of 400 squares of mean 1 and variance below 2.7 is above it with p < 1e-9.
        for seed in range(20):
            assert min(self.play(lambda honest: honest, seed=seed)) > 0.99

    def test_sources_are_measured_by_their_like(self):
        trust, chance = Trust(TrustSettings(sources={"judge": 1.0, "user": 1.0})), Random(1)
        for number in range(2_000):
            tenant = f"t{number % 5}"
            trust.weigh(Judgement(tenant, "judge", 0.8 + 0.02 * chance.random(), 0.8), float(number))
            weight = trust.weigh(Judgement(tenant, "user", float(chance.random() < 0.8), 0.8), float(number))
        assert weight == 1.0  # thumbs scatter far more than the judge, and as much as everybody's thumbs

    def test_a_new_name_does_not_escape_comparison(self):
        trust, chance = Trust(), Random(2)
        for number in range(1_000):
            trust.weigh(Judgement(f"t{number % 5}", "user", 0.8 + 0.1 * chance.random(), 0.85), float(number))
        last = 1.0
        for number in range(60):
            last = trust.weigh(Judgement("liar", f"name{number}", 0.0, 0.85), float(number))
        assert last < 0.01

    def test_it_is_bounded_in_memory_and_stays_sound(self):
        trust = Trust()
        for number in range(25_000):
            weight = trust.weigh(Judgement(f"t{number}", "user", 0.9, 0.85), float(number))
        assert len(trust._errors) == len(trust._counts) == 10_000
        assert weight == 1.0

    def test_without_an_expectation_nothing_is_compared(self):
        assert Trust().weigh(judged(expected=None, quality=0.0), 0.0) == 1.0
