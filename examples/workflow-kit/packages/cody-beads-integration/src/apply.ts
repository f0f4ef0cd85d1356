/** Carries a plan's steps out on a tracker's items. Pure. */

import type { Step } from "./plan.js";
import type { Tracker } from "./tracker.js";

/** The items after the steps that are meant for this tracker; new ones come last. */
export function applySteps<Item extends { readonly id: string }>(
  tracker: Tracker<Item>,
  items: readonly Item[],
  steps: readonly Step[],
  now: string,
): Item[] {
  const result = new Map(items.map((item) => [item.id, item]));
  for (const step of steps) {
    if (step.on !== tracker.side) continue;
    if (step.kind === "create") {
      result.set(step.id, tracker.create(step.id, step.fields, now));
    } else if (step.kind === "delete") {
      result.delete(step.id);
    } else {
      const item = result.get(step.id);
      if (!item) throw new Error(`BUG: no ${step.id} to update`);
      result.set(step.id, tracker.update(item, step.change, now));
    }
  }
  return [...result.values()];
}
