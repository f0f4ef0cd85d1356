/** Cody: items of a project plan, in one JSON array. */

import { z } from "zod";
import { normalizeLabels, type Change, type Fields, type Status } from "./fields.js";
import { invert, nextNumberedId, parseJson, requireUniqueIds, type Tracker } from "./tracker.js";

const knownKeys = z.object({
  id: z.string().regex(/^C-\d+$/, 'expected an id such as "C-12"'),
  name: z.string().min(1),
  notes: z.string(),
  stage: z.enum(["backlog", "doing", "waiting", "shipped"]),
  urgency: z.enum(["low", "normal", "high", "critical"]),
  tags: z.array(z.string()),
  owner: z.string().nullable(),
  modified: z.iso.datetime(),
});

/** Keys that Cody has and the sync does not know are kept. */
const codyItem = knownKeys.loose();

export type CodyItem = z.infer<typeof codyItem>;

const statusOf = {
  backlog: "open",
  doing: "active",
  waiting: "blocked",
  shipped: "done",
} as const satisfies Record<CodyItem["stage"], Status>;

const stageOf = invert(statusOf);

export const cody: Tracker<CodyItem> = {
  side: "cody",

  parse: (text, file) => requireUniqueIds(parseJson(z.array(codyItem), text, file), file),

  format: (items) => `${JSON.stringify(items, null, 2)}\n`,

  fields: (item): Fields => ({
    title: item.name,
    body: item.notes,
    status: statusOf[item.stage],
    priority: item.urgency,
    labels: normalizeLabels(item.tags),
    assignee: item.owner,
  }),

  modified: (item) => item.modified,

  create: (id, fields, now) => ({ id, ...values(fields), modified: now }),

  update: (item, change, now) => ({ ...item, ...values(change), modified: now }),

  nextId: (taken) => nextNumberedId("C-", taken),
};

type Values = Omit<z.infer<typeof knownKeys>, "id" | "modified">;

function values(fields: Fields): Values;
function values(change: Change): Partial<Values>;
function values(change: Change): Partial<Values> {
  return {
    ...(change.title !== undefined && { name: change.title }),
    ...(change.body !== undefined && { notes: change.body }),
    ...(change.status !== undefined && { stage: stageOf[change.status] }),
    ...(change.priority !== undefined && { urgency: change.priority }),
    ...(change.labels !== undefined && { tags: [...change.labels] }),
    ...(change.assignee !== undefined && { owner: change.assignee }),
  };
}
