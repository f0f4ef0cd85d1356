"""Which projects depend on which, and what the configuration says of them."""

from __future__ import annotations

import pytest

from polylane.errors import UserError
from tests.describe.toys import Yard, register, yard

__all__ = ["yard"]


def test_projects_depend_on_those_that_provide_what_they_require(yard: Yard) -> None:
    """Of the same language, directly; what nobody provides, and itself, is left out."""
    yard.write("app/toy.txt", "app lib left-pad app")
    yard.write("lib/toy.txt", "lib base")
    yard.write("base/toy.txt", "base")
    found = yard.find()
    assert {name: p.depends for name, p in found.projects.items()} == {
        "app": ("lib",),
        "base": (),
        "lib": ("base",),
    }
    assert found.depends_on("app") == ["base", "lib"]


def test_dependencies_in_a_circle_end(yard: Yard) -> None:
    """Each depends on all others, and not on itself."""
    yard.write("a/toy.txt", "a b")
    yard.write("b/toy.txt", "b c")
    yard.write("c/toy.txt", "c a")
    assert yard.find().depends_on("a") == ["b", "c"]


def test_a_folder_may_be_a_project_of_several_languages(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of the languages; each only meets its own kind."""
    register(monkeypatch, "BRICK", "TOY")
    yard.write("a/toy.txt", "same")
    yard.write("a/brick.txt", "wall")
    yard.write("b/brick.txt", "house same wall")
    found = yard.find()
    assert found.projects["a"].languages == ("brick", "toy")
    assert found.projects["b"].languages == ("brick",)
    assert found.projects["b"].depends == ("a",)
    assert found.recipes("a", "toy")[0].tool == "check"


def test_the_configuration_renames_excludes_and_adds_projects(yard: Yard) -> None:
    """A name for a folder that was found, one for a folder that was not, one less."""
    yard.toys("services/api", "examples/x", "examples-not", "core")
    yard.write("scripts/run.sh")
    yard.write(
        "polylane.toml",
        """
exclude = ["examples"]
[projects.backend]
path = "services/api"
depends = ["core", "tools"]
[projects.tools]
path = "scripts"
language = "toy"
""",
    )
    found = yard.find()
    assert {name: p.path for name, p in found.projects.items()} == {
        "core": "core",
        "examples-not": "examples-not",
        "tools": "scripts",
        "backend": "services/api",
    }
    assert found.projects["backend"].depends == ("core", "tools")
    assert found.projects["tools"].languages == ("toy",)


def test_a_project_is_configured_by_the_name_that_it_was_found_by(yard: Yard) -> None:
    """Without a path the name says which."""
    yard.toys("a/api", "b/api")
    yard.write("polylane.toml", '[projects."a/api"]\ndepends = ["b/api"]\n')
    assert yard.find().projects["a/api"].depends == ("b/api",)


def test_a_name_that_the_configuration_gives_is_nobody_elses(yard: Yard) -> None:
    """A folder that would be called the same is called by its path, or marked."""
    yard.toys("x/a", "a", "y/b")
    yard.write("polylane.toml", '[projects.a]\npath = "x/a"\n[projects.b]\npath = "x/a/.."\n')
    assert yard.names() == {"./a": "a", "b": "x", "a": "x/a", "y/b": "y/b"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[projects.api]\npath = "nowhere"',
            (
                "polylane.toml:2: projects.api.path = 'nowhere': is no folder of the workspace;"
                " paths are relative to the workspace"
            ),
        ),
        (
            "[projects.cor]",
            (
                "polylane.toml:1: projects.cor: no project 'cor' was found;"
                " did you mean 'core'?; give its path to add it"
            ),
        ),
        (
            '[projects.core]\ndepends = ["apy"]',
            (
                "polylane.toml:2: projects.core.depends: there is no project 'apy';"
                " did you mean 'api'?"
            ),
        ),
        (
            '[projects.core]\ndepends = ["zzz"]',
            (
                "polylane.toml:2: projects.core.depends: there is no project 'zzz';"
                " projects: api, core"
            ),
        ),
        (
            '[projects.core]\nlanguage = "toi"',
            (
                "polylane.toml:2: projects.core.language = 'toi': there is no such language;"
                " did you mean 'toy'?"
            ),
        ),
        (
            '[projects.x]\npath = "core"\n[projects.y]\npath = "core"',
            "polylane.toml:3: projects.y: is core, as the project 'x' is; remove one of them",
        ),
        (
            '[projects.x]\npath = "out"',
            (
                "polylane.toml:2: projects.x.path = 'out': leads out of the workspace, to {home};"
                " name a folder inside"
            ),
        ),
    ],
)
def test_a_configured_project_that_cannot_be_is_one_line(
    yard: Yard, text: str, message: str
) -> None:
    """The line says where, which value, and how to mend it."""
    yard.toys("core", "api")
    home = yard.folder.with_name("home")
    (yard.folder / "out").symlink_to(home)
    yard.write("polylane.toml", text)
    with pytest.raises(UserError) as caught:
        yard.find()
    assert str(caught.value) == message.replace("{home}", str(home.resolve()))


def test_unknown_projects_are_listed_up_to_a_few(yard: Yard) -> None:
    """A message stays short in a workspace of many projects."""
    yard.toys(*(f"p{i}" for i in range(9)))
    with pytest.raises(UserError) as caught:
        yard.find().project("zzz")
    assert str(caught.value) == (
        "there is no project 'zzz'; projects: p0, p1, p2, p3, p4, p5, p6, p7, ..."
    )


def test_a_workspace_without_projects_says_so(yard: Yard) -> None:
    """There is nothing to list."""
    with pytest.raises(UserError, match="no project 'a'; there are no projects"):
        yard.find().project("a")
