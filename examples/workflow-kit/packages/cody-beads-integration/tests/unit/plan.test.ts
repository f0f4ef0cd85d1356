import { describe, expect, it } from "vitest";
import { makePlan } from "../../src/index.js";
import { earlier, fields, later, situation } from "./samples.js";

const link = { cody: "C-1", beads: "bd-1", base: fields() };

describe("an issue that is new", () => {
  it("is created on the other side and linked", () => {
    const there = situation({ "C-4": fields() }, { "bd-8": fields({ title: "Slow search" }) });

    expect(makePlan(there, "manual")).toMatchObject({
      steps: [
        { kind: "create", on: "beads", id: "bd-9", from: "C-4" },
        { kind: "create", on: "cody", id: "C-5", from: "bd-8" },
      ],
      conflicts: [],
      links: [
        { cody: "C-4", beads: "bd-9", base: fields() },
        { cody: "C-5", beads: "bd-8", base: fields({ title: "Slow search" }) },
      ],
    });
  });

  it("never gets the id of an issue that was deleted since the last sync", () => {
    const there = situation({ "C-2": fields({ title: "New" }) }, { "bd-1": fields() }, [link]);

    expect(makePlan(there, "manual").steps).toContainEqual(
      expect.objectContaining({ kind: "create", id: "bd-2", from: "C-2" }),
    );
  });

  it("is its twin on the other side if only they have the title", () => {
    const there = situation({ "C-1": fields() }, { "bd-1": fields({ title: "crash on START " }) });

    expect(makePlan(there, "cody")).toMatchObject({
      steps: [{ kind: "update", on: "beads", id: "bd-1", change: { title: "Crash on start" } }],
      links: [link],
    });
  });

  it("is nobody's twin if several have the title", () => {
    const there = situation({ "C-1": fields(), "C-2": fields() }, { "bd-1": fields() });

    expect(makePlan(there, "manual").steps.map((step) => step.kind)).toEqual([
      "create",
      "create",
      "create",
    ]);
  });
});

describe("a linked pair", () => {
  it("needs no step while it says the same", () => {
    const there = situation({ "C-1": fields() }, { "bd-1": fields() }, [link]);

    expect(makePlan(there, "manual")).toMatchObject({ steps: [], conflicts: [], links: [link] });
  });

  it("gets the changes of each side on the other", () => {
    const there = situation(
      { "C-1": fields({ status: "active" }) },
      { "bd-1": fields({ assignee: "ada" }) },
      [link],
    );

    expect(makePlan(there, "manual")).toMatchObject({
      steps: [
        { kind: "update", on: "cody", id: "C-1", change: { assignee: "ada" } },
        { kind: "update", on: "beads", id: "bd-1", change: { status: "active" } },
      ],
      links: [{ ...link, base: fields({ status: "active", assignee: "ada" }) }],
    });
  });

  it("is left alone, with its base, while it conflicts", () => {
    const there = situation(
      { "C-1": fields({ title: "A", status: "done" }) },
      { "bd-1": fields({ title: "B" }) },
      [link],
    );

    expect(makePlan(there, "manual")).toMatchObject({
      steps: [],
      conflicts: [{ cody: "C-1", beads: "bd-1", over: ["title"] }],
      links: [link],
    });
  });

  it.each([
    { strategy: "cody", codyTime: earlier, beadsTime: later, title: "A" },
    { strategy: "beads", codyTime: later, beadsTime: earlier, title: "B" },
    { strategy: "newest", codyTime: later, beadsTime: earlier, title: "A" },
    { strategy: "newest", codyTime: earlier, beadsTime: later, title: "B" },
    { strategy: "newest", codyTime: later, beadsTime: later, title: "A" },
  ] as const)("is settled by $strategy: $title", ({ strategy, codyTime, beadsTime, title }) => {
    const there = situation(
      { "C-1": { ...fields({ title: "A" }), modified: codyTime } },
      { "bd-1": { ...fields({ title: "B" }), modified: beadsTime } },
      [link],
    );

    expect(makePlan(there, strategy)).toMatchObject({
      conflicts: [],
      links: [{ base: fields({ title }) }],
    });
  });
});

describe("an issue that one side deleted", () => {
  const edited = fields({ status: "active" });

  it("is deleted on the other if nobody changed it", () => {
    const there = situation({ "C-1": fields() }, {}, [link]);

    expect(makePlan(there, "manual")).toMatchObject({
      steps: [{ kind: "delete", on: "cody", id: "C-1" }],
      links: [],
    });
  });

  it("is a conflict if the other changed it", () => {
    const there = situation({}, { "bd-1": edited }, [link]);

    expect(makePlan(there, "manual")).toMatchObject({
      steps: [],
      conflicts: [{ cody: "C-1", beads: "bd-1", over: { deletedOn: "cody" } }],
      links: [link],
    });
  });

  it("stays deleted if the deleting side wins", () => {
    const there = situation({}, { "bd-1": edited }, [link]);

    expect(makePlan(there, "cody").steps).toEqual([{ kind: "delete", on: "beads", id: "bd-1" }]);
  });

  it.each(["beads", "newest"] as const)("comes back as a new issue by %s", (strategy) => {
    const there = situation({}, { "bd-1": edited }, [link]);

    expect(makePlan(there, strategy)).toMatchObject({
      steps: [{ kind: "create", on: "cody", id: "C-2", from: "bd-1", fields: edited }],
      links: [{ cody: "C-2", beads: "bd-1", base: edited }],
    });
  });

  it("is forgotten if both deleted it", () => {
    expect(makePlan(situation({}, {}, [link]), "manual")).toMatchObject({ steps: [], links: [] });
  });
});
