import { defineConfig } from 'vitest/config';
import { workersFromSource } from './test/support/workers-from-source.js';

export default defineConfig({
  plugins: [workersFromSource()],
  test: {
    include: ['test/**/*.test.ts'],
    // Engines and sandboxes are processes and threads of their own; two cores have no room for more at once.
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // A report, no gate. What runs in other processes and threads (the command line, workers) is not counted.
    coverage: {
      provider: 'v8',
      reportOnFailure: true,
      include: ['src/**/*.ts'],
      exclude: ['src/report/browser/**'],
      reporter: ['text', 'html'],
    },
  },
});
