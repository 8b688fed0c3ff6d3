/** Some hundred hostile and ordinary programs through one pool, mixed, as a batch. */
import { expect, test } from 'vitest';
import { Sandbox } from '../../src/sandbox/sandbox.js';
import { ADVERSARIAL } from './fixtures/adversarial.js';
import { PROBES } from './fixtures/probes.js';
import { cacheDir } from './support.js';

const ORDINARY = `
def fib(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a
print(fib(50), sorted("sandbox"), sum(range(100)))
fib(10)`;

test('no run is spoiled by the one before it', { timeout: 180_000 }, async () => {
  // Those that only end at the limit would make this test long and add nothing.
  const hostile = Object.entries(ADVERSARIAL).filter(([, { expect: statuses }]) => !statuses.includes('timeout'));
  const codes = [...hostile.map(([, { code }]) => code), ...Object.values(PROBES)].map((code) => code.replaceAll('PORT', '9'));
  const programs = Array.from({ length: 240 }, (_, i) =>
    i % 2 === 0 ? { id: `hostile ${i}`, code: codes[(i * 7) % codes.length] ?? '' } : { id: `ordinary ${i}`, code: ORDINARY },
  );
  programs.splice(120, 0, { id: 'endless', code: 'while True: pass' });
  await using sandbox = await Sandbox.start({ cacheDir, workers: 2 });
  const counts = new Map<string, number>();
  for await (const { id, result } of sandbox.runBatch(programs, { timeoutMs: 10_000 })) {
    counts.set(result.status, (counts.get(result.status) ?? 0) + 1);
    if (id.startsWith('hostile')) continue;
    if (id === 'endless') expect(result.status).toBe('timeout');
    else expect(result).toMatchObject({ status: 'ok', stdout: `12586269025 ['a', 'b', 'd', 'n', 'o', 's', 'x'] 4950\n`, value: '55' });
  }
  expect([...counts.values()].reduce((sum, count) => sum + count)).toBe(241);
});
