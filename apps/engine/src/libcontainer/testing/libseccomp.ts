/**
 * What libseccomp, which the real runc uses, makes of the same policy: a small C program written from the policy,
 * compiled and run. seccomp_rule_add_array(3), seccomp_export_bpf(3)
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LinuxSeccomp } from '../../protocol/oci/runtime-spec.ts';

export const hasLibseccomp = (): boolean =>
  existsSync('/usr/include/seccomp.h') && spawnSync('cc', ['--version']).status === 0;

const COMPARE: Readonly<Record<string, string>> = {
  SCMP_CMP_NE: 'SCMP_CMP_NE',
  SCMP_CMP_LT: 'SCMP_CMP_LT',
  SCMP_CMP_LE: 'SCMP_CMP_LE',
  SCMP_CMP_EQ: 'SCMP_CMP_EQ',
  SCMP_CMP_GE: 'SCMP_CMP_GE',
  SCMP_CMP_GT: 'SCMP_CMP_GT',
  SCMP_CMP_MASKED_EQ: 'SCMP_CMP_MASKED_EQ',
};

const action = (word: string, errno: number | null | undefined): string =>
  word === 'SCMP_ACT_ERRNO' ? `SCMP_ACT_ERRNO(${errno ?? 1})` : word;

export interface Exported {
  readonly program: Uint8Array;
  /** Names of the policy that this libseccomp knows. */
  readonly known: ReadonlySet<string>;
}

export const exportFromLibseccomp = (policy: LinuxSeccomp): Exported => {
  const folder = mkdtempSync(join(tmpdir(), 'libseccomp-'));
  try {
    const source = join(folder, 'policy.c');
    writeFileSync(source, programText(policy));
    const compiled = spawnSync('cc', ['-o', join(folder, 'policy'), source, '-lseccomp'], {
      encoding: 'utf8',
    });
    if (compiled.status !== 0) throw new Error(compiled.stderr);
    const run = spawnSync(join(folder, 'policy'), { encoding: 'buffer', maxBuffer: 1 << 24 });
    if (run.status !== 0) throw new Error(run.stderr.toString());
    return {
      program: new Uint8Array(run.stdout),
      known: new Set(run.stderr.toString().trim().split('\n')),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const programText = (policy: LinuxSeccomp): string => {
  const lines = [
    '#include <seccomp.h>',
    '#include <stdio.h>',
    'static scmp_filter_ctx c;',
    'static void rule(const char *name, uint32_t action, unsigned n, const struct scmp_arg_cmp *args) {',
    '  int nr = seccomp_syscall_resolve_name(name);',
    '  if (nr == __NR_SCMP_ERROR) return;',
    '  fprintf(stderr, "%s\\n", name);',
    '  seccomp_rule_add_array(c, action, nr, n, args);',
    '}',
    'int main(void) {',
    `  c = seccomp_init(${action(policy.defaultAction, policy.defaultErrnoRet)});`,
    ...(policy.architectures ?? []).map((word) => `  seccomp_arch_add(c, ${word});`),
  ];
  for (const syscall of policy.syscalls ?? []) {
    // libseccomp refuses a rule whose action is the default one; runc leaves it out.
    if (
      action(syscall.action, syscall.errnoRet) ===
      action(policy.defaultAction, policy.defaultErrnoRet)
    )
      continue;
    const args = (syscall.args ?? []).map(
      ({ index, op, value, valueTwo }) =>
        `{${index}, ${COMPARE[op] ?? 'SCMP_CMP_EQ'}, ${value}ull, ${valueTwo ?? 0}ull}`,
    );
    for (const name of syscall.names) {
      const array = args.length === 0 ? 'NULL' : `(struct scmp_arg_cmp[]){${args.join(', ')}}`;
      lines.push(
        `  rule("${name}", ${action(syscall.action, syscall.errnoRet)}, ${args.length}, ${array});`,
      );
    }
  }
  return [...lines, '  return seccomp_export_bpf(c, 1) < 0;', '}', ''].join('\n');
};
