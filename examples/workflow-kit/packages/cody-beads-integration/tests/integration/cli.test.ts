/** Runs the built program, `dist/cli.js`, as its users do. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const program = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cody-beads-"));
  write("cody.json", [item("C-1", "Crash on start", "backlog")]);
  write("issues.jsonl", issue("bd-1", "Slow search", "open"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function item(id: string, name: string, stage: string) {
  const modified = "2026-01-01T00:00:00.000Z";
  return { id, name, notes: "", stage, urgency: "normal", tags: [], owner: null, modified };
}

function issue(id: string, title: string, status: string) {
  const at = "2026-01-01T00:00:00Z";
  return { id, title, status, priority: 2, issue_type: "bug", created_at: at, updated_at: at };
}

function write(name: string, value: unknown): void {
  writeFileSync(join(folder, name), JSON.stringify(value));
}

function read(name: string): string {
  return readFileSync(join(folder, name), "utf8");
}

function run(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], {
    cwd: folder,
    encoding: "utf8",
    timeout: 30_000,
  });
  return { status, stdout, stderr };
}

function sync(...words: string[]) {
  return run("--cody", "cody.json", "--beads", "issues.jsonl", ...words);
}

describe("cody-beads", () => {
  it("creates on each side what only the other has, and then has nothing to do", () => {
    expect(sync()).toEqual({
      status: 0,
      stdout:
        'create beads bd-2 from C-1: "Crash on start"\n' +
        'create cody C-2 from bd-1: "Slow search"\n' +
        "2 changes, 0 conflicts\n",
      stderr: "",
    });
    expect(readdirSync(folder)).toEqual(["cody-beads.json", "cody.json", "issues.jsonl"]);

    const before = [read("cody.json"), read("issues.jsonl"), read("cody-beads.json")];
    expect(sync().stdout).toBe("0 changes, 0 conflicts\n");
    expect([read("cody.json"), read("issues.jsonl"), read("cody-beads.json")]).toEqual(before);
  });

  it("carries an edit over, and a deletion", () => {
    sync();
    write("cody.json", [item("C-1", "Crash on start", "shipped")]);

    expect(sync().stdout).toBe(
      "update beads bd-2: status\ndelete beads bd-1\n2 changes, 0 conflicts\n",
    );
    expect(JSON.parse(read("issues.jsonl"))).toMatchObject({ id: "bd-2", status: "closed" });
  });

  it("writes nothing in a dry run", () => {
    const before = [read("cody.json"), read("issues.jsonl")];

    expect(sync("--dry-run").stdout).toContain("2 changes, 0 conflicts; dry run, nothing written");
    expect([read("cody.json"), read("issues.jsonl")]).toEqual(before);
    expect(readdirSync(folder)).toEqual(["cody.json", "issues.jsonl"]);
  });

  it("reports a conflict by exit code 1, and settles it by a strategy", () => {
    sync();
    write("cody.json", [item("C-1", "Crash", "backlog"), item("C-2", "Slow search", "backlog")]);
    writeFileSync(
      join(folder, "issues.jsonl"),
      [issue("bd-1", "Slow search", "open"), issue("bd-2", "Crash on Windows", "open")]
        .map((each) => JSON.stringify(each))
        .join("\n"),
    );

    expect(sync()).toMatchObject({
      status: 1,
      stdout:
        "conflict C-1 bd-2: both changed title; choose a side by --strategy\n" +
        "0 changes, 1 conflict\n",
    });
    expect(sync("--strategy", "beads")).toMatchObject({
      status: 0,
      stdout: "update cody C-1: title\n1 change, 0 conflicts\n",
    });
  });

  it("completes an interrupted sync before its own", () => {
    rmSync(join(folder, "issues.jsonl"));
    const after = `${JSON.stringify(issue("bd-5", "Crash on start", "open"))}\n`;
    const path = join(folder, "issues.jsonl");
    write("cody-beads.json.journal", [{ path, beforeHash: null, after }]);

    expect(sync("--dry-run")).toMatchObject({ status: 2 });
    expect(sync()).toMatchObject({ status: 0, stdout: "0 changes, 0 conflicts\n" });
    expect(JSON.parse(read("cody-beads.json"))).toMatchObject({
      links: [{ cody: "C-1", beads: "bd-5" }],
    });
  });

  it.each([
    { words: [], message: "cody-beads: --cody and --beads are needed; see --help\n" },
    {
      words: ["--cody", "absent.json", "--beads", "issues.jsonl"],
      message: "cody-beads: absent.json: no such file; create it, or correct --cody\n",
    },
    {
      words: ["--cody", "cody.json", "--beads", "issues.jsonl", "--strategy", "oldest"],
      message:
        'cody-beads: --strategy: got "oldest", expected one of manual, cody, beads, newest\n',
    },
  ])("ends with 2 and one line on bad usage: $message", ({ words, message }) => {
    expect(run(...words)).toEqual({ status: 2, stdout: "", stderr: message });
  });

  it("ends with 2 on an option that it does not know", () => {
    const { status, stderr } = sync("--force");

    expect(status).toBe(2);
    expect(stderr).toMatch(/^cody-beads: Unknown option '--force'/);
  });

  it("prints its usage", () => {
    expect(run("--help")).toMatchObject({ status: 0, stderr: "" });
  });
});
