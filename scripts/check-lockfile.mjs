/** The lock files name no registry: whoever clones this installs from the registry that their npm is set to. */
import { readFileSync } from 'node:fs';

const LOCK_FILES = ['package-lock.json', 'e2e/sdk/testcontainers/package-lock.json'];
const packages = LOCK_FILES.flatMap((file) =>
  Object.entries(JSON.parse(readFileSync(file, 'utf8')).packages),
);
/** Where the engine runs. Of packages for elsewhere npm needs the name and the version, or it refuses the lock file. */
const isForUs = ({ optional, os = ['linux'], cpu = ['x64'], libc = ['glibc'] }) =>
  !optional ||
  (os.includes('linux') &&
    (cpu.includes('x64') || cpu.includes('arm64')) &&
    libc.includes('glibc'));

const faults = packages.flatMap(([path, entry]) => {
  if (/^(https?|git)/.test(entry.resolved ?? ''))
    return [`${path} names the address ${entry.resolved}`];
  if (
    path.startsWith('node_modules/') &&
    !entry.link &&
    !entry.integrity &&
    !entry.inBundle &&
    isForUs(entry)
  )
    return [`${path} has no integrity hash`];
  return [];
});
if (faults.length > 0) {
  console.error(faults.join('\n'));
  process.exit(1);
}
console.log(`lock files: ${packages.length} packages, no address, each that is used with its hash`);
