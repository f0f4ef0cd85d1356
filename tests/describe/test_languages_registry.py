"""Which languages there are, and how they are loaded."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from polylane.describe import languages
from polylane.describe.languages.base import Language
from polylane.errors import UserError


def _install(folder: Path, points: str, name: str = "plugin") -> None:
    """A distribution with entry points, as an installer leaves it behind."""
    info = folder / f"{name}-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Name: {name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[polylane.languages]\n{points}\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages that is the only one."""
    site = tmp_path / "site-packages"
    site.mkdir()
    monkeypatch.setattr(sys, "path", [str(site), *(p for p in sys.path if "site-pack" not in p)])
    return site


def test_ours_come_first_then_plug_ins_by_name(site: Path) -> None:
    """As ``module:attribute``, nothing of them loaded."""
    _install(site, "zig = nowhere:Z\nada = nowhere:A")
    assert list(languages.registered().items()) == [
        *languages.BUILT_IN.items(),
        ("ada", "nowhere:A"),
        ("zig", "nowhere:Z"),
    ]


def test_our_own_entry_points_are_no_second_languages(site: Path) -> None:
    """An installed polylane names its languages as a plug-in does."""
    points = "\n".join(f"{name} = {target}" for name, target in languages.BUILT_IN.items())
    _install(site, points, "polylane")
    assert languages.registered() == languages.BUILT_IN


def test_two_plug_ins_with_one_name_are_refused(site: Path) -> None:
    """One line names both, and how to mend it."""
    _install(site, "ada = one:A", "one")
    _install(site, "ada = two:A", "two")
    with pytest.raises(UserError) as caught:
        languages.registered()
    both = {f"{a} and {b}" for a, b in (("one:A", "two:A"), ("two:A", "one:A"))}
    assert str(caught.value) in {
        f"two plug-ins provide the language 'ada': {each}; uninstall one of them" for each in both
    }


def test_a_plug_in_cannot_take_the_place_of_ours(site: Path) -> None:
    """Its author must choose another name."""
    _install(site, "python = mine:P")
    with pytest.raises(UserError, match="two plug-ins provide the language 'python'"):
        languages.registered()


def _asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The groups that importlib.metadata is asked for from now on."""
    asked: list[str] = []

    def entry_points(*, group: str) -> list[object]:
        asked.append(group)
        return []

    monkeypatch.setattr("importlib.metadata.entry_points", entry_points)
    return asked


def test_metadata_are_not_read_where_no_plug_in_is_installed(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our own and those of other packages say enough."""
    asked = _asked(monkeypatch)
    _install(site, "", "polylane")
    info = site / "other-1.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[console_scripts]\nx = y:z\n")
    (site / "old-1.egg-info").touch()
    assert languages.registered() == languages.BUILT_IN
    assert not asked


@pytest.mark.parametrize("name", ["polylane_rust-1.dist-info", "ada.egg-info"])
def test_metadata_are_read_where_a_plug_in_may_be_installed(
    site: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whatever the kind of its records, and though its name begins as ours."""
    asked = _asked(monkeypatch)
    (site / name).mkdir()
    (site / name / "entry_points.txt").write_text("[polylane.languages]\n")
    languages.registered()
    assert asked == [languages.GROUP]


@pytest.mark.parametrize("kind", ["archive", "egg", "finder"])
def test_metadata_are_read_where_packages_are_no_folders(
    site: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """An archive, an egg, and a finder of somebody's own, may hold anything."""
    asked = _asked(monkeypatch)
    (site / "x.zip").touch()
    (site / "x.egg").mkdir()
    if kind == "finder":
        finder = type("Finder", (), {"find_spec": lambda *_: None, "find_distributions": list})
        monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, finder])
    else:
        end = {"archive": "zip", "egg": "egg"}[kind]
        monkeypatch.setattr(sys, "path", [*sys.path, str(site / f"x.{end}")])
    languages.registered()
    assert asked == [languages.GROUP]


def test_an_installed_package_changes_the_stamp(site: Path) -> None:
    """Folders of packages are stamped, missing ones and others are not."""
    before = languages.installed_stamp()
    assert [path for path, _ in before] == [str(site)]
    _install(site, "ada = one:A")
    assert languages.installed_stamp() != before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lacks a part of the protocol Language"),
        ("LANGUAGE = 3", "lacks a part of the protocol Language"),
        ("import gone_missing", "cannot be loaded: No module named 'gone_missing'"),
        ("1 / 0", "cannot be loaded: division by zero"),
        ("def", "cannot be loaded: "),
    ],
)
def test_a_plug_in_that_cannot_be_used_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    """It names the plug-in, and what to do."""
    name = tmp_path.name
    (tmp_path / f"{name}.py").write_text(text or "LANGUAGE = object()")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match=f"the language plug-in {name}:LANGUAGE {message}"):
        languages.load(f"{name}:LANGUAGE")


def test_a_plug_in_without_that_attribute_is_one_line() -> None:
    """Its entry point is wrong."""
    with pytest.raises(UserError, match="the language plug-in polylane:NOTHING cannot be loaded"):
        languages.load("polylane:NOTHING")


@pytest.mark.parametrize("target", languages.BUILT_IN.values())
def test_ours_satisfy_the_protocol(target: str) -> None:
    """And are loaded once."""
    assert isinstance(languages.load(target), Language)
    assert languages.load(target) is languages.load(target)


def test_the_attribute_may_be_left_out() -> None:
    """It is ``LANGUAGE`` then."""
    module = languages.BUILT_IN["python"].partition(":")[0]
    assert languages.load(module).name == "python"
