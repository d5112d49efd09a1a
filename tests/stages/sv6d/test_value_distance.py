"""Values are as far apart as the taxonomy says, and their texts where it says nothing."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.judging import AgreementConfig
from schemas.taxonomy import Attribute
from stages.sv6d.distance import ValueDistances
from stages.texts.letters import LetterEmbedder
from tests.stages.segments import TAXONOMY

DISTANCES = ValueDistances(TAXONOMY, AgreementConfig(sibling_distance=0.3), LetterEmbedder())
ATTRIBUTES = [(d.name, a) for d in TAXONOMY.dimensions for a in d.attributes]


@pytest.mark.parametrize(("dimension", "attribute"), ATTRIBUTES, ids=lambda one: getattr(one, "name", one))
def test_distances_are_symmetric_from_0_to_1_and_0_for_the_same_alone(dimension: str, attribute: Attribute) -> None:
    values = [*(attribute.values or ("a dog", "a cat", "")), "not listed"]
    found = DISTANCES.between(dimension, attribute.name, values, values)
    assert np.array_equal(found, found.T)
    assert ((found == 0) == np.eye(len(values), dtype=bool)).all()
    assert found.max() == 1


def test_a_scale_counts_its_steps() -> None:
    sizes = TAXONOMY.attribute("subject", "shot_size")
    assert sizes is not None
    found = DISTANCES.between("subject", "shot_size", sizes.values, sizes.values)
    assert np.allclose(found[0], np.arange(7) / 6)


def test_a_group_is_as_near_as_the_configuration_says() -> None:
    found = DISTANCES.between("camera", "motion", ["pan_left"], ["pan_left", "pan_right", "zoom_in", "wobble"])
    assert found.tolist() == [[0, 0.3, 1, 1]]


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "A ", "b c", "", "\u5c0f"]), max_size=6), st.lists(st.text("ab"), max_size=6))
def test_texts_are_compared_in_any_number(first: list[str], second: list[str]) -> None:
    found = DISTANCES.between("subject", "action", first, second)
    assert found.shape == (len(first), len(second))
    for i, one in enumerate(first):
        for j, other in enumerate(second):
            alone = DISTANCES.between("subject", "action", [one], [other])[0, 0]
            assert found[i, j] == pytest.approx(alone, abs=1e-12)


@pytest.mark.parametrize(
    ("wrong", "answer"),
    [
        ({"values": ["a", "b"], "groups": [["a", "c"]]}, "groups values that it does not have: c"),
        ({"ordered": True}, "no values that could be ordered"),
    ],
)
def test_a_structure_that_does_not_fit_its_values_is_refused(wrong: dict[str, Any], answer: str) -> None:
    with pytest.raises(ValidationError, match=answer):
        Attribute(name="mine", description="", **wrong)


@pytest.mark.parametrize("name", ["tfidf", "auto"])
def test_what_compares_values_may_not_depend_on_other_values(name: str) -> None:
    with pytest.raises(ValidationError, match="set it to letters, minilm or a text model"):
        AgreementConfig(embedder=name)
