"""The Ray runner never asks for more than the cluster has, and overlaps what may overlap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.plan import steps_of
from pipeline.ray_runner import legs, pool_sizes, shares
from schemas.config import RunConfig


def test_a_leg_ends_where_a_step_must_see_the_whole_corpus() -> None:
    assert [[step.name for step in leg] for leg in legs(steps_of(RunConfig()))] == [
        ["probe"],
        ["scan", "split", "describe"],
        ["dedup", "annotate.measured", "verify.evidence", "verify.wording"],
        ["survey"],
        ["verify.questions"],
        ["plan"],
        ["package"],
        ["card"],
    ]


@given(st.integers(1, 512), st.integers(1, 1000))
def test_one_worker_of_every_step_fits_at_once_and_none_is_larger_than_the_cluster(cpus: int, n_rows: int) -> None:
    for leg in legs(steps_of(RunConfig())):
        share, sizes = shares(leg, cpus), pool_sizes(leg, cpus, n_rows)
        assert sum(share.values()) <= cpus
        others = sum(share.values())
        for step in leg:
            assert 0 < share[step.name] <= step.cpus
            assert 1 <= sizes[step.name] <= max(1, n_rows)
            assert others + (sizes[step.name] - 1) * share[step.name] <= cpus + 1e-9


@pytest.mark.parametrize(("cpus", "workers"), [(1, 1), (2, 2), (8, 6), (64, 62)])
def test_decoding_alone_can_use_the_cores_that_are_there(cpus: int, workers: int) -> None:
    (leg,) = [leg for leg in legs(steps_of(RunConfig())) if leg[0].name == "scan"]
    assert pool_sizes(leg, cpus, 1000)["scan"] == workers
