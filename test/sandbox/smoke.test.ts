import { expect, test } from 'vitest';
import { Sandbox } from '../../src/sandbox/sandbox.js';
import { selfTest, ESCAPE_PROBES } from '../../src/sandbox/self-test.js';
import { openSnapshot } from '../../src/sandbox/snapshot.js';
import { GuestProcess } from '../../src/sandbox/guest-process.js';
import { childEntry, pyodideUrl } from '../../src/sandbox/lockdown.js';
test('smoke', async () => {
  const snap = await openSnapshot('/tmp/sbx/cache');
  let g: GuestProcess | undefined;
  for (const [n, code] of Object.entries(ESCAPE_PROBES)) {
    if (!g || g.ended) { g = new GuestProcess({ entry: childEntry, options: { mode: 'serve', pyodideUrl, memoryBytes: 512 << 20, snapshotBytes: snap.bytes }, snapshotFd: snap.fd }); const t = performance.now(); await g.ready(60000); console.log('boot', performance.now() - t); }
    const r = await g.run({ code, timeoutMs: 5000, outputBytes: 4096, seed: 0 });
    console.log(n, r.status, JSON.stringify(r.stdout), r.error?.type, r.error?.message, r.ms.toFixed(1));
  }
  const t = performance.now();
  const s = await Sandbox.start({ cacheDir: '/tmp/sbx/cache' });
  console.log('start', performance.now() - t);
  console.log(await s.run({ code: 'print(1)\n1+1' }));
  await s.dispose();
}, 60000);
