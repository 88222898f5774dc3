from dataclasses import replace

import pytest

from skills.translate.ask import Ask, points, read, read_arguments
from skills.translate.names import named
from skills.translate.origin import origin


@pytest.mark.parametrize(
    ("said", "ask"),
    [
        ("translate this to English: 안녕하세요", Ask("안녕하세요", "", "en")),
        ("다음을 영어로 번역해줘: 감사합니다", Ask("감사합니다", "", "en")),
        ("how do you say thank you in Japanese?", Ask("thank you", "", "ja")),
        ('how do you say "see you tomorrow" in Korean', Ask("see you tomorrow", "", "ko")),
        ("how would I tell a driver to stop here in Thai", Ask("stop here", "", "th")),
        ("'감사합니다'를 일본어로 뭐라고 해?", Ask("감사합니다", "", "ja")),
        ("감사합니다를 일본어로 어떻게 말해요?", Ask("감사합니다", "", "ja")),
        ("일본어로 뭐라고 해? 감사합니다", Ask("감사합니다", "", "ja")),
        ("불어로 옮겨줘 사랑해", Ask("사랑해", "", "fr")),
        ("“회의는 3시예요” 영어로", Ask("회의는 3시예요", "", "en")),
        ("번역: Hello world", Ask("Hello world")),
        ("what's the French word for bread", Ask("bread", "", "fr")),
        ("what does bonjour mean?", Ask("bonjour")),
        ("translate I speak French to German", Ask("I speak French", "", "de")),
        ("I love you in Japanese please", Ask("I love you", "", "ja")),
        ("translate from German to Korean: Guten Tag", Ask("Guten Tag", "de", "ko")),
        ("중국어에서 한국어로 번역해줘: 你好", Ask("你好", "zh", "ko")),
        ("Translate: Time 10:30 is fine", Ask("Time 10:30 is fine")),
        ("Please translate the following into Korean\n\nHello.\nHow are you?", Ask("Hello.\nHow are you?", "", "ko")),
        ("EN to KO: thank you", Ask("thank you", "en", "ko")),
        ("한영 번역해줘: 안녕", Ask("안녕", "ko", "en")),
        ("thank you -> Japanese", Ask("thank you", "", "ja")),
        ("Wo ist der Bahnhof 해석해줘", Ask("Wo ist der Bahnhof")),
        ("이거 무슨 뜻이에요? Wo ist der Bahnhof", Ask("Wo ist der Bahnhof")),
        ("meaning of bon appetit?", Ask("bon appetit")),
        ("translate these terms: invoice, credit memo, into Japanese", Ask("invoice, credit memo", "", "ja")),
        ("give me the Japanese word for train", Ask("train", "", "ja")),
        ("Kubernetes 배포가 실패했어요 영어로", Ask("Kubernetes 배포가 실패했어요", "", "en")),
        ("Hello there.\nHow are you?\n\n한국어로 번역해 주세요", Ask("Hello there.\nHow are you?", "", "ko")),
    ],
)
def test_the_instruction_is_taken_from_the_text(said: str, ask: Ask) -> None:
    assert replace(read(said), sure=True) == ask


@pytest.mark.parametrize(
    ("said", "target"),
    [
        ("translate this please", ""), ("translate this message to French", "fr"), ("영어로 번역해줘", "en"), ("이거 번역해줘", ""),
        ("이 이메일 한국어로 번역 부탁드려요", "ko"), ("can you put this in German", "de"), ("could I have this in Spanish?", "es"),
        ("translate the attached pdf to German", "de"), ("이 글 무슨 뜻이야?", ""), ("translate what Minji wrote", ""),
        ("now in Japanese please", "ja"), ("다시 영어로", "en"), ("이 가사 해석 좀 해줘", ""),
        ("traslate this", ""), ("정중한 일본어로 바꿔줘", "ja"),
        ("위 문장 좀 일본어로 바꿔 주세요", "ja"),
    ],
)  # fmt: skip
def test_a_request_that_points_elsewhere_leaves_no_text(said: str, target: str) -> None:
    assert replace(read(said), sure=True) == Ask("", "", target)


@pytest.mark.parametrize(
    "said", ["Bonjour tout le monde", "これは何ですか", "회의가 취소됐어요.", "Line one\nline two", "a" * 5000]
)
def test_a_text_without_a_request_is_all_text(said: str) -> None:
    assert read(said) == Ask(said, sure=False)


def test_a_long_line_has_its_request_at_the_beginning_or_the_end() -> None:
    text = "The meeting about French cheese was moved. " * 30
    assert read(f"Please translate this to Korean: {text}") == Ask(text.strip(), "", "ko")
    assert read(f"translate to Korean {text}") == Ask(text.strip(), "", "ko")
    assert read(f"{text} 한국어로 번역해 주세요") == Ask(text.strip(), "", "ko")
    assert read(text) == Ask(text.strip(), sure=False)


@pytest.mark.parametrize(
    ("args", "ask"),
    [
        ("", Ask("")),
        ("en 안녕하세요", Ask("안녕하세요", "", "en")),
        ("to Korean Hello there", Ask("Hello there", "", "ko")),
        ("영어로 안녕", Ask("안녕", "", "en")),
        ("영어로 번역해줘", Ask("", "", "en")),
        ("ko>en 안녕", Ask("안녕", "ko", "en")),
        ("ko -> ja 안녕", Ask("안녕", "ko", "ja")),
        ("ko-ja 안녕", Ask("안녕", "ko", "ja")),
        ("en", Ask("", "", "en")),
        ("into Japanese", Ask("", "", "ja")),
        ("Japanese: nice", Ask("nice", "", "ja")),
        ("jp 안녕", Ask("안녕", "", "ja")),
        ("Hello world", Ask("Hello world")),
        ("it is raining", Ask("it is raining")),
        ("no problem", Ask("no problem")),
        ("it 안녕", Ask("안녕", "", "it")),
        ("it", Ask("", "", "it")),
        ("en\n- 하나\n- 둘", Ask("- 하나\n- 둘", "", "en")),
    ],
)
def test_a_commands_arguments_name_the_language_first(args: str, ask: Ask) -> None:
    assert read_arguments(args) == ask


def test_languages_are_known_by_name_in_both_languages_and_by_code() -> None:
    assert [named(name) for name in ("Japanese", "일본어", "JA", "mandarin", "불어", "터키어", "cn", "우리말", "klingon", "")] == [
        "ja", "ja", "ja", "zh", "fr", "tr", "zh", "ko", "", "",
    ]  # fmt: skip


@pytest.mark.parametrize("words", ["", "this", "the attached file", "이 글을", "위의 문장", "그 일본어 메일", "what she wrote"])
def test_pointing_words_are_no_text(words: str) -> None:
    assert points(words)


@pytest.mark.parametrize("words", ["thank you", "회의", "this is my house", "이순신"])
def test_words_of_their_own_are_text(words: str) -> None:
    assert not points(words)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("회의는 3시예요", "ko"), ("これは何ですか", "ja"), ("東京はどこ", "ja"), ("会议在星期二", "zh"), ("Где находится встреча?", "ru"),
        ("Де зустріч, її немає", "uk"), ("مرحبا كيف حالك", "ar"), ("این چیست؟ پدر", "fa"), ("ขอบคุณ", "th"), ("नमस्ते", "hi"),
        ("Wo ist der Bahnhof?", "de"), ("Où est la gare ?", "fr"), ("¿Dónde está la estación?", "es"), ("Dov'è la stazione?", "it"),
        ("Onde fica a estação?", "pt"), ("Waar is het station?", "nl"), ("Gdzie jest dworzec?", "pl"), ("İstasyon nerede?", "tr"),
        ("Ga ở đâu?", "vi"), ("Di mana stasiun?", "id"), ("Where is the station?", "en"), ("hello", "en"), ("123 !?", ""),
        ("Kubernetes 배포가 실패했어요", "ko"),
    ],
)  # fmt: skip
def test_a_texts_language_is_told_by_script_and_small_words(text: str, language: str) -> None:
    assert origin(text) == language


def test_what_is_taken_out_of_a_sentence_is_less_sure_than_what_is_set_apart() -> None:
    assert read("translate to Korean: hello").sure
    assert read('how do you say "hello" in Korean').sure
    assert read_arguments("hello there").sure
    assert not read("how do you say hello in Korean").sure
    assert not read("translate the small print to Korean").sure
