"""From a configuration to what reads prompts: the classifier that names task classes, and the encoder."""

from __future__ import annotations

from typing import NamedTuple

from banditroute.config.values import RouterConfig, RuleConfig
from banditroute.patterns import searcher
from banditroute.prompts.callables import named_encoder
from banditroute.prompts.rules import Found, Rule, RuledClassifier
from banditroute.prompts.shipped import shipped
from banditroute.prompts.weights import shipped_weights
from banditroute.routing.meanings import Meanings, fingerprint
from banditroute.routing.tasks import CallersFeatures, FeatureEncoder, NoFeatures, OneTask, TaskClassifier


class Prompting(NamedTuple):
    """A classifier and an encoder; where both are the shipped ones, they read each prompt once."""

    classifier: TaskClassifier
    encoder: FeatureEncoder


def prompting_of(plan: RouterConfig) -> Prompting:
    """What reads prompts as a configuration says.

    Raises:
        ConfigError: the encoder is not found or is none.
        MissingExtraError: a rule has a regex, and what runs it is not installed.
    """
    routing = plan.routing
    own = {task.name: task.examples for task in plan.tasks}
    out_of_the_box = shipped(own, routing.sure) if "prompt" in (routing.classifier, routing.encoder) else None
    classifier: TaskClassifier = OneTask()
    encoder: FeatureEncoder = NoFeatures()
    if routing.classifier == "prompt" and out_of_the_box is not None:
        classifier = out_of_the_box.classifier
    if plan.rules:
        classifier = RuledClassifier([_rule(rule) for rule in plan.rules], classifier)
    if routing.features:
        encoder = CallersFeatures(routing.features)
    elif routing.encoder == "prompt" and out_of_the_box is not None:
        encoder = out_of_the_box.encoder
    elif routing.encoder != "none":
        encoder = named_encoder(routing.encoder)
    return Prompting(classifier, encoder)


def meanings_of(plan: RouterConfig) -> Meanings:
    """What names the classes as a configuration says.

    A class that rules name is one with them; one of your own with its examples; the shipped ones with the training of
    the shipped classifier, and with how sure it has to be.
    """
    routing = plan.routing
    signs: dict[str, list[object]] = {}
    if routing.classifier == "prompt":
        weights = shipped_weights()
        trained = (weights.version, routing.sure)
        for task in weights.classes:
            signs[task] = [trained]
        for own in plan.tasks:
            signs[own.name] = [trained, own.examples]
    for rule in plan.rules:
        has = rule.regex, rule.contains, sorted(rule.metadata.items()), rule.tools, rule.response_format
        signs.setdefault(rule.task, []).append(has)
    by_class = {task: fingerprint(*parts) for task, parts in signs.items()}
    return Meanings(by_class, refuse=routing.on_new_classes == "refuse")


def _rule(rule: RuleConfig) -> Rule:
    return Rule(rule.task, _found(rule), rule.metadata, rule.tools, rule.response_format)


def _found(rule: RuleConfig) -> Found | None:
    """Looks for the rule's regex and for any of its words."""
    search = None if rule.regex is None else searcher(rule.regex)
    words = tuple(word.casefold() for word in rule.contains)
    if search is None and not words:
        return None

    def found(text: str) -> bool:
        folded = text.casefold()
        return (not words or any(word in folded for word in words)) and (search is None or search(text))

    return found
