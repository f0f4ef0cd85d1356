import { describe, expect, it } from "vitest";
import { difference, merge } from "../../src/fields.js";
import { fields } from "./samples.js";

describe("merge", () => {
  it("takes each field from the side that changed it", () => {
    const base = fields();
    const cody = fields({ status: "done" });
    const beads = fields({ title: "Crash on first start" });

    expect(merge({ base, cody, beads }, "cody")).toEqual({
      merged: fields({ status: "done", title: "Crash on first start" }),
      conflicts: [],
    });
  });

  it("sees no conflict where both made the same change", () => {
    const both = fields({ status: "done" });

    expect(merge({ base: fields(), cody: both, beads: both }, "cody").conflicts).toEqual([]);
  });

  it.each(["cody", "beads"] as const)("gives a conflicting field the value of %s", (side) => {
    const cody = fields({ assignee: "ada" });
    const beads = fields({ assignee: "grace" });

    const { merged, conflicts } = merge({ base: fields(), cody, beads }, side);

    expect(conflicts).toEqual(["assignee"]);
    expect(merged.assignee).toBe({ cody, beads }[side].assignee);
  });

  it("calls every difference a conflict if there is no base", () => {
    const cody = fields({ status: "active", priority: "high" });

    expect(merge({ base: null, cody, beads: fields() }, "cody").conflicts).toEqual([
      "status",
      "priority",
    ]);
  });

  it("adds and removes labels of both sides without a conflict", () => {
    const base = fields({ labels: ["bug", "ui"] });
    const cody = fields({ labels: ["bug", "crash", "ui"] });
    const beads = fields({ labels: ["bug", "windows"] });

    expect(merge({ base, cody, beads }, "cody")).toEqual({
      merged: fields({ labels: ["bug", "crash", "windows"] }),
      conflicts: [],
    });
  });
});

describe("difference", () => {
  it("is empty between equal fields, labels included", () => {
    expect(difference(fields({ labels: ["a"] }), fields({ labels: ["a"] }))).toEqual({});
  });

  it("holds what has to be set, also where that is nothing", () => {
    expect(difference(fields({ assignee: "ada" }), fields())).toEqual({ assignee: null });
  });
});
