/** What the sync needs to know of a tracker, and what the formats of both have in common. */

import type { z } from "zod";
import { UserError } from "./errors.js";
import type { Change, Fields, Side } from "./fields.js";

/**
 * One tracker's file format and vocabulary. All of its methods are pure.
 *
 * An item keeps whatever the tracker alone knows: keys that are not mapped, and finer values than
 * {@link Fields} has, survive an update of other fields.
 */
export interface Tracker<Item extends { readonly id: string }> {
  readonly side: Side;
  /** @throws {@link UserError} if the text is not a file of this tracker */
  parse(text: string, file: string): Item[];
  format(items: readonly Item[]): string;
  fields(item: Item): Fields;
  /** When the item was last changed: ISO 8601, in UTC. */
  modified(item: Item): string;
  create(id: string, fields: Fields, now: string): Item;
  update(item: Item, change: Change, now: string): Item;
  /** An id that none of `taken` equals. */
  nextId(taken: Iterable<string>): string;
}

/** Parses JSON of a given shape. `where` is the file, and the line if the file has one value a line. */
export function parseJson<Value>(schema: z.ZodType<Value>, text: string, where: string): Value {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${where}: not JSON: ${(error as SyntaxError).message}`);
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const pointer = issue?.path.map((step) => `/${String(step)}`).join("") ?? "";
  throw new UserError(`${where}: ${pointer || "(document)"}: ${issue?.message ?? "not valid"}`);
}

/** @throws {@link UserError} if two items have one id, which would make every link to it ambiguous */
export function requireUniqueIds<Item extends { readonly id: string }>(
  items: Item[],
  file: string,
): Item[] {
  const seen = new Set<string>();
  for (const { id } of items) {
    if (seen.has(id)) throw new UserError(`${file}: ${id} is there twice; give one a new id`);
    seen.add(id);
  }
  return items;
}

/** The next number after the highest `<prefix><number>` among the ids; ids of another form don't count. */
export function nextNumberedId(prefix: string, taken: Iterable<string>): string {
  const numbers = [...taken]
    .filter((id) => id.startsWith(prefix))
    .map((id) => Number(id.slice(prefix.length)))
    .filter(Number.isInteger);
  return `${prefix}${Math.max(0, ...numbers) + 1}`;
}

/** The opposite direction of a one-to-one mapping. */
export function invert<Key extends string, Value extends string>(
  mapping: Readonly<Record<Key, Value>>,
): Record<Value, Key> {
  const pairs = Object.entries(mapping) as [Key, Value][];
  return Object.fromEntries(pairs.map(([key, value]) => [value, key])) as Record<Value, Key>;
}
