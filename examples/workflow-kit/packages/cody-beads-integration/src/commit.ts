/**
 * Replaces several files as one. Knows nothing of what is in them.
 *
 * A rename replaces one file atomically, but a sync writes three. So the new contents go into a
 * journal first, and the moment at which the journal gets its name is the commit: a process that
 * dies before it has changed nothing, and one that dies after it is completed by the next.
 *
 * Each entry also holds the hash of what it replaces. A file that has neither its old nor its new
 * contents was edited by somebody else, and is not overwritten.
 */

import { createHash } from "node:crypto";
import { link, open, readFile, rename, rm } from "node:fs/promises";
import { z } from "zod";
import { UserError } from "./errors.js";
import { parseJson } from "./tracker.js";

export interface Replacement {
  /** Absolute, so that a sync that is started in another folder can complete it. */
  readonly path: string;
  /** The contents that were read; `null` if there was no file. */
  readonly before: string | null;
  readonly after: string;
}

const journalSchema = z.array(
  z.object({ path: z.string(), beforeHash: z.string().nullable(), after: z.string() }),
);

type Journal = z.infer<typeof journalSchema>;

/**
 * Replaces all of the files, or none.
 *
 * @throws {@link UserError} if a file changed since it was read, or another commit is under way
 */
export async function commit(replacements: readonly Replacement[], journal: string): Promise<void> {
  const entries = replacements.map(({ path, before, after }) => ({
    path,
    beforeHash: before === null ? null : hash(before),
    after,
  }));
  await claimJournal(journal, JSON.stringify(entries));
  const edited = await findEdited(entries);
  if (edited !== null) {
    await rm(journal, { force: true });
    throw new UserError(`${edited}: changed while the sync was planned; run it again`);
  }
  await replaceAll(entries, journal);
}

/**
 * Completes a commit that was interrupted, if there is one.
 *
 * @returns whether there was one
 * @throws {@link UserError} if one of its files was edited since
 */
export async function recover(journal: string): Promise<boolean> {
  const text = await readIfExists(journal);
  if (text === null) return false;
  const entries = parseJson(journalSchema, text, journal);
  const edited = await findEdited(entries);
  if (edited !== null) {
    throw new UserError(
      `${edited}: edited after an interrupted sync; take over what you need from ${journal} and delete that`,
    );
  }
  await replaceAll(entries, journal);
  return true;
}

export async function readIfExists(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    throw error;
  }
}

/** A link, unlike a rename, fails if the name is taken: two commits cannot both get it. */
async function claimJournal(journal: string, text: string): Promise<void> {
  const temporary = await writeTemporary(journal, text);
  try {
    await link(temporary, journal);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
    throw new UserError(`${journal}: another sync is under way; run this one again`);
  } finally {
    await rm(temporary);
  }
}

async function findEdited(entries: Journal): Promise<string | null> {
  for (const { path, beforeHash, after } of entries) {
    const current = await readIfExists(path);
    const currentHash = current === null ? null : hash(current);
    if (currentHash !== beforeHash && currentHash !== hash(after)) return path;
  }
  return null;
}

async function replaceAll(entries: Journal, journal: string): Promise<void> {
  for (const { path, after } of entries) {
    await rename(await writeTemporary(path, after), path);
  }
  await rm(journal, { force: true });
}

/** Writes beside the target, as a rename cannot cross file systems, and flushes to the disk. */
async function writeTemporary(target: string, text: string): Promise<string> {
  const path = `${target}.${process.pid}.tmp`;
  const file = await open(path, "w");
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  return path;
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
