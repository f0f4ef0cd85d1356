import { describe, expect, it } from "vitest";
import { beads, cody, UserError, type Tracker } from "../../src/index.js";
import { beadsIssue, codyItem, fields, later } from "./samples.js";

const everything = fields({
  body: "See the log.",
  status: "done",
  priority: "critical",
  labels: ["crash", "ui"],
  assignee: "ada",
});

/** What holds for every tracker. `id` is one of its ids, and ends with a digit. */
function describeContract<Item extends { readonly id: string }>(
  tracker: Tracker<Item>,
  id: string,
) {
  it.each([fields(), everything])("creates an item that says what the fields say: %j", (given) => {
    expect(tracker.fields(tracker.create(id, given, later))).toEqual(given);
  });

  it("updates an item to what the fields say", () => {
    const item = tracker.create(id, fields(), later);

    expect(tracker.fields(tracker.update(item, everything, later))).toEqual(everything);
  });

  it("writes what it can read back", () => {
    const items = [tracker.create(id, everything, later)];

    expect(tracker.parse(tracker.format(items), "file")).toEqual(items);
  });

  it("refuses one id for two items", () => {
    const item = tracker.create(id, fields(), later);

    expect(() => tracker.parse(tracker.format([item, item]), "file")).toThrow(
      new UserError(`file: ${id} is there twice; give one a new id`),
    );
  });

  it("continues the numbers and passes over ids of another form", () => {
    const prefix = id.slice(0, -1);

    expect(tracker.nextId([`${prefix}2`, `${prefix}10`, `${prefix}a1f`])).toBe(`${prefix}11`);
    expect(tracker.nextId([])).toBe(`${prefix}1`);
  });
}

describe("cody", () => {
  describeContract(cody, "C-7");

  it("keeps keys that it does not know", () => {
    const [item] = cody.parse(JSON.stringify([codyItem({ sprint: 12 })]), "cody.json");

    expect(item && cody.update(item, { title: "New" }, later)).toEqual(
      codyItem({ name: "New", sprint: 12, modified: later }),
    );
  });

  it("says where a value is wrong", () => {
    const text = JSON.stringify([codyItem(), { ...codyItem(), stage: "finished" }]);

    expect(() => cody.parse(text, "cody.json")).toThrow(/^cody\.json: \/1\/stage: Invalid option/);
  });

  it("says that a text is no JSON", () => {
    expect(() => cody.parse("[", "cody.json")).toThrow(/^cody\.json: not JSON: /);
  });
});

describe("beads", () => {
  describeContract(beads, "bd-7");

  it("names the line of a wrong value and passes over empty lines", () => {
    const text = `${JSON.stringify(beadsIssue())}\n\n${JSON.stringify(beadsIssue({ priority: 5 }))}\n`;

    expect(() => beads.parse(text, "issues.jsonl")).toThrow(/^issues\.jsonl:3: \/priority: /);
  });

  it("keeps a priority that is finer than ours while another field changes", () => {
    const backlog = beadsIssue({ priority: 4 });

    expect(beads.fields(backlog).priority).toBe("low");
    expect(beads.update(backlog, { title: "New" }, later).priority).toBe(4);
  });

  it("dates the closing, and forgets it when the issue is opened again", () => {
    const closed = beads.update(beadsIssue(), { status: "done" }, later);
    const opened = beads.update(closed, { status: "active" }, later);

    expect(closed.closed_at).toBe(later);
    expect(opened).toEqual(beadsIssue({ status: "in_progress", updated_at: later }));
  });

  it("has no assignee key when nobody is assigned", () => {
    const issue = beads.update(beadsIssue({ assignee: "ada" }), { assignee: null }, later);

    expect(issue).not.toHaveProperty("assignee");
  });

  it("compares times across time zones", () => {
    const issue = beadsIssue({ updated_at: "2026-01-01T02:00:00+02:00" });

    expect(beads.modified(issue)).toBe("2026-01-01T00:00:00.000Z");
  });
});
