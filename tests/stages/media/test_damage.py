"""What is said of damage: once a stretch, and no more than anyone reads."""

from schemas.time import TimeBase
from stages.media.damage import PACKET_LOST, DamageLog


def test_damage_is_told_by_stretch_and_bounded() -> None:
    damage = DamageLog(TimeBase(numerator=1, denominator=10), max_sentences=3)
    for pts in (120, 124, 128, 300):
        damage.note(PACKET_LOST, pts)
    assert damage.sentences() == [
        "3 packets near 12.00 s could not be decoded",
        "1 packet near 30.00 s could not be decoded",
    ]
    for pts in range(1000, 2000, 50):
        damage.note(PACKET_LOST, pts)
    assert len(damage.sentences()) == 4
    assert damage.sentences()[-1] == "and 19 more damaged stretches"
