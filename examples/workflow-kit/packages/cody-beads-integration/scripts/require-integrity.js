// Fails if the lockfile has a package without a hash: lockfile-lint checks hashes, not that there is one.
// Packages of this workspace have none: the lockfile names them by their folder, or as a link to it.
import { readFileSync } from "node:fs";

const [lockfile] = process.argv.slice(2);
const { packages } = JSON.parse(readFileSync(lockfile, "utf8"));

const unpinned = Object.entries(packages)
  .filter(([path, entry]) => path.includes("node_modules/") && !entry.link && !entry.integrity)
  .map(([path]) => path);

for (const path of unpinned) {
  console.error(`${lockfile}: ${path} has no integrity; remove its entry and run npm install`);
}
process.exitCode = unpinned.length > 0 ? 1 : 0;
