#!/usr/bin/env node
/**
 * The command line.
 *
 * Exit codes: 0 both sides are the same (in a dry run: would be); 1 conflicts are left;
 * 2 bad usage, or a file that cannot be used.
 */

import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { UserError } from "./errors.js";
import { strategies, type Strategy } from "./plan.js";
import { describePlan } from "./report.js";
import { sync, type SyncOptions } from "./sync.js";

const usage = `usage: cody-beads --cody FILE --beads FILE [options]

Makes Cody's items (a JSON array) and Beads' issues (JSON lines) say the same.

  --cody FILE           Cody's items
  --beads FILE          Beads' issues
  --state FILE          what the last sync left (default: cody-beads.json beside Beads' issues)
  --strategy STRATEGY   for conflicts: ${strategies.join(", ")} (default: manual, which leaves them)
  --dry-run             say what would change, write nothing
  --help                show this text
`;

function parseOptions(words: string[]): SyncOptions | "help" {
  const { values } = parseArgs({
    args: words,
    options: {
      cody: { type: "string" },
      beads: { type: "string" },
      state: { type: "string" },
      strategy: { type: "string", default: "manual" },
      "dry-run": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const { cody, beads, strategy } = values;
  if (cody === undefined || beads === undefined) {
    throw new UserError("--cody and --beads are needed; see --help");
  }
  if (!isStrategy(strategy)) {
    throw new UserError(`--strategy: got "${strategy}", expected one of ${strategies.join(", ")}`);
  }
  return {
    cody,
    beads,
    state: values.state ?? join(dirname(beads), "cody-beads.json"),
    strategy,
    dryRun: values["dry-run"],
    now: new Date().toISOString(),
  };
}

function isStrategy(word: string): word is Strategy {
  return strategies.some((strategy) => strategy === word);
}

async function main(words: string[]): Promise<number> {
  const options = parseOptions(words);
  if (options === "help") {
    process.stdout.write(usage);
    return 0;
  }
  const plan = await sync(options);
  process.stdout.write(`${describePlan(plan, options.dryRun).join("\n")}\n`);
  return plan.conflicts.length > 0 ? 1 : 0;
}

/** Whether the fault lies with the call or a file, so that its message helps more than a traceback. */
function isExpected(error: unknown): error is Error {
  if (error instanceof UserError) return true;
  if (!(error instanceof Error)) return false;
  const isUsage = "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS_");
  return isUsage || "syscall" in error;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!isExpected(error)) throw error;
  process.stderr.write(`cody-beads: ${error.message}\n`);
  process.exitCode = 2;
}
