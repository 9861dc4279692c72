"""pip's and uv's settings, in their own order of precedence."""

from pathlib import Path

import pytest

from app.models.index_settings import DEFAULT_INDEX, IndexSettings, read_index_settings


def read(tmp_path: Path, pip: str = "", uv: str = "", system: str = "", **env: str) -> IndexSettings:
    for place, text in (
        (tmp_path / "home/.config/pip/pip.conf", pip),
        (tmp_path / "home/.config/uv/uv.toml", uv),
        (tmp_path / "etc/pip.conf", system),
    ):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    env.setdefault("VIRTUAL_ENV", str(tmp_path / "venv"))
    return read_index_settings(env, home=tmp_path / "home", system=tmp_path / "etc")


def test_nothing_set_is_the_default_of_both(tmp_path: Path) -> None:
    settings = read(tmp_path)
    assert settings.indexes == (DEFAULT_INDEX,)
    assert (settings.links, settings.certificates, settings.offline) == ((), None, False)


def test_variables_beat_the_users_file_beats_the_systems(tmp_path: Path) -> None:
    system = "[global]\nindex-url = https://system/simple\nextra-index-url =\n  https://a/s\n  https://b/s\n"
    user = "[global]\nindex-url = https://user/simple\n"
    assert read(tmp_path, system=system).indexes == ("https://system/simple", "https://a/s", "https://b/s")
    assert read(tmp_path, pip=user, system=system).indexes[0] == "https://user/simple"
    settings = read(tmp_path, pip=user, system=system, PIP_INDEX_URL="https://variable/simple")
    assert settings.indexes == ("https://variable/simple", "https://a/s", "https://b/s")


def test_a_named_index_replaces_the_default(tmp_path: Path) -> None:
    for settings in (
        read(tmp_path, PIP_INDEX_URL="https://mine/simple"),
        read(tmp_path, UV_INDEX_URL="https://mine/simple"),
        read(tmp_path, uv='[[index]]\nurl = "https://mine/simple"\ndefault = true\n'),
        read(tmp_path, uv='[pip]\nindex-url = "https://mine/simple"\n'),
    ):
        assert settings.indexes == ("https://mine/simple",)


def test_an_extra_index_adds_to_the_default(tmp_path: Path) -> None:
    settings = read(tmp_path, uv='[[index]]\nname = "a"\nurl = "https://a/s"\n', UV_INDEX="b=https://b/s")
    assert settings.indexes == (DEFAULT_INDEX, "https://b/s", "https://a/s")


def test_an_explicit_index_is_for_other_packages(tmp_path: Path) -> None:
    assert read(tmp_path, uv='[[index]]\nurl = "https://a/s"\nexplicit = true\n').indexes == (DEFAULT_INDEX,)


def test_a_named_index_gets_its_credentials_from_variables(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        uv='[[index]]\nname = "my-index"\nurl = "https://a/s"\ndefault = true\n',
        UV_INDEX_MY_INDEX_USERNAME="me",
        UV_INDEX_MY_INDEX_PASSWORD="p@ss",  # noqa: S106 (an example)
    )
    assert settings.indexes == ("https://me:p%40ss@a/s",)


def test_no_index_leaves_the_links(tmp_path: Path) -> None:
    settings = read(tmp_path, pip="[install]\nno-index = true\nfind-links = /wheels file:///more\n")
    assert (settings.indexes, settings.links) == ((), ("/wheels", "file:///more"))


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"SSL_CERT_FILE": "/a"}, "/a"),
        ({"SSL_CERT_FILE": "/a", "REQUESTS_CA_BUNDLE": "/b"}, "/b"),
        ({"SSL_CERT_FILE": "/a", "REQUESTS_CA_BUNDLE": "/b", "PIP_CERT": "/c"}, "/c"),
    ],
)
def test_certificates(tmp_path: Path, env: dict[str, str], expected: str) -> None:
    assert read(tmp_path, **env).certificates == expected


def test_the_rest(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        pip="[global]\nproxy = http://proxy:1\ntimeout = 60\ntrusted-host = a b:8080\n",
        UV_OFFLINE="1",
        UV_INSECURE_HOST="c",
    )
    assert (settings.proxy, settings.seconds, settings.offline) == ("http://proxy:1", 60.0, True)
    assert settings.trusted == {"a", "b:8080", "c"}


@pytest.mark.parametrize("broken", ["[global\nindex-url", "index-url = x", "\x00"])
def test_a_broken_file_is_passed_over(tmp_path: Path, broken: str) -> None:
    assert read(tmp_path, pip=broken, uv=broken).indexes == (DEFAULT_INDEX,)
