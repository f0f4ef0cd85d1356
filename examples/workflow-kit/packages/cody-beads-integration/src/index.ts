/**
 * Two-way synchronisation between Cody project items and Beads issues.
 *
 * {@link sync} works on files; {@link makePlan} decides, and can be used on its own.
 *
 * @packageDocumentation
 */

export { beads, type BeadsIssue } from "./beads.js";
export { cody, type CodyItem } from "./cody.js";
export { UserError } from "./errors.js";
export type { Change, FieldName, Fields, Priority, Side, Status } from "./fields.js";
export { normalizeLabels, priorities, statuses } from "./fields.js";
export { makePlan, strategies } from "./plan.js";
export type { Conflict, Entry, Link, Plan, Situation, Snapshot, Step, Strategy } from "./plan.js";
export { sync, type SyncOptions } from "./sync.js";
export type { Tracker } from "./tracker.js";
