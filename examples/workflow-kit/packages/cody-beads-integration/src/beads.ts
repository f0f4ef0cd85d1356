/** Beads: issues of a git-backed tracker, one JSON object a line (`.beads/issues.jsonl`). */

import { z } from "zod";
import { normalizeLabels, type Change, type Fields, type Priority, type Status } from "./fields.js";
import { invert, nextNumberedId, parseJson, requireUniqueIds, type Tracker } from "./tracker.js";

const knownKeys = z.object({
  id: z.string().regex(/^[a-z]+-[a-z0-9.]+$/, 'expected an id such as "bd-12"'),
  title: z.string().min(1),
  description: z.string().optional(),
  status: z.enum(["open", "in_progress", "blocked", "closed"]),
  priority: z.int().min(0).max(4),
  issue_type: z.string(),
  labels: z.array(z.string()).optional(),
  assignee: z.string().optional(),
  created_at: z.iso.datetime({ offset: true }),
  updated_at: z.iso.datetime({ offset: true }),
  closed_at: z.iso.datetime({ offset: true }).optional(),
});

/** Keys that Beads has and the sync does not know are kept. */
const beadsIssue = knownKeys.loose();

export type BeadsIssue = z.infer<typeof beadsIssue>;

const statusOf = {
  open: "open",
  in_progress: "active",
  blocked: "blocked",
  closed: "done",
} as const satisfies Record<BeadsIssue["status"], Status>;

const nativeStatusOf = invert(statusOf);

/** By Beads' number: 0 is the most urgent. 3 and 4 are both "low", and 3 is what "low" becomes. */
const priorityOf: readonly Priority[] = ["critical", "high", "normal", "low", "low"];

export const beads: Tracker<BeadsIssue> = {
  side: "beads",

  parse: (text, file) => {
    const issues = text.split("\n").flatMap((line, index) => {
      if (line.trim() === "") return [];
      return [parseJson(beadsIssue, line, `${file}:${index + 1}`)];
    });
    return requireUniqueIds(issues, file);
  },

  format: (issues) => issues.map((issue) => `${JSON.stringify(issue)}\n`).join(""),

  fields: (issue): Fields => ({
    title: issue.title,
    body: issue.description ?? "",
    status: statusOf[issue.status],
    priority: priorityOf[issue.priority] ?? "low",
    labels: normalizeLabels(issue.labels ?? []),
    assignee: issue.assignee ?? null,
  }),

  modified: (issue) => new Date(issue.updated_at).toISOString(),

  create: (id, fields, now) => ({
    id,
    ...values(fields, now),
    issue_type: "task",
    created_at: now,
    updated_at: now,
  }),

  update: (issue, change, now) => {
    const updated = { ...issue, ...values(change, now), updated_at: now };
    if (change.assignee === null) delete updated.assignee;
    if (change.status !== undefined && change.status !== "done") delete updated.closed_at;
    return updated;
  },

  nextId: (taken) => nextNumberedId("bd-", taken),
};

type Values = Omit<z.infer<typeof knownKeys>, "id" | "issue_type" | "created_at" | "updated_at">;

function values(fields: Fields, now: string): Values;
function values(change: Change, now: string): Partial<Values>;
function values(change: Change, now: string): Partial<Values> {
  return {
    ...(change.title !== undefined && { title: change.title }),
    ...(change.body !== undefined && { description: change.body }),
    ...(change.status !== undefined && { status: nativeStatusOf[change.status] }),
    ...(change.status === "done" && { closed_at: now }),
    ...(change.priority !== undefined && { priority: priorityOf.indexOf(change.priority) }),
    ...(change.labels !== undefined && { labels: [...change.labels] }),
    ...(typeof change.assignee === "string" && { assignee: change.assignee }),
  };
}
