from pathlib import Path

import pytest

from bot.config import load_settings, variable, walk
from bot.errors import SettingsError
from bot.logs import secrets_of, strike


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
