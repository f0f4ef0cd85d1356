/** Tells a plan in lines. */

import type { Conflict, Plan, Step } from "./plan.js";

export function describePlan(plan: Plan, dryRun: boolean): string[] {
  const done = dryRun ? "; dry run, nothing written" : "";
  const counts = `${count(plan.steps.length, "change")}, ${count(plan.conflicts.length, "conflict")}`;
  return [...plan.steps.map(describeStep), ...plan.conflicts.map(describeConflict), counts + done];
}

function describeStep(step: Step): string {
  switch (step.kind) {
    case "create":
      return `create ${step.on} ${step.id} from ${step.from}: ${JSON.stringify(step.fields.title)}`;
    case "update":
      return `update ${step.on} ${step.id}: ${Object.keys(step.change).join(", ")}`;
    case "delete":
      return `delete ${step.on} ${step.id}`;
  }
}

function describeConflict({ cody, beads, over }: Conflict): string {
  const reason =
    "deletedOn" in over
      ? `deleted on ${over.deletedOn}, changed on the other side`
      : `both changed ${over.join(", ")}`;
  return `conflict ${cody} ${beads}: ${reason}; choose a side by --strategy`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
