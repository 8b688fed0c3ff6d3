/**
 * Some hundred hostile and ordinary programs through one pool, mixed, as a batch; T1_SOAK=2000 runs that many through
 * one worker, which must then still hold against all 43.
 */
import { expect, test } from 'vitest';
import { allSandboxes } from './backends.js';
import { ADVERSARIAL } from './fixtures/adversarial.js';
import { PROBES } from './fixtures/probes.js';
import { canaryIsRight } from './support.js';

const ORDINARY = `
def fib(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a
print(fib(50), sorted("sandbox"), sum(range(100)))
fib(10)`;

const count = Number(process.env['T1_SOAK'] ?? 240);

test.each(allSandboxes)(
  'no run is spoiled by the one before it: $name',
  { timeout: 180_000 + 400 * count },
  async ({ name, start }) => {
    // Those that only end at the limit would make this test long and add nothing.
    const hostile = Object.entries(ADVERSARIAL).filter(([, { expect: statuses }]) => !statuses.includes('timeout'));
    const codes = [...hostile.map(([, { code }]) => code), ...Object.values(PROBES)].map((code) =>
      code.replaceAll('PORT', '9'),
    );
    const programs = Array.from({ length: count }, (_, i) =>
      i % 2 === 0
        ? { id: `hostile ${i}`, code: codes[(i * 7) % codes.length] ?? '' }
        : { id: `ordinary ${i}`, code: ORDINARY },
    );
    programs.splice(120, 0, { id: 'endless', code: 'while True: pass' });
    await using sandbox = await start({ workers: count > 1000 ? 1 : 2 });
    const counts = new Map<string, number>();
    for await (const { id, result } of sandbox.runBatch(programs, { timeoutMs: 10_000 })) {
      counts.set(result.status, (counts.get(result.status) ?? 0) + 1);
      if (id.startsWith('hostile')) continue;
      if (id === 'endless') expect(result.status).toBe('timeout');
      else
        expect(result).toMatchObject({
          status: 'ok',
          stdout: `12586269025 ['a', 'b', 'd', 'n', 'o', 's', 'x'] 4950\n`,
          value: '55',
        });
    }
    expect([...counts.values()].reduce((sum, count) => sum + count)).toBe(count + 1);
    if (count <= 1000) return;
    console.log(
      `${name}: ${count} mixed runs, ${[...counts].map(([status, times]) => `${times} ${status}`).join(', ')}`,
    );
    for (const [program, { code, expect: statuses }] of Object.entries(ADVERSARIAL)) {
      const result = await sandbox.run({
        code: code.replaceAll('PORT', '9'),
        timeoutMs: statuses.includes('timeout') ? 1000 : 20_000,
      });
      expect(statuses, program).toContain(result.status);
      expect(await canaryIsRight(sandbox), `after ${program}`).toBe(true);
    }
  },
);
