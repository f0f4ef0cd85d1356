/** The file in which a sync remembers what it linked. */

import { z } from "zod";
import { priorities, statuses } from "./fields.js";
import type { Link } from "./plan.js";
import { parseJson } from "./tracker.js";

const stateSchema = z.object({
  version: z.literal(1),
  links: z.array(
    z.object({
      cody: z.string(),
      beads: z.string(),
      base: z.object({
        title: z.string(),
        body: z.string(),
        status: z.enum(statuses),
        priority: z.enum(priorities),
        labels: z.array(z.string()),
        assignee: z.string().nullable(),
      }),
    }),
  ),
});

export function parseState(text: string, file: string): Link[] {
  return parseJson(stateSchema, text, file).links;
}

export function formatState(links: readonly Link[]): string {
  return `${JSON.stringify({ version: 1, links }, null, 2)}\n`;
}
