/**
 * What both trackers can say about an issue, and the three-way merge of it.
 * Knows nothing of either tracker's format.
 */

export const statuses = ["open", "active", "blocked", "done"] as const;
export const priorities = ["low", "normal", "high", "critical"] as const;

export type Status = (typeof statuses)[number];
export type Priority = (typeof priorities)[number];

/** The part of an issue that is kept the same on both sides. */
export interface Fields {
  readonly title: string;
  readonly body: string;
  readonly status: Status;
  readonly priority: Priority;
  /** Sorted, without repeats; see {@link normalizeLabels}. */
  readonly labels: readonly string[];
  readonly assignee: string | null;
}

export type FieldName = keyof Fields;
export type Change = Partial<Fields>;

/** The two trackers. */
export type Side = "cody" | "beads";

export function otherSide(side: Side): Side {
  return side === "cody" ? "beads" : "cody";
}

export const fieldNames: readonly FieldName[] = [
  "title",
  "body",
  "status",
  "priority",
  "labels",
  "assignee",
];

export function normalizeLabels(labels: readonly string[]): string[] {
  return [...new Set(labels)].sort();
}

/** What has to be set on `from` to make it say what `to` says. */
export function difference(from: Fields, to: Fields): Change {
  const names = fieldNames.filter((name) => !isEqual(from[name], to[name]));
  return Object.fromEntries(names.map((name) => [name, to[name]]));
}

export function isSame(left: Fields, right: Fields): boolean {
  return fieldNames.every((name) => isEqual(left[name], right[name]));
}

/** One issue as the last sync left it (`null` if there was none) and as the sides have it now. */
export interface Versions {
  readonly base: Fields | null;
  readonly cody: Fields;
  readonly beads: Fields;
}

export interface Merge {
  readonly merged: Fields;
  /** The fields that both sides changed, each to a value of its own. */
  readonly conflicts: readonly FieldName[];
}

/**
 * Merges field by field: a field that one side changed takes that side's value.
 * Labels never conflict: what either side added or removed since the base is added or removed.
 *
 * @param prefer - the side whose value a conflicting field takes
 */
export function merge(versions: Versions, prefer: Side): Merge {
  const { base, cody, beads } = versions;
  const winner = (name: FieldName): Fields => {
    const from = source(versions, name);
    return versions[from === "both" ? prefer : from];
  };
  return {
    merged: {
      title: winner("title").title,
      body: winner("body").body,
      status: winner("status").status,
      priority: winner("priority").priority,
      labels: mergeLabels(base?.labels ?? [], cody.labels, beads.labels),
      assignee: winner("assignee").assignee,
    },
    conflicts: fieldNames.filter((name) => name !== "labels" && source(versions, name) === "both"),
  };
}

/** Whose value a field takes: the one side's that changed it, or `both` if they disagree. */
function source({ base, cody, beads }: Versions, name: FieldName): Side | "both" {
  if (isEqual(cody[name], beads[name])) return "cody";
  if (base === null) return "both";
  if (isEqual(cody[name], base[name])) return "beads";
  return isEqual(beads[name], base[name]) ? "cody" : "both";
}

function mergeLabels(
  base: readonly string[],
  cody: readonly string[],
  beads: readonly string[],
): string[] {
  const kept = base.filter((label) => cody.includes(label) && beads.includes(label));
  const added = [...cody, ...beads].filter((label) => !base.includes(label));
  return normalizeLabels([...kept, ...added]);
}

function isEqual(left: Fields[FieldName], right: Fields[FieldName]): boolean {
  if (typeof left === "object" && left !== null && typeof right === "object" && right !== null) {
    return left.length === right.length && left.every((label, index) => label === right[index]);
  }
  return left === right;
}
