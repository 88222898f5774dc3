from pathlib import Path

import pytest

from bot.config_file import load_settings, walk
from bot.config_section import variable
from bot.errors import SettingsError
from bot.logs_secrets import secrets_of, strike


def test_the_environment_goes_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "paring.toml"
    file.write_text('language = "ko"\n[web]\nport = 9000\n')
    settings = load_settings({"PARING_CONFIG": str(file), "PARING_WEB__PORT": "9100"} | environment(tmp_path))
    assert (settings.language, settings.web.port) == ("ko", 9100)


def environment(home: Path) -> dict[str, str]:
    return {"PARING_HOME": str(home)}


@pytest.fixture(autouse=True)
def _exported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PARING_HOME", str(tmp_path))
    monkeypatch.setenv("PARING_WEB__PORT", "9100")


def test_an_unknown_key_of_the_file_is_refused_with_the_nearest(tmp_path: Path) -> None:
    file = tmp_path / "paring.toml"
    file.write_text("[web]\nprot = 9000\n")
    with pytest.raises(SettingsError, match=r"no setting “web.prot”.*Did you mean web.port"):
        load_settings({"PARING_CONFIG": str(file)})


def test_an_unknown_variable_is_refused_with_the_nearest() -> None:
    with pytest.raises(SettingsError, match="Did you mean PARING_TELEGRAM__TOKEN"):
        load_settings({"PARING_TELEGRAM_TOKEN": "1:a"})


def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "paring.toml"
    file.write_text('[telegram]\ntoken = "1:canary"\n')
    with pytest.raises(SettingsError, match="PARING_TELEGRAM__TOKEN") as error:
        load_settings({"PARING_CONFIG": str(file)})
    assert "canary" not in str(error.value)


def test_a_value_of_the_wrong_kind_is_told_with_its_key_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARING_WEB__PORT", "eighty")
    with pytest.raises(SettingsError, match=r"web.port.*PARING_WEB__PORT"):
        load_settings({})


def test_a_broken_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "paring.toml"
    file.write_text("[web\n")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings({"PARING_CONFIG": str(file)})


def test_a_named_file_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is not a file"):
        load_settings({"PARING_CONFIG": str(tmp_path / "none.toml")})


def test_secrets_are_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARING_TELEGRAM__TOKEN", "1:canary")
    settings = load_settings()
    assert "canary" not in repr(settings) + str(settings)
    assert strike("https://host/bot1:canary/getMe", tuple(secrets_of(settings))) == "https://host/bot**********/getMe"


def test_admins_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARING_ADMINS", "telegram:1, web:me")
    assert load_settings().admins == ("telegram:1", "web:me")


def test_an_admin_who_is_a_bare_number_is_telegrams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARING_ADMINS", "4711,web:me")
    assert load_settings().admins == ("telegram:4711", "web:me")


def test_every_setting_is_described_and_has_a_variable() -> None:
    for key, _default, description, _secret in walk():
        assert description, key
        assert variable(key).startswith("PARING_")


@pytest.mark.parametrize("written", ["4711, -100", "[4711, -100]", '["4711", "-100"]'])
def test_lists_of_numbers_are_taken_in_every_spelling(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("PARING_TELEGRAM__ALLOWED_USERS", written)
    assert load_settings().telegram.allowed_users == ("4711", "-100")


def test_a_name_in_the_place_of_a_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARING_TELEGRAM__ALLOWED_CHATS", "@team")
    with pytest.raises(SettingsError, match=r"@team.*PARING_TELEGRAM__ALLOWED_CHATS"):
        load_settings()


def test_hosts_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARING_LINKS__ALLOWED_HOSTS", "wiki.intra, git.intra")
    assert load_settings().links.allowed_hosts == ("wiki.intra", "git.intra")


def test_an_empty_variable_is_one_that_is_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "paring.toml"
    file.write_text("[web]\nport = 9000\n[telegram]\nallowed_users = ['7']\n")
    empty = {"PARING_WEB__PORT": "", "PARING_TELEGRAM__ALLOWED_USERS": "", "PARING_HOME": ""}
    for name, value in empty.items():
        monkeypatch.setenv(name, value)
    settings = load_settings({"PARING_CONFIG": str(file)} | empty)
    assert (settings.web.port, settings.telegram.allowed_users) == (9000, ("7",))
    assert settings.home.is_absolute()


@pytest.mark.parametrize(
    ("written", "english", "korean"),
    [
        ("language = 'fr'", "expected one of 'ko', 'en'", "'ko', 'en' 가운데 하나"),
        ("[links]\nallowed_hosts = 5", "expected a list of texts in brackets", "글의 목록"),
        ("[models]\nchoose = 3", "expected a section", "묶음이 와야"),
        ("admins = ['@ann']", "“@ann” is nobody. Write CHANNEL:USER, such as telegram:4711", "telegram:4711처럼 채널:사용자로"),
        ("[models]\nchat_url = '127.0.0.1:11434'", "expected a URL such as http://127.0.0.1:11434/v1", "같은 URL이어야 해요"),
        ("[telegram]\nallowed_users = ['kim']", "“kim” is no number of Telegram's", "“kim”은(는) 텔레그램 번호가 아니에요"),
    ],
)
def test_what_was_expected_is_said_in_both_languages(tmp_path: Path, written: str, english: str, korean: str) -> None:
    file = tmp_path / "paring.toml"
    file.write_text(written, encoding="utf-8")
    with pytest.raises(SettingsError) as error:
        load_settings({"PARING_CONFIG": str(file)})
    assert english in error.value.sentence("en")
    assert korean in error.value.sentence("ko")


def test_a_variable_that_must_be_json_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARING_MODELS__CHOOSE", "x")
    with pytest.raises(SettingsError, match="PARING_MODELS__CHOOSE is not right: expected JSON"):
        load_settings({"PARING_MODELS__CHOOSE": "x"})


def test_a_mapping_of_the_environment_goes_over_that_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "paring.toml"
    file.write_text("[models]\nchat_model = 'm'\n[models.choose]\nchat = 'from-file'\nocr = 'other'\n", encoding="utf-8")
    monkeypatch.setenv("PARING_MODELS__CHOOSE", '{"chat": "from-env"}')
    settings = load_settings({"PARING_CONFIG": str(file), "PARING_MODELS__CHOOSE": '{"chat": "from-env"}'})
    assert (dict(settings.models.choose), settings.models.chat_model) == ({"chat": "from-env"}, "m")


@pytest.mark.parametrize(
    ("written", "wanted"), [("admins = [4711]", "PARING_ADMINS."), ("[models.choose]\nembed = 3", "PARING_MODELS__CHOOSE.")]
)
def test_the_variable_that_is_named_is_one_that_there_is(tmp_path: Path, written: str, wanted: str) -> None:
    file = tmp_path / "paring.toml"
    file.write_text(written, encoding="utf-8")
    with pytest.raises(SettingsError) as error:
        load_settings({"PARING_CONFIG": str(file)})
    assert error.value.sentence("en").endswith(wanted)
