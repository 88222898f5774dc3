import shutil
from pathlib import Path

import pytest
from fakes import tiny_models

from bot.errors import DirectionError, ModelError, UnsafeModelError
from bot.models.languages import TONGUES
from bot.models.runtimes.encoder_decoder import Network
from bot.models.runtimes.seq2seq import Directions, Summariser, Translator, _inwards, _pieces, load_summary, load_translation
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import SummaryInput, TranslationInput

OPTIONS = LoadOptions(threads=1)
KO = "보고서를 내일까지 보내 주세요."
EN = "Where is the meeting on Tuesday?"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("seq2seq")


@pytest.fixture(scope="session")
def nllb(made: Path) -> Translator:
    return _translator(tiny_models.nllb(made / "nllb"))


@pytest.fixture(scope="session")
def m2m100(made: Path) -> Translator:
    return _translator(tiny_models.m2m100(made / "m2m100"))


@pytest.fixture(scope="session")
def ko_en(made: Path) -> Path:
    return tiny_models.marian(made / "both" / "ko-en")


@pytest.fixture(scope="session")
def bart(made: Path) -> Summariser:
    return load_summary(_spec("bart"), tiny_models.bart(made / "bart"), OPTIONS)


def _spec(name: str, *languages: str) -> ModelSpec:
    return ModelSpec(name, "translate", "seq2seq-translation", "folder", languages=languages)


def _translator(folder: Path, name: str = "tiny") -> Translator:
    loaded = load_translation(_spec(name), folder, OPTIONS)
    assert isinstance(loaded, Translator)
    return loaded


@pytest.mark.parametrize("family", ["nllb", "m2m100"])
def test_a_many_language_model_keeps_order_and_gives_each_input_its_own_answer(
    family: str, request: pytest.FixtureRequest
) -> None:
    model: Translator = request.getfixturevalue(family)
    batch = [
        TranslationInput(EN, "en", "ko"),
        TranslationInput(" ", "en", "ko"),
        TranslationInput(KO, "ko", "en"),
        TranslationInput(EN, "en", "fr"),
    ]
    together = model.predict(batch)
    assert together[1] == ""
    assert together == [model.predict([item])[0] for item in batch]
    assert model.predict([]) == []


@pytest.mark.parametrize(("family", "code"), [("nllb", "kor_Hang"), ("m2m100", "__ko__")])
def test_the_answer_is_made_to_begin_with_the_target_language(
    family: str, code: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    model: Translator = request.getfixturevalue(family)
    asked: dict[str, object] = {}
    generate = Network.generate

    def spy(self: Network, texts: list[str], **settings: object) -> list[str]:
        asked.update(settings, source=self.tokenizer(texts[0])["input_ids"][0])
        return generate(self, texts, **settings)

    monkeypatch.setattr(Network, "generate", spy)
    model.predict([TranslationInput(EN, "en", "ko")])
    tokenizer = model._network.tokenizer
    assert asked["forced_bos_token_id"] == tokenizer.convert_tokens_to_ids(code)
    assert asked["source"] == tokenizer.convert_tokens_to_ids("eng_Latn" if family == "nllb" else "__en__")


def test_a_language_that_the_model_lacks_is_named_in_both_languages(m2m100: Translator) -> None:
    with pytest.raises(ModelError) as told:
        m2m100.predict([TranslationInput(EN, "en", "eo")])
    assert "Esperanto" in told.value.sentence("en")
    assert "에스페란토" in told.value.sentence("ko")


def test_every_code_of_the_table_is_one_that_the_families_have(nllb: Translator) -> None:
    from transformers.models.mbart50.tokenization_mbart50 import FAIRSEQ_LANGUAGE_CODES

    vocabulary = nllb._network.tokenizer.get_vocab()
    assert [tongue.iso for tongue in TONGUES.values() if tongue.nllb not in vocabulary] == []
    assert [tongue.iso for tongue in TONGUES.values() if tongue.mbart and tongue.mbart not in FAIRSEQ_LANGUAGE_CODES] == []


def test_a_one_way_model_refuses_the_other_way(ko_en: Path) -> None:
    model = _translator(ko_en)
    assert model.pair == ("ko", "en")
    assert model.predict([TranslationInput(KO, "ko", "en")])[0]
    with pytest.raises(DirectionError, match="ko → en"):
        model.predict([TranslationInput(EN, "en", "ko")])


def test_a_one_way_model_says_its_pair_in_its_tokenizer_or_its_name(made: Path, ko_en: Path) -> None:
    assert _translator(tiny_models.marian(made / "unnamed", pair=("kor", "eng"))).pair == ("ko", "en")
    assert _translator(ko_en, "opus-mt-ko-en").pair == ("ko", "en")


def test_a_folder_of_one_way_models_sends_each_input_its_way(made: Path, ko_en: Path) -> None:
    tiny_models.marian(made / "both" / "en-ko")
    model = load_translation(_spec("both"), made / "both", OPTIONS)
    assert isinstance(model, Directions)
    batch = [TranslationInput(EN, "en", "ko"), TranslationInput(KO, "ko", "en")]
    assert model.predict(batch) == [
        _translator(made / "both" / pair).predict([item])[0] for pair, item in zip(["en-ko", "ko-en"], batch, strict=True)
    ]
    with pytest.raises(DirectionError, match="French"):
        model.predict([TranslationInput(EN, "en", "fr")])
    model.close()


def test_a_multi_target_marian_is_given_its_sign(made: Path) -> None:
    model = _translator(tiny_models.marian(made / "romance", targets=("fra", "spa")))
    assert model._scheme.direct("en", "fr", model="x") == (">>fra<< ", None)
    assert model.predict([TranslationInput(EN, "en", "es")])[0]
    with pytest.raises(ModelError, match="Korean"):
        model.predict([TranslationInput(EN, "en", "ko")])


def test_t5_is_told_in_words_and_madlad_by_a_token(made: Path) -> None:
    assert _translator(tiny_models.t5(made / "t5"))._scheme.direct("en", "de", model="x") == (
        "translate English to German: ",
        None,
    )
    madlad = _translator(tiny_models.t5(made / "madlad", extra=("<2en>", "<2ko>")))
    assert madlad._scheme.direct("en", "ko", model="x") == ("<2ko> ", None)
    assert madlad.predict([TranslationInput(EN, "en", "ko")])[0]


def test_a_text_beyond_the_window_is_cut_into_pieces_that_hold_all_of_it(nllb: Translator) -> None:
    text = ", ".join(f"{EN} {number}" for number in range(20))
    pieces = list(_pieces(text, "", nllb._network.count, nllb._network.positions(512)))
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")
    assert max(nllb._network.count(piece) for piece in pieces) <= 64
    assert nllb.predict([TranslationInput(text, "en", "ko")])[0]


def test_summaries_are_bounded_repeatable_and_in_order(bart: Summariser) -> None:
    items = [
        SummaryInput(EN, (EN,), "en", "short"),
        SummaryInput("", (), "en", "long"),
        SummaryInput(f"{KO} " * 40, (KO,) * 40, "ko", "medium"),
    ]
    first = bart.predict(items)
    assert first == bart.predict(items)
    assert first[1].text == ""
    assert [summary.picked for summary in first] == [(), (), ()]
    assert len(first[0].text.encode()) <= 60 * 4
    assert bart.predict([]) == []


def test_a_long_text_is_read_in_windows_spread_over_it(bart: Summariser) -> None:
    sentences = tuple(f"Sentence number {number} speaks of something else." for number in range(100))
    windows = bart._windows(SummaryInput(" ".join(sentences), sentences, "en", "short"), 128)
    assert len(windows) == 8
    assert "number 0 " in windows[0]
    assert "number 99 " in windows[-1]


def test_a_summariser_says_what_its_configuration_sets_before_a_text(made: Path) -> None:
    folder = made / "t5-summary"
    model = load_summary(_spec("t5"), tiny_models.t5(folder), OPTIONS)
    assert model._windows(SummaryInput(EN, (EN,), "en", "short"), 512) == [f"summarize: {EN}"]


def test_opening_and_closing_come_first() -> None:
    assert list(_inwards(5)) == [0, 4, 1, 3, 2]


def test_a_folder_without_safetensors_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(UnsafeModelError, match="safetensors"):
        load_translation(_spec("x"), tmp_path, OPTIONS)


def test_broken_weights_are_told_in_a_sentence(made: Path, ko_en: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ko_en, tmp_path / "broken"))
    (folder / "model.safetensors").write_bytes((ko_en / "model.safetensors").read_bytes()[:100])
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_translation(_spec("x"), folder, OPTIONS)


def test_an_empty_folder_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"config\.json"):
        load_translation(_spec("x"), tmp_path, OPTIONS)


def test_a_closed_model_is_told_in_a_sentence(ko_en: Path) -> None:
    model = _translator(ko_en)
    model.close()
    with pytest.raises(ModelError, match="unloaded"):
        model.predict([TranslationInput(KO, "ko", "en")])
