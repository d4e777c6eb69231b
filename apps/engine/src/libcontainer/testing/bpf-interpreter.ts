/**
 * Runs a seccomp program as the kernel does, one instruction after the other. linux/filter.h, seccomp(2)
 */
export interface SystemCall {
  readonly nr: number;
  readonly arch: number;
  readonly args: readonly bigint[];
}

/** struct seccomp_data */
const seccompData = ({ nr, arch, args }: SystemCall): DataView => {
  const view = new DataView(new ArrayBuffer(64));
  view.setUint32(0, nr >>> 0, true);
  view.setUint32(4, arch >>> 0, true);
  args.forEach((value, index) =>
    view.setBigUint64(16 + index * 8, BigInt.asUintN(64, value), true),
  );
  return view;
};

/** The action that the program returns. Throws for anything that the kernel would not accept. */
export const runProgram = (program: Uint8Array, call: SystemCall): number => {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const data = seccompData(call);
  const length = program.length / 8;
  let accumulator = 0;
  let memory = 0;
  for (let pc = 0; pc < length; pc++) {
    const op = code.getUint16(pc * 8, true);
    const [jt, jf] = [code.getUint8(pc * 8 + 2), code.getUint8(pc * 8 + 3)];
    const k = code.getUint32(pc * 8 + 4, true);
    switch (op) {
      case 0x20:
        accumulator = data.getUint32(k, true);
        break;
      case 0x05:
        pc += k;
        break;
      case 0x15:
        pc += accumulator === k ? jt : jf;
        break;
      case 0x25:
        pc += accumulator > k ? jt : jf;
        break;
      case 0x35:
        pc += accumulator >= k ? jt : jf;
        break;
      case 0x45:
        pc += (accumulator & k) !== 0 ? jt : jf;
        break;
      case 0x54:
        accumulator = (accumulator & k) >>> 0;
        break;
      case 0x02:
        memory = accumulator;
        break;
      case 0x60:
        accumulator = memory;
        break;
      case 0x06:
        return k;
      default:
        throw new Error(`instruction ${pc} has the unknown code 0x${op.toString(16)}`);
    }
  }
  throw new Error('the program ends without a return');
};
