"""Two models on one set of pictures: what is worked out of their answers, once, and kept by content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st
import supervision as sv

from cowvision.evaluation.comparison import Comparison, compare_models
from cowvision.evaluation.error_costs import ErrorCosts, error_costs
from cowvision.evaluation.errors import PictureOutcome, explain_all
from cowvision.evaluation.flips import Flip, flips_of
from cowvision.evaluation.matching import ClassMatches, match_class
from cowvision.evaluation.metrics import MapReport, measure
from cowvision.evaluation.operating import (
    OperatingPoint,
    PrecisionRecall,
    operating_point,
    operating_points,
    precision_recall,
)
from cowvision.evaluation.verification import Verification, verify
from cowvision.models.catalog import ModelSpec
from cowvision.ui.evaluation_sets import EvaluationSet

Found = list[sv.Detections]
Outcomes = list[PictureOutcome]


@dataclass(frozen=True, eq=False)
class Judged:
    """Models and the pictures they are judged on, the same for all.

    Attributes:
        pictures: The pictures, each looked at by every model.
        specs: The baseline first; the candidate, if there is one, second.
        found: Raw detections of each model, in the order of the pictures.
    """

    pictures: EvaluationSet
    specs: tuple[ModelSpec, ...]
    found: tuple[Found, ...]

    @property
    def baseline(self) -> ModelSpec:
        """The model that is compared with, or the only one."""
        return self.specs[0]

    @property
    def candidate(self) -> ModelSpec:
        """The model that is to be better, or the only one."""
        return self.specs[-1]

    @property
    def is_pair(self) -> bool:
        """Whether there are two models to compare."""
        return len(self.specs) == 2

    def title(self, spec: ModelSpec) -> str:
        """A model's name for people; with its short name where the titles of both are the same."""
        is_alone = [one.title for one in self.specs].count(spec.title) == 1
        return spec.title if is_alone else f"{spec.title} ({spec.name})"

    def found_by(self, spec: ModelSpec) -> Found:
        """A model's raw detections."""
        return self.found[self.specs.index(spec)]

    def report(self, spec: ModelSpec) -> MapReport:
        """COCO's summary of a model."""
        return _report(self.pictures.id, spec.id, self.found_by(spec), self.pictures.truths)

    def points(self, spec: ModelSpec) -> list[OperatingPoint]:
        """A model at every threshold."""
        return _points(self.pictures.id, spec.id, self._matches(spec))

    def point(self, spec: ModelSpec, threshold: float) -> OperatingPoint:
        """A model at one threshold."""
        return operating_point(self._matches(spec), threshold)

    def curve(self, spec: ModelSpec) -> PrecisionRecall:
        """A model's precision over recall."""
        return _curve(self.pictures.id, spec.id, self._matches(spec))

    def comparison(self) -> Comparison:
        """The candidate against the baseline; positive gains speak for the candidate."""
        ids = (self.pictures.id, self.candidate.id, self.baseline.id)
        return _comparison(*ids, self.found[-1], self.found[0], self.pictures.truths)

    def flips(self, threshold: float) -> list[Flip]:
        """What changes from the baseline to the candidate, by picture, the largest change first."""
        ids = (self.pictures.id, self.candidate.id, self.baseline.id)
        return _flips(*ids, threshold, self._explained(self.candidate), self._explained(self.baseline))

    def outcomes(self, place: int, threshold: float) -> list[PictureOutcome]:
        """What each model's boxes on one picture are."""
        return [self._explained(spec)[place].at_least(threshold) for spec in self.specs]

    def own_figures(self, spec: ModelSpec) -> tuple[float, float] | None:
        """A model's mAP and AP50 by our own matching, which gains rest on; None without truth."""
        precisions = self._matches(spec).average_precision()
        return None if np.isnan(precisions).any() else (float(precisions.mean()), float(precisions[0]))

    def costs(self, spec: ModelSpec) -> ErrorCosts:
        """What each kind of error costs a model."""
        return _costs(self.pictures.id, spec.id, self.found_by(spec), self.pictures.truths)

    def verification(self, spec: ModelSpec) -> Verification:
        """A model's figures from three tools."""
        return _verification(self.pictures.id, spec.id, self.found_by(spec), self.pictures.truths)

    def _explained(self, spec: ModelSpec) -> Outcomes:
        return _explained(self.pictures.id, spec.id, self.found_by(spec), self.pictures.truths)

    def _matches(self, spec: ModelSpec) -> ClassMatches:
        return _matches(self.pictures.id, spec.id, self.found_by(spec), self.pictures.truths)


def judged(chosen: EvaluationSet, answers: Mapping[ModelSpec, Mapping[str, sv.Detections]]) -> Judged | None:
    """The models on those pictures that all of them have looked at; None where there are no such pictures."""
    specs = tuple(answers)
    pictures = chosen.only(one.id for one in chosen.pictures if all(one.id in answers[spec] for spec in specs))
    if not specs or not pictures.pictures:
        return None
    found = tuple([answers[spec][one.id] for one in pictures.pictures] for spec in specs)
    return Judged(pictures, specs, found)


@st.cache_resource(max_entries=16, show_spinner=False)
def _matches(set_id: str, model_id: str, _found: Found, _truths: Found) -> ClassMatches:
    del set_id, model_id  # the key of the cache, here and below
    return match_class(_found, _truths, "cow")


@st.cache_resource(max_entries=16, show_spinner=False)
def _report(set_id: str, model_id: str, _found: Found, _truths: Found) -> MapReport:
    del set_id, model_id
    return measure(_found, _truths)


@st.cache_resource(max_entries=16, show_spinner=False)
def _points(set_id: str, model_id: str, _matches: ClassMatches) -> list[OperatingPoint]:
    del set_id, model_id
    return operating_points(_matches)


@st.cache_resource(max_entries=16, show_spinner=False)
def _curve(set_id: str, model_id: str, _matches: ClassMatches) -> PrecisionRecall:
    del set_id, model_id
    return precision_recall(_matches)


@st.cache_resource(max_entries=16, show_spinner="Drawing the pictures again, a thousand times …")
def _comparison(
    set_id: str, model_id: str, other_id: str, _found: Found, _against: Found, _truths: Found
) -> Comparison:
    del set_id, model_id, other_id
    return compare_models(_found, _against, _truths)


@st.cache_resource(max_entries=8, show_spinner=False)
def _flips(
    set_id: str, model_id: str, other_id: str, threshold: float, _ours: Outcomes, _theirs: Outcomes
) -> list[Flip]:
    del set_id, model_id, other_id
    return flips_of([one.at_least(threshold) for one in _ours], [one.at_least(threshold) for one in _theirs])


@st.cache_resource(max_entries=16, show_spinner=False)
def _explained(set_id: str, model_id: str, _found: Found, _truths: Found) -> Outcomes:
    del set_id, model_id
    return explain_all(_found, _truths)


@st.cache_resource(max_entries=16, show_spinner="Repairing one kind of error after the other …")
def _costs(set_id: str, model_id: str, _found: Found, _truths: Found) -> ErrorCosts:
    del set_id, model_id
    return error_costs(_found, _truths)


@st.cache_resource(max_entries=8, show_spinner="Measuring with three tools …")
def _verification(set_id: str, model_id: str, _found: Found, _truths: Found) -> Verification:
    del set_id, model_id
    return verify(_found, _truths)
