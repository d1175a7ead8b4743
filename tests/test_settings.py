"""Settings: every key has a default, every mistake names file, key, found and wanted."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from edge.errors import SettingsError
from edge.settings import Settings
from edge.settings_file import REPEATED, TABLES, keys, load_settings, parse_settings

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "deploy" / "edge-audio.toml"


def parse(text: str) -> Settings:
    return parse_settings(tomllib.loads(text), where="my.toml")


def test_nothing_set_gives_the_defaults() -> None:
    assert parse("") == Settings()


def test_the_example_loads_and_names_every_key_with_its_default() -> None:
    load_settings(EXAMPLE)
    bare = re.sub(r"(?m)^# (\w+ = |\[\[\w+]]$)", r"\1", EXAMPLE.read_text(encoding="utf-8"))
    document = tomllib.loads(bare)
    assert set(document) == set(TABLES)
    for name, kind in TABLES.items():
        table = document[name][0] if name in REPEATED else document[name]
        assert list(table) == [key.name for key, _, _ in keys(kind)]
        for key, _, default in keys(kind):
            if (name, key.name) not in {("target", "name"), ("pin", "pin"), ("pin", "target"), ("button", "pin")}:
                assert table[key.name] == (list(default) if isinstance(default, tuple) else default), (name, key.name)


def test_every_key_is_explained_and_its_default_is_in_range() -> None:
    for kind in TABLES.values():
        for key, _, default in keys(kind):
            assert len(key.metadata["help"]) > 5
            if key.metadata["low"] is not None:
                assert key.metadata["low"] <= default <= key.metadata["high"], key.name
            if key.metadata["choices"] is not None:
                assert default in key.metadata["choices"]


@pytest.mark.parametrize(("text", "words"), [
    ("[model]\nhop = 0.2", ["my.toml: [model]", "'hop'", "hop_seconds"]),
    ("[modle]\n", ["'modle'", "did you mean 'model'"]),
    ("[mqtt]\nport = \"1883\"", ["[mqtt] port", "the string '1883'", "a whole number"]),
    ("[mqtt]\nport = 70000", ["[mqtt] port", "70000", "0 to 65535"]),
    ("[mqtt]\nhost = \"mqtt://broker\"", ["[mqtt] host", "'mqtt://broker'", "port and tls are keys of their own"]),
    ("[mqtt]\nhost = \"broker:1884\"", ["[mqtt] host", "'broker:1884'"]),
    ("[mqtt]\nhost = \"one,two\"", ["[mqtt] host", "'one,two'"]),
    ("[mqtt]\nport = true", ["[mqtt] port", "the value true", "a whole number"]),
    ("[mqtt]\ntls_ca_file = \"ca.pem\"", ["[mqtt] tls_ca_file", "tls = false", "wanted tls = true"]),
    ("[mqtt]\ntls_insecure = true", ["[mqtt] tls_insecure", "tls = false"]),
    ("[mqtt]\ntls_key_credential = \"key\"", ["[mqtt] tls_key_credential", "tls = false"]),
    ("[mqtt]\ntls = true\ntls_insecure = true\ntls_ca_file = \"ca.pem\"", ["[mqtt] tls_insecure", "tls_ca_file"]),
    ("[mqtt]\ntls = true\ntls_certificate_file = \"c.pem\"", ["only one of certificate and key", "tls_key_credential"]),
    ("[mqtt]\ntls = true\ntls_key_file = \"k.pem\"", ["only one of certificate and key"]),
    ("[mqtt]\ntls = true\ntls_certificate_file = \"c\"\ntls_key_file = \"k\"\ntls_key_credential = \"k\"",
     ["[mqtt] tls_key_file", "tls_key_credential too"]),
    ("[mqtt]\npassword_file = \"p\"\npassword_credential = \"p\"", ["[mqtt] password_file", "password_credential too"]),
    ("[gate]\nenabled = 1", ["[gate] enabled", "the whole number 1", "true or false"]),
    ("[source]\ncommand = \"arecord -f S16_LE\"", ["[source] command", "a list of strings"]),
    ("[model]\nruntime = \"litrt\"", ["[model] runtime", "litrt", "did you mean 'litert'"]),
    ("[target]\nname = \"a\"", ["[target]", "[[target]]"]),
    ("target = 3", ["[target]", "[[target]]"]),
    ("model = 3", ["[model]", "the whole number 3", "a table"]),
    ("[[target]]\nname = \"a b\"", ["'a b'", "letters"]),
    ("[[target]]\nname = \"a\"\n[[target]]\nname = \"a\"", ["'a' twice"]),
    ("[[target]]\nname = \"clap\"\n[[pin]]\npin = 17\ntarget = \"clapp\"", ["clapp", "did you mean 'clap'"]),
    ("[[pin]]\ntarget = \"clap\"", ["[[pin]] pin", "nothing"]),
    ("[[pin]]\npin = 17\ntarget = \"a\"\n[[pin]]\npin = \"GPIO17\"\ntarget = \"b\"", ["17 and GPIO17, which are one pin"]),
    ("[[pin]]\npin = \"BCM17\"\ntarget = \"a\"\n[[pin]]\npin = \"BOARD11\"\ntarget = \"b\"", ["BCM17 and BOARD11"]),
    ("[[pin]]\npin = 22\ntarget = \"a\"\ntargets = [\"b\"]", ["[[pin]] 22 targets", "a target too", "one of the two keys"]),
    ("[[pin]]\npin = 22\ntargets = [\"b\", \"b\"]", ["[[pin]] 22 targets", "'b' twice"]),
    ("[[pin]]\npin = 22\ntargets = [\"\"]", ["[[pin]] 22 targets", "an empty name"]),
    ("[[pin]]\npin = 22\ntargets = \"b\"", ["[[pin]] 1 targets", "a list of strings"]),
    ("[[target]]\nname = \"clap\"\n[[pin]]\npin = 22\ntargets = [\"clap\", \"snap\"]", ["[[pin]] 22 targets", "'snap'"]),
    ("[[pin]]\npin = 22\ntarget = \"a\"\nseconds = 5\nmaximum_seconds = 2",
     ["[[pin]] 22 maximum_seconds", "2, less than seconds = 5", "as long as one pulse or blink"]),
    ("[[pin]]\npin = 22\ntarget = \"a\"\nwhen_probability = 1.5", ["[[pin]] 1 when_probability", "1.5", "0.0 to 1.0"]),
    ("[[pin]]\npin = 22\ntarget = \"a\"\nwhen_level_dbfs = 3", ["[[pin]] 1 when_level_dbfs", "3", "-120.0 to 0.0"]),
    ("[[pin]]\npin = 22\ntarget = \"a\"\nhold_seconds = 3", ["'hold_seconds'", "did you mean"]),
    ("[[pin]]\npin = 22\ntarget = \"a\"\n[[button]]\npin = \"GPIO22\"", ["[[button]] pin", "GPIO22, which [[pin]] 22 uses"]),
    ("[[button]]\npin = 23\n[led]\npin = \"BOARD16\"", ["[led] pin", "BOARD16, which [[button]] 23 uses"]),
    ("[[button]]\naction = \"mute\"", ["[[button]] pin", "found nothing"]),
    ("[[button]]\npin = 23\naction = \"unmute\"", ["[[button]] 1 action", "'unmute'", "one of mute, wrong"]),
    ("[[button]]\npin = 23\ndebounce_seconds = 2", ["[[button]] 1 debounce_seconds", "2", "0.005 to 1.0"]),
    ("[led]\nactive_high = false", ["[led] pin", "found nothing"]),
    ("[led]\npin = \"green\"", ["[led] pin", "'green'", "17, GPIO17"]),
    ("[button]\npin = 23", ["[button]", "a single table", "[[button]], one for each"]),
    ("[[target]]\nname = \"a\"\nthreshold = 0.3\nrelease_threshold = 0.4", ["release_threshold", "at most"]),
    *((f"[page]\ntrusted_proxies = [\"192.168.1.5\", \"{proxy}\"]", ["my.toml: [page] trusted_proxies", repr(proxy)])
      for proxy in ("", "proxy.local", "172.30.32.2/23", "0.0.0.0/0", "::/0", "192.168.1.5:8080")),
    *((f"[page]\nshown_in = [\"{site}\"]", ["my.toml: [page] shown_in", repr(site), "http://homeassistant.local:8123"])
      for site in ("", "*", "home.example", "https://home.example/", "https://*.example", "http://a;b", "http://[fd00::1]:81")),
    ("[device]\nname = \"a/b\"", ["[device] name", "'a/b'"]),
    ("[source]\nrate = 100", ["[source] rate", "100", "4000"]),
    ("[log]\nevents = \"a\\u0000b\"", ["[log] events", "NUL"]),
    ("[model]\nhop_seconds = " + "9" * 401, ["[model] hop_seconds", "a number"]),
    ("[source]\nrate = nan", ["[source] rate", "a whole number"]),
    ("[gate]\nopen_db = nan", ["[gate] open_db", "nan", "0"]),
])
def test_a_mistake_names_the_key_what_was_found_and_what_was_wanted(text: str, words: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(text)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize("line", ["password = \"hunter2\"", "passwd = \"hunter2\"", "pasword_file = \"hunter2\"",
                                  "password = 'hunter2", "password = hunter2", "[mqtt.hunter2"])
def test_a_password_in_the_settings_is_refused_and_never_shown(line: str, tmp_path: Path) -> None:
    path = tmp_path / "edge.toml"
    path.write_text(f"[mqtt]\nuser = \"joe\"\n{line}\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    assert "hunter2" not in str(caught.value) + repr(caught.value)
    if line.startswith("password = \""):
        assert "found a password; wanted its file's name under password_file" in str(caught.value)


def test_the_port_is_the_standard_one_unless_it_is_named() -> None:
    for text, port in (("", 1883), ("tls = true", 8883), ("port = 2000", 2000), ("tls = true\nport = 2000", 2000)):
        assert parse(f"[mqtt]\n{text}").mqtt.tcp_port == port


def test_whole_numbers_serve_as_numbers_and_as_pins() -> None:
    settings = parse("[gate]\nopen_db = 9\n[[target]]\nname = \"a\"\n[[pin]]\npin = 17\ntarget = \"a\"")
    assert settings.gate.open_db == 9.0
    assert settings.pin[0].pin == "17"


@pytest.mark.parametrize(("content", "words"), [
    (None, ["No such file"]), (b"[model\n", ["wanted TOML"]), (b"\xff\xfe", ["no UTF-8"])])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, words: list[str]) -> None:
    path = tmp_path / "edge.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    for word in [str(path), *words]:
        assert word in str(caught.value)
    assert caught.value.exit_code == 2
