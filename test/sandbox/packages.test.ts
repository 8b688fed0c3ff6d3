/** SymPy for Pyodide: from a folder or a wheel, checked, and put into the start image once. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { findInterpreter } from '../../src/sandbox/cpython/interpreter.js';
import { readPackages } from '../../src/sandbox/packages.js';
import { Sandbox } from '../../src/sandbox/sandbox.js';
import { readZip, writeZip, type ZipEntry } from '../../src/sandbox/zip.js';
import { temporaryFolder } from '../support/t1.js';

const folder = temporaryFolder();
afterAll(() => folder.remove());

const entry = (name: string, text: string): ZipEntry => ({ name, data: Buffer.from(text) });
/** Everything that the start image asks of it, and a module that is imported late. */
const SYMPY = [
  entry(
    'sympy/__init__.py',
    'import mpmath\nfrom .release import __version__\nclass Symbol(int): pass\nsolve = simplify = integrate = sin = lambda *a: list(a)\nfactorint = lambda n: {n: 1}\nSymbol.__new__ = lambda cls, name: int.__new__(cls, 3)\n',
  ),
  entry('sympy/release.py', '__version__ = "9.8.7"\n'),
  entry('sympy/late.py', 'answer = 42\n'),
];
const MPMATH = [entry('mpmath/__init__.py', 'mp = 1\n')];

const installed = await findInterpreter().then(
  ({ packages }) => packages,
  () => null,
);
const paths = [installed?.sympy?.folder, installed?.mpmath?.folder].filter((path) => path !== undefined);
if (paths.length < 2) console.log('skipped: the real SymPy in Pyodide: no python3 here has SymPy and mpmath');

let count = 0;
function makeFolder(entries: readonly ZipEntry[]): string {
  const root = join(folder.path, String(++count));
  mkdirSync(root);
  for (const { name, data } of entries) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), data);
  }
  return root;
}
function makeWheel(entries: ZipEntry[] | Buffer): string {
  const path = join(folder.path, `${++count}.whl`);
  writeFileSync(path, Buffer.isBuffer(entries) ? entries : writeZip(entries));
  return path;
}

describe('what is named', () => {
  test('may be a folder, the packages themselves, or wheels, and is the same then', () => {
    const root = makeFolder([
      ...SYMPY,
      ...MPMATH,
      entry('sympy/tests/test_x.py', 'x'),
      entry('numpy/__init__.py', ''),
      entry('sympy/data.txt', ''),
    ]);
    const expected = { label: 'sympy-9.8.7', digest: readPackages([root])?.digest };
    expect(
      readPackages([root])
        ?.files.map(({ name }) => name)
        .sort(),
    ).toEqual([...MPMATH, ...SYMPY].map(({ name }) => name).sort());
    expect(readPackages([join(root, 'sympy'), join(root, 'mpmath')])).toMatchObject(expected);
    const wheels = [makeWheel([...SYMPY, entry('sympy-9.8.7.dist-info/METADATA', 'x')]), makeWheel(MPMATH)];
    expect(readPackages(wheels)).toMatchObject({ label: 'sympy-9.8.7' });
    expect(readPackages([])).toBeNull();
  });

  test.each([
    ['not there', () => [join(folder.path, 'absent')], 'FILE_NOT_FOUND', /there is no .+absent: check the path$/],
    [
      'a folder of something else',
      () => [makeFolder([entry('numpy/__init__.py', '')])],
      'INPUT',
      /holds neither sympy nor mpmath: name the folder/,
    ],
    [
      'a wheel of something else',
      () => [makeWheel([entry('numpy/__init__.py', '')])],
      'INPUT',
      /holds neither sympy nor mpmath/,
    ],
    [
      'SymPy without mpmath',
      () => [makeWheel(SYMPY)],
      'INPUT',
      /mpmath is not in .+, only sympy: name its folder or wheel too$/,
    ],
    [
      'no archive',
      () => [makeWheel(Buffer.from('no zip'))],
      'INPUT',
      /cannot be read as a wheel \(it is no zip archive\)/,
    ],
    [
      'a wheel whose start is missing',
      () => [makeWheel(writeZip([...SYMPY, ...MPMATH]).subarray(40))],
      'INPUT',
      /cannot be read as a wheel/,
    ],
  ])('is refused when it is %s', (_what, paths, code, message) => {
    expect(() => readPackages(paths())).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error,
    );
  });
});

test('an archive holds what was put in, whatever it is', () => {
  const entries = [
    entry('a/é.py', 'x = "é"\n'),
    entry('empty.py', ''),
    { name: 'bytes', data: Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * i) % 251)) },
  ];
  expect(readZip(writeZip(entries), () => true)).toEqual(entries);
  expect(readZip(writeZip(entries), (name) => name === 'bytes').map(({ name }) => name)).toEqual(['bytes']);
});

describe('in Pyodide', () => {
  const cacheDir = join(folder.path, 'cache');
  const start = (sympy: string[]) => Sandbox.start({ workers: 1, cacheDir, sympy });
  const images = () => readdirSync(cacheDir).length;

  test('programs import it, also parts that come late, and the image is made once', { timeout: 120_000 }, async () => {
    const root = makeFolder([...SYMPY, ...MPMATH]);
    await using sandbox = await start([root]);
    expect(sandbox.version).toMatch(/^pyodide-[\d.]+\+sympy-9\.8\.7-[0-9a-f]{16}\/\d+$/);
    const code =
      'import sympy, mpmath\nfrom sympy.late import answer\nprint(sympy.__version__, answer)\nsympy.late.answer = 0';
    for (let i = 0; i < 2; i++)
      expect(await sandbox.run({ code, timeoutMs: 20_000 })).toMatchObject({ status: 'ok', stdout: '9.8.7 42\n' });
    expect(images()).toBe(1);
    await using second = await start([makeWheel(SYMPY), makeWheel(MPMATH)].reverse());
    expect(images()).toBe(2); // another order is another image: what is found first counts
    await using third = await start([root]);
    expect(images()).toBe(2);
    expect((await third.run({ code, timeoutMs: 20_000 })).stdout).toBe(
      (await second.run({ code, timeoutMs: 20_000 })).stdout,
    );
  });

  test('one that cannot be imported is a clear error', { timeout: 120_000 }, async () => {
    const broken = [entry('sympy/__init__.py', 'import gmpy2\n'), ...MPMATH];
    await expect(start([makeFolder(broken)])).rejects.toMatchObject({
      code: 'SANDBOX_UNAVAILABLE',
      message: expect.stringMatching(
        /^cannot make the Python start image: [^\n]*SymPy cannot be imported: ModuleNotFoundError: [^\n]*'gmpy2'[^\n]*$/,
      ) as string,
    });
  });

  test.skipIf(paths.length < 2)('the real SymPy computes', { timeout: 240_000 }, async () => {
    await using sandbox = await start(paths);
    const code =
      'import sympy\nx = sympy.Symbol("x")\nprint(sympy.solve(x**2 - 5*x + 6, x), sympy.integrate(sympy.cos(x)**2, x), sympy.Rational(1, 3) + 1)';
    expect(await sandbox.run({ code, timeoutMs: 60_000 })).toMatchObject({
      status: 'ok',
      stdout: '[2, 3] x/2 + sin(x)*cos(x)/2 4/3\n',
    });
  });
});
