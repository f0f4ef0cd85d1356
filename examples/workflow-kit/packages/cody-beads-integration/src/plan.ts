/**
 * Decides what a sync changes. Pure: it reads no file, no clock, and changes nothing.
 *
 * Each pair of issues is compared with the fields on which the last sync left it (the base), so
 * that an edit is told from an old value and a deletion from an issue that is new on the other side.
 */

import {
  difference,
  isSame,
  merge,
  otherSide,
  type Change,
  type FieldName,
  type Fields,
  type Side,
} from "./fields.js";

/** What to do where both sides changed the same thing: leave it alone, or let one side win. */
export const strategies = ["manual", "cody", "beads", "newest"] as const;
export type Strategy = (typeof strategies)[number];

/** Two issues that are one, and the fields on which the last sync left both. */
export interface Link {
  readonly cody: string;
  readonly beads: string;
  readonly base: Fields;
}

/** An issue as the planner sees it. */
export interface Entry {
  readonly fields: Fields;
  /** ISO 8601 in UTC; the `newest` strategy compares it. */
  readonly modified: string;
}

/** A tracker's issues by id. */
export interface Snapshot {
  readonly entries: ReadonlyMap<string, Entry>;
  nextId(taken: Iterable<string>): string;
}

export type Step =
  | {
      readonly kind: "create";
      readonly on: Side;
      readonly id: string;
      readonly from: string;
      readonly fields: Fields;
    }
  | { readonly kind: "update"; readonly on: Side; readonly id: string; readonly change: Change }
  | { readonly kind: "delete"; readonly on: Side; readonly id: string };

export interface Conflict {
  readonly cody: string;
  readonly beads: string;
  /** The fields that both changed, or the side that deleted what the other changed. */
  readonly over: readonly FieldName[] | { readonly deletedOn: Side };
}

export interface Plan {
  readonly steps: readonly Step[];
  readonly conflicts: readonly Conflict[];
  /** The links once the steps are applied. */
  readonly links: readonly Link[];
}

export interface Situation {
  readonly cody: Snapshot;
  readonly beads: Snapshot;
  readonly links: readonly Link[];
}

export function makePlan(situation: Situation, strategy: Strategy): Plan {
  const planner = new Planner(situation, strategy);
  for (const link of situation.links) planner.planLink(link);
  for (const [codyId, beadsId] of twins(situation)) planner.planPair(codyId, beadsId, null);
  planner.planNew("cody");
  planner.planNew("beads");
  const { steps, conflicts, links } = planner;
  return { steps, conflicts, links };
}

/** Unlinked issues whose title occurs once on each side: the same issue, entered in both trackers. */
function twins({ cody, beads, links }: Situation): [codyId: string, beadsId: string][] {
  const beadsByTitle = idsByTitle(beads, new Set(links.map((link) => link.beads)));
  const codyByTitle = idsByTitle(cody, new Set(links.map((link) => link.cody)));
  return [...codyByTitle].flatMap(([title, [codyId, ...moreCody]]) => {
    const [beadsId, ...moreBeads] = beadsByTitle.get(title) ?? [];
    if (codyId === undefined || beadsId === undefined) return [];
    return moreCody.length + moreBeads.length > 0 ? [] : [[codyId, beadsId]];
  });
}

function idsByTitle(snapshot: Snapshot, linked: ReadonlySet<string>): Map<string, string[]> {
  const ids = new Map<string, string[]>();
  for (const [id, { fields }] of snapshot.entries) {
    if (linked.has(id)) continue;
    const title = fields.title.trim().toLowerCase();
    ids.set(title, [...(ids.get(title) ?? []), id]);
  }
  return ids;
}

class Planner {
  readonly steps: Step[] = [];
  readonly conflicts: Conflict[] = [];
  readonly links: Link[] = [];
  /** Issues that are dealt with: what is left in the end is new. */
  readonly #seen = { cody: new Set<string>(), beads: new Set<string>() };
  /** Ids that no new issue may get: those in use, and those that a link remembers. */
  readonly #taken: Record<Side, Set<string>>;

  constructor(
    private readonly situation: Situation,
    private readonly strategy: Strategy,
  ) {
    this.#taken = {
      cody: new Set([...situation.cody.entries.keys(), ...situation.links.map((l) => l.cody)]),
      beads: new Set([...situation.beads.entries.keys(), ...situation.links.map((l) => l.beads)]),
    };
  }

  planLink(link: Link): void {
    const onCody = this.situation.cody.entries.has(link.cody);
    const onBeads = this.situation.beads.entries.has(link.beads);
    if (onCody && onBeads) this.planPair(link.cody, link.beads, link);
    else if (onCody) this.#planDeleted(link, "beads");
    else if (onBeads) this.#planDeleted(link, "cody");
    // Deleted on both sides: nothing to do, and nothing to remember.
  }

  /** Plans two issues that exist; without a link they have no base, so every difference conflicts. */
  planPair(codyId: string, beadsId: string, link: Link | null): void {
    this.#seen.cody.add(codyId);
    this.#seen.beads.add(beadsId);
    const codyEntry = this.#entry("cody", codyId);
    const beadsEntry = this.#entry("beads", beadsId);
    const versions = { base: link?.base ?? null, cody: codyEntry.fields, beads: beadsEntry.fields };
    const { merged, conflicts } = merge(versions, this.#preferred(codyEntry, beadsEntry));

    if (conflicts.length > 0 && this.strategy === "manual") {
      this.conflicts.push({ cody: codyId, beads: beadsId, over: conflicts });
      if (link) this.links.push(link);
      return;
    }
    this.#planUpdate("cody", codyId, difference(codyEntry.fields, merged));
    this.#planUpdate("beads", beadsId, difference(beadsEntry.fields, merged));
    this.links.push({ cody: codyId, beads: beadsId, base: merged });
  }

  /** Plans the creation, on the other side, of what nothing else dealt with. */
  planNew(side: Side): void {
    for (const [id, { fields }] of this.situation[side].entries) {
      if (!this.#seen[side].has(id)) this.#planCreate(otherSide(side), id, fields);
    }
  }

  #planDeleted(link: Link, deletedOn: Side): void {
    const left = otherSide(deletedOn);
    const id = link[left];
    this.#seen[left].add(id);
    const { fields } = this.#entry(left, id);

    if (isSame(fields, link.base) || this.strategy === deletedOn) {
      this.steps.push({ kind: "delete", on: left, id });
    } else if (this.strategy === "manual") {
      this.conflicts.push({ cody: link.cody, beads: link.beads, over: { deletedOn } });
      this.links.push(link);
    } else {
      // "newest" too: a deletion has no time, so what somebody still edits is kept.
      this.#planCreate(deletedOn, id, fields);
    }
  }

  #planCreate(on: Side, from: string, fields: Fields): void {
    const id = this.situation[on].nextId(this.#taken[on]);
    this.#taken[on].add(id);
    this.steps.push({ kind: "create", on, id, from, fields });
    this.links.push(
      on === "cody"
        ? { cody: id, beads: from, base: fields }
        : { cody: from, beads: id, base: fields },
    );
  }

  #planUpdate(on: Side, id: string, change: Change): void {
    if (Object.keys(change).length > 0) this.steps.push({ kind: "update", on, id, change });
  }

  /** Whose value a conflicting field gets; of equally new ones, Cody's. */
  #preferred(codyEntry: Entry, beadsEntry: Entry): Side {
    if (this.strategy === "newest") {
      return beadsEntry.modified > codyEntry.modified ? "beads" : "cody";
    }
    return this.strategy === "beads" ? "beads" : "cody";
  }

  #entry(side: Side, id: string): Entry {
    const entry = this.situation[side].entries.get(id);
    if (!entry) throw new Error(`BUG: ${side} has no ${id}`);
    return entry;
  }
}
