import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { commit, recover } from "../../src/commit.js";

let folder: string;
let first: string;
let second: string;
let journal: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "commit-"));
  [first, second, journal] = [
    join(folder, "first"),
    join(folder, "second"),
    join(folder, "journal"),
  ];
  await writeFile(first, "old");
});

afterEach(() => rm(folder, { recursive: true }));

/** A commit that ends between its two files, because the folder of the second is not there. */
async function interruptCommit(): Promise<void> {
  const replacements = [
    { path: first, before: "old", after: "new" },
    { path: join(folder, "later", "second"), before: null, after: "new" },
  ];
  await expect(commit(replacements, journal)).rejects.toThrow("ENOENT");
  expect(await readFile(first, "utf8")).toBe("new");
  await mkdir(join(folder, "later"));
}

describe("commit", () => {
  it("replaces and creates files, and leaves nothing else behind", async () => {
    await commit(
      [
        { path: first, before: "old", after: "new" },
        { path: second, before: null, after: "new" },
      ],
      journal,
    );

    expect(await readdir(folder)).toEqual(["first", "second"]);
    expect(await readFile(first, "utf8")).toBe("new");
    expect(await readFile(second, "utf8")).toBe("new");
  });

  it("changes no file if one was edited since it was read", async () => {
    await writeFile(second, "edited");

    await expect(
      commit(
        [
          { path: first, before: "old", after: "new" },
          { path: second, before: "read", after: "new" },
        ],
        journal,
      ),
    ).rejects.toThrow(`${second}: changed while the sync was planned; run it again`);
    expect(await readFile(first, "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["first", "second"]);
  });

  it("refuses to start while another is under way", async () => {
    await writeFile(journal, "[]");

    await expect(commit([{ path: first, before: "old", after: "new" }], journal)).rejects.toThrow(
      "another sync is under way",
    );
    expect(await readFile(first, "utf8")).toBe("old");
    expect(await readFile(journal, "utf8")).toBe("[]");
  });
});

describe("recover", () => {
  it("has nothing to do after a commit that ended", async () => {
    expect(await recover(journal)).toBe(false);
  });

  it("completes a commit that ended between two files", async () => {
    await interruptCommit();

    expect(await recover(journal)).toBe(true);
    expect(await readFile(join(folder, "later", "second"), "utf8")).toBe("new");
    expect(await readdir(folder)).toEqual(["first", "later"]);
  });

  it("completes a commit that ended before its first file", async () => {
    await interruptCommit();
    await writeFile(first, "old");

    expect(await recover(journal)).toBe(true);
    expect(await readFile(first, "utf8")).toBe("new");
  });

  it("does not overwrite what was edited in between", async () => {
    await interruptCommit();
    await writeFile(first, "edited");

    await expect(recover(journal)).rejects.toThrow(`${first}: edited after an interrupted sync`);
    expect(await readFile(first, "utf8")).toBe("edited");
    expect(await readdir(folder)).toEqual(["first", "journal", "later"]);
  });
});
