/**
 * The filter of system calls, for both machines, run by an interpreter of BPF: most of it can be seen on no single
 * machine.
 */
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { findInterpreter, serverFolder } from '../../src/sandbox/cpython/interpreter.js';

const DUMP = `
import json, sys
sys.path.insert(0, sys.argv[1])
import seccomp
print(json.dumps({machine: list(seccomp._instructions(machine, 4)) for machine in ("x86_64", "aarch64")}))`;

const Instructions = z.array(z.tuple([z.number(), z.number(), z.number(), z.number()]));
const Dump = z.object({ x86_64: Instructions, aarch64: Instructions });
type Machine = keyof z.infer<typeof Dump>;

const python = await findInterpreter().catch((error: unknown) => String(error));
if (typeof python === 'string') console.log(`skipped: the filter of system calls: ${python}`);
const dump =
  typeof python === 'string'
    ? { x86_64: [], aarch64: [] }
    : Dump.parse(
        JSON.parse(
          execFileSync(python.executable, ['-S', '-s', '-B', '-c', DUMP, serverFolder], { encoding: 'utf8' }),
        ) as unknown,
      );

const ARCHITECTURE: Readonly<Record<Machine, number>> = { x86_64: 0xc000003e, aarch64: 0xc00000b7 };
const ACTIONS: Readonly<Record<number, string>> = {
  0x7fff0000: 'allow',
  0x80000000: 'kill',
  0x00050001: 'EPERM',
  0x00050000: 'pretend',
};

/** Source of the codes: <linux/bpf_common.h>. */
function decide(
  machine: Machine,
  number: number,
  callArguments: readonly number[] = [],
  architecture = ARCHITECTURE[machine],
): string {
  const data = new Map([
    [0, number],
    [4, architecture],
    ...callArguments.map((value, i): [number, number] => [16 + 8 * i, value]),
  ]);
  const program = dump[machine];
  let accumulator = 0;
  for (let at = 0; ; at++) {
    const [code, ifTrue, ifFalse, operand] = program[at] ?? [0, 0, 0, 0];
    if (code === 0x20) accumulator = data.get(operand) ?? 0;
    else if (code === 0x15) at += accumulator === operand ? ifTrue : ifFalse;
    else if (code === 0x35) at += accumulator >= operand ? ifTrue : ifFalse;
    else if (code === 0x45) at += (accumulator & operand) !== 0 ? ifTrue : ifFalse;
    else if (code === 0x06) return ACTIONS[operand] ?? `unknown action ${operand}`;
    else throw new Error(`instruction ${at} has code ${code}`);
  }
}

/** [x86-64, arm64]; null where the machine has no such call. */
const REFUSED: Readonly<Record<string, readonly [number | null, number | null]>> = {
  execve: [59, 221],
  execveat: [322, 281],
  fork: [57, null],
  vfork: [58, null],
  clone: [56, 220],
  clone3: [435, 435],
  socket: [41, 198],
  connect: [42, 203],
  kill: [62, 129],
  tkill: [200, 130],
  tgkill: [234, 131],
  pidfd_send_signal: [424, 424],
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  prctl: [157, 167],
  seccomp: [317, 277],
  io_uring_setup: [425, 425],
  bpf: [321, 280],
  userfaultfd: [323, 282],
  memfd_create: [319, 279],
  memfd_secret: [447, 447],
  openat2: [437, 437],
  creat: [85, null],
  unlink: [87, null],
  unlinkat: [263, 35],
  mkdirat: [258, 34],
  renameat2: [316, 276],
  fchmodat: [268, 53],
  ftruncate: [77, 46],
  mount: [165, 40],
  unshare: [272, 97],
  setns: [308, 268],
  chroot: [161, 51],
  setrlimit: [160, 164],
  prlimit64: [302, 261],
  setuid: [105, 146],
  dup2: [33, null],
  dup3: [292, 24],
  pipe2: [293, 59],
  setitimer: [38, 103],
  timer_create: [222, 107],
  perf_event_open: [298, 241],
  keyctl: [250, 219],
  sendto: [44, 206],
  pwrite64: [18, 68],
};

describe.skipIf(typeof python === 'string').each(['x86_64', 'aarch64'] as const)('on %s', (machine) => {
  const column = machine === 'x86_64' ? 0 : 1;
  const number = (x86: number, arm: number) => (machine === 'x86_64' ? x86 : arm);

  test.each(Object.entries(REFUSED))('%s is refused', (_name, numbers) => {
    const call = numbers[column];
    if (call !== null) expect(decide(machine, call)).toBe('EPERM');
  });

  test('reading, writing to open descriptors, memory and clocks are allowed', () => {
    for (const [x86, arm] of [
      [0, 63],
      [1, 64],
      [9, 222],
      [11, 215],
      [228, 113],
      [231, 94],
      [318, 278],
    ])
      expect(decide(machine, number(x86 ?? -1, arm ?? -1))).toBe('allow');
  });

  test('files open for reading only', () => {
    const openat = number(257, 56);
    const open = (flags: number) => decide(machine, openat, [0, 0, flags]);
    expect([open(0), open(0o2000000), open(0o200000)]).toEqual(['allow', 'allow', 'allow']);
    for (const flags of [0o1, 0o2, 0o100, 0o1000, 0o2000, 0o2000101]) expect(open(flags)).toBe('EPERM');
    if (machine === 'x86_64')
      expect([decide(machine, 2, [0, 0]), decide(machine, 2, [0, 0o1])]).toEqual(['allow', 'EPERM']);
  });

  test('of ioctl and fcntl, only what asks', () => {
    const [ioctl, fcntl] = [number(16, 29), number(72, 25)];
    expect([decide(machine, ioctl, [0, 0x5401]), decide(machine, ioctl, [0, 0x5412])]).toEqual(['allow', 'EPERM']);
    expect([0, 1, 2, 3].map((what) => decide(machine, fcntl, [0, what]))).toEqual(['allow', 'allow', 'allow', 'allow']);
    expect([4, 8, 10, 1030, 1024].map((what) => decide(machine, fcntl, [0, what]))).toEqual([
      'EPERM',
      'EPERM',
      'EPERM',
      'EPERM',
      'EPERM',
    ]);
  });

  test('the standard streams and the result only seem to close', () => {
    const close = number(3, 57);
    expect([0, 3, 4, 31].map((descriptor) => decide(machine, close, [descriptor]))).toEqual([
      'pretend',
      'pretend',
      'allow',
      'allow',
    ]);
  });

  test('the calls of another architecture end the process', () => {
    expect(decide(machine, number(0, 63), [], 0x40000003)).toBe('kill');
    expect(decide(machine, number(0, 63), [], ARCHITECTURE[machine === 'x86_64' ? 'aarch64' : 'x86_64'])).toBe('kill');
    if (machine === 'x86_64') expect(decide(machine, 0x40000000 + 1)).toBe('kill');
  });
});
