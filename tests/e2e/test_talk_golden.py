"""Who said what, and when, in the made-up team's chat, with the embedder that comes with the install."""

from pathlib import Path

from bot.config import Settings
from bot.evaluate.talk import evaluate_talk
from bot.models.catalogue import Catalogue
from bot.models.pool import Pool

TALK = Path("tests/data/talk")


async def test_the_right_person_is_named_and_what_nobody_said_is_told(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    pool = Pool(Catalogue(settings), settings)
    try:
        scores = await evaluate_talk(TALK, models=pool, settings=settings)
    finally:
        await pool.close()
    figures = scores.as_json()
    assert float(str(figures["person"])) >= 0.8
    assert float(str(figures["message"])) >= 0.65
    assert float(str(figures["told_nothing"])) >= 0.9
