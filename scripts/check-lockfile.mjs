/** The lock file names no registry: whoever clones this installs from the registry that their npm is set to. */
import { readFileSync } from 'node:fs';

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const faults = Object.entries(packages).flatMap(([path, entry]) => {
  if (/^(https?|git)/.test(entry.resolved ?? ''))
    return [`${path} names the address ${entry.resolved}`];
  if (path.startsWith('node_modules/') && !entry.link && !entry.integrity && !entry.inBundle)
    return [`${path} has no integrity hash`];
  return [];
});
if (faults.length > 0) {
  console.error(faults.join('\n'));
  process.exit(1);
}
console.log(`lock file: ${Object.keys(packages).length} packages, no address, each with its hash`);
