/** What the host believes of a child, and what not. */
import { describe, expect, test } from 'vitest';
import { FrameReader, encodeFrame } from '../../src/sandbox/frames.js';
import { Reply, toResult } from '../../src/sandbox/messages.js';

const LIMITS = { outputBytes: 100, timeoutMs: 50 };

const outcome = (guest: string | null, more: object = {}) =>
  Reply.parse({
    kind: 'outcome',
    guest,
    denied: null,
    stdout: 'True\n',
    overflow: false,
    ms: 1,
    heapBytes: 1,
    recycle: false,
    ...more,
  });

describe('the guest reports about itself only', () => {
  test.each([
    ['nothing', null],
    ['no JSON', '{"ok": tr'],
    ['two reports', '{"ok": true, "value": null, "cut": false}{"ok": true, "value": null, "cut": false}'],
    ['a status of the host', '{"ok": true, "value": null, "cut": false, "status": "timeout"}'],
    ['a value that is no text', '{"ok": true, "value": 1, "cut": false}'],
    ['a failure without its parts', '{"ok": false}'],
    ['null', 'null'],
  ])('%s is no result', (_what, guest) => {
    expect(toResult(outcome(guest), LIMITS)).toMatchObject({ status: 'error', error: { type: 'NoResult' } });
  });

  test('it cannot claim success after printing too much or trying to leave', () => {
    const forged = '{"ok": true, "value": "True", "cut": false}';
    expect(toResult(outcome(forged, { overflow: true }), LIMITS)).toMatchObject({ status: 'output', value: null });
    expect(toResult(outcome(forged, { denied: 'proc_exit' }), LIMITS)).toMatchObject({
      status: 'error',
      error: { type: 'SandboxDenied' },
    });
  });

  test('only a MemoryError is status memory', () => {
    const failure = (type: string) => JSON.stringify({ ok: false, type, message: 'm', line: 1, missing: null });
    expect(toResult(outcome(failure('MemoryError')), LIMITS).status).toBe('memory');
    expect(toResult(outcome(failure('Timeout')), LIMITS).status).toBe('error');
  });
});

test('a reply of another shape is refused', () => {
  expect(() => Reply.parse({ kind: 'ready', imageBytes: 1 })).toThrow();
  expect(() => Reply.parse({ kind: 'outcome', stdout: 'True' })).toThrow();
});

describe('frames', () => {
  test('are put together however they are cut', () => {
    const stream = Buffer.concat([encodeFrame({ a: 1 }), encodeFrame({ b: 'é'.repeat(100) })]);
    for (const size of [1, 2, 3, 5, 64, stream.length]) {
      const reader = new FrameReader(1000);
      const frames: string[] = [];
      for (let at = 0; at < stream.length; at += size) {
        frames.push(...reader.push(stream.subarray(at, at + size)).map((frame) => frame.toString('utf8')));
      }
      expect(frames.map((frame) => JSON.parse(frame) as unknown)).toEqual([{ a: 1 }, { b: 'é'.repeat(100) }]);
    }
  });

  test('that claim to be too long are refused before they are read', () => {
    const header = Buffer.alloc(4);
    header.writeUInt32LE(1001, 0);
    expect(() => new FrameReader(1000).push(header)).toThrow(RangeError);
  });
});
