/** What runs the programs. */
import { z } from 'zod';
import type { Given, SettingTable } from './setting.js';

export const SANDBOXES = ['pyodide', 'cpython', 'auto'] as const;
export type SandboxChoice = (typeof SANDBOXES)[number];

const MEBIBYTE = 1024 * 1024;

export const sandboxSettings = {
  backend: {
    type: z.enum(SANDBOXES).default('pyodide'),
    group: 'Sandbox',
    help: "pyodide: CPython in WebAssembly, the same everywhere; cpython: the system's, locked in by Linux; auto: cpython where it passes its self-test, else pyodide",
    flag: 'sandbox',
  },
  python: {
    type: z.string().min(1).optional(),
    group: 'Sandbox',
    help: 'cpython: the interpreter',
    absent: 'the first usable python3 on the PATH',
  },
  systemSympy: {
    type: z.boolean().default(true),
    group: 'Sandbox',
    help: 'cpython: let programs use its SymPy, where it has one',
  },
  sympy: {
    type: z.array(z.string().min(1)).readonly().optional(),
    group: 'Sandbox',
    help: 'pyodide: folder or wheel with SymPy, another with mpmath if need be; their code is trusted as that of T1',
    absent: 'none',
  },
  workers: {
    type: z.int().min(1).max(1024).optional(),
    group: 'Sandbox',
    help: 'programs that run at the same time',
    unit: 'programs',
    absent: 'one for each core',
    flag: false,
  },
  spares: {
    type: z.int().min(0).max(1024).optional(),
    group: 'Sandbox',
    help: 'workers kept ready to replace one that had to be killed',
    unit: 'workers',
    absent: "the sandbox's",
    flag: false,
  },
  memoryBytes: {
    type: z
      .int()
      .min(64 * MEBIBYTE)
      .max(2047 * MEBIBYTE)
      .default(512 * MEBIBYTE),
    group: 'Sandbox',
    help: "cap of a program's memory, Python itself (30 MiB) included",
    unit: 'bytes',
    flag: false,
  },
} satisfies SettingTable;

export type SandboxSettings = Given<typeof sandboxSettings>;
