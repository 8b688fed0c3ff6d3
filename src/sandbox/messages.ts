/**
 * What comes back from a sandbox child. Its host script is ours, but it shares a process with the
 * guest, so everything is checked as if the guest had written it.
 */
import { z } from 'zod';
import { failed, timedOut, type Job, type ProgramResult } from './program.js';

export const ReadyMessage = z.object({ kind: z.literal('ready') });

const OutcomeMessage = z.strictObject({
  kind: z.literal('outcome'),
  guest: z.string().nullable(),
  denied: z.string().nullable(),
  stdout: z.string(),
  overflow: z.boolean(),
  ms: z.number().nonnegative(),
  heapBytes: z.number(),
  recycle: z.boolean(),
});

const FatalMessage = z.strictObject({ kind: z.literal('fatal'), message: z.string() });

/** From the fork server, whose programs are processes of their own: it goes on after their end. */
const KilledMessage = z.strictObject({
  kind: z.literal('killed'),
  status: z.enum(['timeout', 'died']),
  message: z.string(),
  ms: z.number().nonnegative(),
});

export const Reply = z.discriminatedUnion('kind', [OutcomeMessage, KilledMessage, FatalMessage]);
export type Reply = z.infer<typeof Reply>;

/** What runner.py, or a guest that forges it, writes to the result device. */
const GuestReport = z.discriminatedUnion('ok', [
  z.strictObject({ ok: z.literal(true), value: z.string().nullable(), cut: z.boolean() }),
  z.strictObject({
    ok: z.literal(false),
    type: z.string(),
    message: z.string(),
    line: z.number().int().nullable(),
    missing: z.string().nullable(),
  }),
]);

/** The guest's report is only ever about itself: it can claim ok or error, never the host's statuses. */
export function toResult(
  reply: Reply,
  { outputBytes, timeoutMs }: Pick<Job, 'outputBytes' | 'timeoutMs'>,
): ProgramResult {
  if (reply.kind === 'fatal') return failed('died', 'Died', reply.message);
  if (reply.kind === 'killed') {
    const { status, message, ms } = reply;
    return status === 'timeout' ? timedOut(timeoutMs, ms) : failed('died', 'Died', message, { ms });
  }
  const { stdout, overflow, ms } = reply;
  if (overflow) {
    const message = `printed more than ${outputBytes} bytes`;
    return failed('output', 'OutputLimit', message, { stdout, ms, truncated: true });
  }
  if (reply.denied !== null) return failed('error', 'SandboxDenied', reply.denied, { stdout, ms });
  const report = GuestReport.safeParse(parseJson(reply.guest));
  if (!report.success) return failed('error', 'NoResult', 'the program left no readable result', { stdout, ms });
  if (report.data.ok) {
    return { status: 'ok', stdout, value: report.data.value, truncated: report.data.cut, error: null, ms };
  }
  const { type, message, line, missing: missingModule } = report.data;
  return failed(type === 'MemoryError' ? 'memory' : 'error', type, message, { line, missingModule, stdout, ms });
}

function parseJson(text: string | null): unknown {
  if (text === null) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
