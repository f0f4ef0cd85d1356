/** Joins the parts: read, plan, apply, commit. */

import { resolve } from "node:path";
import { applySteps } from "./apply.js";
import { beads } from "./beads.js";
import { cody } from "./cody.js";
import { commit, readIfExists, recover } from "./commit.js";
import { UserError } from "./errors.js";
import { makePlan, type Plan, type Snapshot, type Strategy } from "./plan.js";
import { formatState, parseState } from "./state.js";
import type { Tracker } from "./tracker.js";

export interface SyncOptions {
  /** Path of Cody's items, a JSON array. */
  readonly cody: string;
  /** Path of Beads' issues, JSON lines. */
  readonly beads: string;
  /** Path of the file that remembers the links; it need not exist. */
  readonly state: string;
  readonly strategy: Strategy;
  /** Plan only; write nothing. */
  readonly dryRun: boolean;
  /** What new and changed issues are dated with: ISO 8601 in UTC. */
  readonly now: string;
}

/**
 * Makes both trackers say the same, as far as they don't conflict.
 *
 * @returns what was done, or, in a dry run, what would be
 * @throws {@link UserError} if a file is missing, malformed, or edited while the sync runs
 */
export async function sync(options: SyncOptions): Promise<Plan> {
  const journal = `${options.state}.journal`;
  if (!options.dryRun) {
    await recover(journal);
  } else if ((await readIfExists(journal)) !== null) {
    throw new UserError(`${journal}: an interrupted sync; run without --dry-run to complete it`);
  }

  const codyFile = await readTracker(cody, options.cody);
  const beadsFile = await readTracker(beads, options.beads);
  const stateText = await readIfExists(options.state);
  const links = stateText === null ? [] : parseState(stateText, options.state);

  const plan = makePlan(
    { cody: snapshot(cody, codyFile.items), beads: snapshot(beads, beadsFile.items), links },
    options.strategy,
  );
  if (options.dryRun) return plan;

  const replacements = [
    { ...codyFile, after: rewrite(cody, codyFile, plan, options.now) },
    { ...beadsFile, after: rewrite(beads, beadsFile, plan, options.now) },
    { path: resolve(options.state), before: stateText, after: formatState(plan.links) },
  ].filter(({ before, after }) => before !== after);
  if (replacements.length > 0) await commit(replacements, journal);
  return plan;
}

interface TrackerFile<Item> {
  readonly path: string;
  readonly before: string;
  readonly items: readonly Item[];
}

async function readTracker<Item extends { readonly id: string }>(
  tracker: Tracker<Item>,
  path: string,
): Promise<TrackerFile<Item>> {
  const before = await readIfExists(path);
  if (before === null)
    throw new UserError(`${path}: no such file; create it, or correct --${tracker.side}`);
  return { path: resolve(path), before, items: tracker.parse(before, path) };
}

function snapshot<Item extends { readonly id: string }>(
  tracker: Tracker<Item>,
  items: readonly Item[],
): Snapshot {
  const entries = items.map(
    (item) =>
      [item.id, { fields: tracker.fields(item), modified: tracker.modified(item) }] as const,
  );
  return { entries: new Map(entries), nextId: (taken) => tracker.nextId(taken) };
}

/** The file's new text. A file in which nothing changes keeps its bytes, however it is formatted. */
function rewrite<Item extends { readonly id: string }>(
  tracker: Tracker<Item>,
  { before, items }: TrackerFile<Item>,
  { steps }: Plan,
  now: string,
): string {
  if (!steps.some((step) => step.on === tracker.side)) return before;
  return tracker.format(applySteps(tracker, items, steps, now));
}
