"""Which tasks changed files ask for, and what is left of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from polylane.describe.workspace import Workspace
from polylane.integrations import hook_files
from polylane.integrations.hook_files import HOOKS, Change, Narrowing, Owners, matches
from polylane.model import Claim, Project, Task

PYTHON = ("python",)
NODE = ("node",)


def workspace(*projects: Project) -> Workspace:
    return Workspace(Path("/w"), {project.name: project for project in projects})


def task(name: str, **said: object) -> Task:
    verb, project, tool = name.split(":", 2)
    base = Task(name, verb, project, "python", tool, (tool, "."), project, Claim(("**",)))
    return base._replace(**said)  # type: ignore[arg-type]


def narrow(
    hook: str, files: tuple[str, ...], tasks: list[Task], found: Workspace, **said: object
) -> dict[str, Task]:
    change = Change(files, said.pop("gone", ()))  # type: ignore[arg-type]
    narrowing = Narrowing(HOOKS[hook], change, **said)  # type: ignore[arg-type]
    return {each.id: each for each in narrowing(tasks, found)}


API = Project("api", "api", PYTHON)
WEB = Project("web", "web", NODE)


class TestOwners:
    """Which project a file belongs to."""

    def test_the_deepest_project_owns_a_file(self) -> None:
        """A project within a project has its own files, the other one the rest."""
        owners = Owners(workspace(API, Project("v2", "api/v2", PYTHON)))
        assert [owners.of("api/v2/a.py"), owners.of("api/v20/a.py")] == ["v2", "api"]

    def test_a_file_outside_every_project_is_the_roots(self) -> None:
        """With or without a project there: tasks can be of the root in any case."""
        assert Owners(workspace(API)).of("README.md") == "root"
        assert Owners(workspace(Project("root", "."))).of("README.md") == "root"


class TestWhole:
    """Tasks that cannot be given files."""

    def test_only_projects_with_changes_take_part(self) -> None:
        """A task of another project is left out."""
        tasks = [task("lint:api:x"), task("lint:web:x")]
        assert list(narrow("check", ("api/a.py",), tasks, workspace(API, WEB))) == ["lint:api:x"]

    def test_a_deleted_file_counts(self) -> None:
        """What is gone may be missed by a tool that looks at the whole project."""
        kept = narrow("check", (), [task("lint:api:x")], workspace(API), gone=("api/a.py",))
        assert kept["lint:api:x"].argv == ("x", ".")

    def test_needs_are_kept_as_they_are(self) -> None:
        """A task of an unchanged project runs, whole, where another needs it."""
        need = task("lint:web:x", file_endings=(".js",))
        tasks = [task("lint:api:x", needs=("lint:web:x",)), need]
        kept = narrow("check", ("api/a.py",), tasks, workspace(API, WEB))
        assert kept["lint:web:x"] == need

    def test_what_ran_already_does_not_run_again(self) -> None:
        """Ids that an earlier call of the same hook ran whole are left out, unless needed."""
        tasks = [task("lint:api:x"), task("lint:api:y", needs=("lint:api:z",)), task("lint:api:z")]
        done = frozenset({"lint:api:x", "lint:api:z"})
        kept = narrow("check", ("api/a.py",), tasks, workspace(API), done=done)
        assert set(kept) == {"lint:api:y", "lint:api:z"}

    def test_a_body_runs_for_what_it_says_it_reads(self) -> None:
        """A Python body's reads reach beyond its project."""
        body = task("lint:root:sql", argv=(), claim=Claim(("api/**/*.sql", "!api/old")))
        found = workspace(API)
        assert narrow("check", ("api/q.sql",), [body], found)
        assert not narrow("check", ("api/q.py",), [body], found)
        assert not narrow("check", ("api/old/q.sql",), [body], found)


class TestNarrowed:
    """Tasks that can be given files."""

    def test_files_stand_in_place_of_the_target(self) -> None:
        """Relative to the task's folder, and only those that it takes."""
        tasks = [task("lint:api:x", argv=("x", "--all", "."), file_endings=(".py",))]
        kept = narrow("check", ("api/a/b.py", "api/c.js", "web/d.py"), tasks, workspace(API, WEB))
        assert kept["lint:api:x"].argv == ("x", "--all", "a/b.py")

    def test_no_file_no_task(self) -> None:
        """A tool that takes none of the files does not run; gone files cannot be given."""
        tasks = [task("lint:api:x", file_endings=(".py",))]
        assert not narrow("check", ("api/a.js",), tasks, workspace(API), gone=("api/a.py",))

    def test_a_file_of_another_language_goes_to_the_project_around(self) -> None:
        """The root's tools check a Python file in a Node project, as they do when run whole."""
        root = Project("root", ".", PYTHON)
        tasks = [
            task("lint:root:x", cwd=".", file_endings=(".py",)),
            task("lint:root:whole", cwd="."),
        ]
        kept = narrow("check", ("web/tool.py",), tasks, workspace(root, WEB))
        assert [(t.id, t.argv) for t in kept.values()] == [("lint:root:x", ("x", "web/tool.py"))]

    def test_files_outside_the_target_are_left_out(self) -> None:
        """What the whole command would not look at, the narrowed one does not either."""
        tasks = [task("lint:api:x", argv=("x", "src"), file_endings=(".py",))]
        kept = narrow("check", ("api/src/a.py", "api/srcs/b.py"), tasks, workspace(API))
        assert kept["lint:api:x"].argv == ("x", "src/a.py")

    @pytest.mark.parametrize("name", ["-a.py", "@a.py", "!a.py", "+a.py", "(a).py"])
    def test_a_name_is_never_an_option(self, name: str) -> None:
        """Names with a first letter that means something to tools have a folder in front."""
        tasks = [task("lint:api:x", file_endings=(".py",))]
        kept = narrow("check", (f"api/{name}",), tasks, workspace(API))
        assert kept["lint:api:x"].argv == ("x", f"./{name}")

    def test_long_lists_are_cut(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each file is in one part, no part is too long, and who needs the task needs them all."""
        monkeypatch.setattr(hook_files, "NAMES_LIMIT", 14)
        files = tuple(f"api/file{n}.py" for n in range(3))
        tasks = [
            task("lint:api:x", file_endings=(".py",)),
            task("lint:api:y", needs=("lint:api:x",)),
        ]
        kept = narrow("check", files, tasks, workspace(API))
        assert [kept[f"lint:api:x{end}"].argv for end in (":1", ":2", "")] == [
            ("x", "file0.py"),
            ("x", "file1.py"),
            ("x", "file2.py"),
        ]
        assert kept["lint:api:y"].needs == ("lint:api:x:1", "lint:api:x:2", "lint:api:x")


class TestFix:
    """What mends."""

    def test_lint_runs_what_mends_and_nothing_else(self) -> None:
        """A check that cannot mend is left out, and the formatter's own check with it."""
        tasks = [
            task("lint:api:x", fix_argv=("x", "--fix", "."), file_endings=(".py",)),
            task("lint:api:y"),
            task("lint:api:z-check", argv=("z", "--check", "."), fix_argv=("z", ".")),
            task("format:api:z", argv=("z", ".")),
        ]
        kept = narrow("fix", ("api/a.py",), tasks, workspace(API))
        assert {t.id: t.argv for t in kept.values()} == {
            "lint:api:x": ("x", "--fix", "a.py"),
            "format:api:z": ("z", "."),
        }

    def test_mending_writes(self) -> None:
        """The claim of a check says that it writes nothing; as a fix it writes its files."""
        fix = {"fix_argv": ("x", "--fix", ".")}
        narrowed = [task("lint:api:x", file_endings=(".py",), **fix)]
        kept = narrow("fix", ("api/[a].py",), narrowed, workspace(API))
        assert matches("api/[a].py", kept["lint:api:x"].claim.writes)
        kept = narrow("fix", ("api/a.py",), [task("lint:api:x", **fix)], workspace(API))
        assert kept["lint:api:x"].claim.writes == ("api/**",)


class TestPush:
    """Changed projects and those that depend on them."""

    APP = Project("app", "app", PYTHON, ("lib",))
    LIB = Project("lib", "lib", PYTHON, ("api",))

    def test_dependents_take_part(self) -> None:
        """Near and far ones, but not what the changed project depends on itself."""
        tasks = [task(f"test-unit:{name}:x") for name in ("api", "lib", "app")]
        kept = narrow("push", ("lib/a.py",), tasks, workspace(API, self.LIB, self.APP))
        assert set(kept) == {"test-unit:lib:x", "test-unit:app:x"}

    def test_files_never_narrow_it(self) -> None:
        """A test may fail because of any file."""
        tasks = [task("test-unit:api:x", file_endings=(".py",))]
        kept = narrow("push", ("api/a.py",), tasks, workspace(API))
        assert kept["test-unit:api:x"].argv == ("x", ".")

    def test_a_manifest_that_is_gone_concerns_all(self) -> None:
        """Who depended on the project that is no more cannot be found."""
        tasks = [task("test-unit:api:x"), task("test-unit:web:x")]
        found = workspace(API, WEB)
        manifests = frozenset({"pyproject.toml"})
        for gone, count in (("old/pyproject.toml", 2), ("old/a.py", 0)):
            kept = narrow("push", (), tasks, found, gone=(gone,), manifests=manifests)
            assert len(kept) == count
