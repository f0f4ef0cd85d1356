/** Small issues for tests; each test says only what matters to it. */

import type { BeadsIssue, CodyItem, Fields, Link, Situation } from "../../src/index.js";
import { nextNumberedId } from "../../src/tracker.js";

export const earlier = "2026-01-01T00:00:00.000Z";
export const later = "2026-02-02T00:00:00.000Z";

export function fields(some: Partial<Fields> = {}): Fields {
  return {
    title: "Crash on start",
    body: "",
    status: "open",
    priority: "normal",
    labels: [],
    assignee: null,
    ...some,
  };
}

export function codyItem(some: Partial<CodyItem> = {}): CodyItem {
  return {
    id: "C-1",
    name: "Crash on start",
    notes: "",
    stage: "backlog",
    urgency: "normal",
    tags: [],
    owner: null,
    modified: earlier,
    ...some,
  };
}

export function beadsIssue(some: Partial<BeadsIssue> = {}): BeadsIssue {
  return {
    id: "bd-1",
    title: "Crash on start",
    status: "open",
    priority: 2,
    issue_type: "bug",
    created_at: earlier,
    updated_at: earlier,
    ...some,
  };
}

type Entries = Record<string, Fields & { modified?: string }>;

/** What the planner sees: issues by id, as old as {@link earlier} unless they say otherwise. */
export function situation(cody: Entries, beads: Entries, links: Link[] = []): Situation {
  return { cody: snapshot("C-", cody), beads: snapshot("bd-", beads), links };
}

function snapshot(prefix: string, issues: Entries) {
  const entries = Object.entries(issues).map(
    ([id, { modified = earlier, ...rest }]) => [id, { fields: rest, modified }] as const,
  );
  return {
    entries: new Map(entries),
    nextId: (taken: Iterable<string>) => nextNumberedId(prefix, taken),
  };
}
