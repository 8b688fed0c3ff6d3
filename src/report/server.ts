/** A run over HTTP for this machine: the page, its figures whenever they changed, and one problem at a time. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { T1Error } from '../errors.js';
import type { RunRecord } from '../runs/record.js';
import type { RunFile } from '../runs/run-file.js';
import { problemOf, withoutTexts } from './data.js';
import { livePage, pageDataOf } from './page.js';

const HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
};

interface Snapshot {
  readonly version: string;
  /** [places] of the problems in the table */
  readonly keys: readonly string[];
  /** JSON of `PageData`. */
  readonly data: string;
}

/** @param run stays open for as long as the server runs */
export function viewServer(run: RunFile): Server {
  const snapshotNow = follower(run);
  return createServer((request, response) => {
    if (!forThisMachine(request)) return answer(response, 421, 'this server answers to 127.0.0.1 and localhost only\n');
    if (request.method !== 'GET') return answer(response, 405, 'only GET\n');
    route(request, response, run, snapshotNow).catch((error: unknown) => {
      answer(
        response,
        500,
        error instanceof T1Error ? `${error.code}: ${error.message}` : `INTERNAL: ${String(error)}`,
      );
    });
  });
}

/** A name that another site made to point here is refused: its pages must not read a run (DNS rebinding). */
function forThisMachine({ headers, socket }: IncomingMessage): boolean {
  return headers.host === `127.0.0.1:${socket.localPort}` || headers.host === `localhost:${socket.localPort}`;
}

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  run: RunFile,
  snapshotNow: () => Promise<Snapshot>,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  if (url.pathname === '/') return answer(response, 200, livePage(run.manifest), 'text/html; charset=utf-8');
  const [, ordinal] = url.pathname.match(/^\/problem\/(\d{1,9})$/) ?? [];
  if (ordinal === undefined && url.pathname !== '/data') return answer(response, 404, 'no such page\n');
  const { keys, version, data } = await snapshotNow();
  if (ordinal === undefined) {
    if (url.searchParams.get('since') === version) return answer(response, 204, '');
    response.setHeader('x-version', version);
    return answer(response, 200, data, 'application/json');
  }
  const key = keys[Number(ordinal)];
  if (key === undefined) return answer(response, 404, 'no such problem');
  answer(response, 200, JSON.stringify(problemOf(run.record(key), run.manifest.configuration)), 'application/json');
}

/**
 * Figures of a large run take seconds: they are made again only when the run went on, and rest four times as long as
 * they took.
 */
function follower(run: RunFile): () => Promise<Snapshot> {
  let [snapshot, restUntil]: [Snapshot | undefined, number] = [undefined, 0];
  let known = new Map<string, { version: string; record: RunRecord }>();
  const refresh = async (version: string): Promise<Snapshot> => {
    const started = performance.now();
    known = new Map(
      run.versions().map(({ key, version: own }) => {
        const before = known.get(key);
        return [key, before?.version === own ? before : { version: own, record: withoutTexts(run.record(key)) }];
      }),
    );
    const keys = [...known.keys()];
    const data = JSON.stringify(
      await pageDataOf(
        run,
        [...known.values()].map(({ record }) => record),
      ),
    );
    restUntil = performance.now() + 4 * (performance.now() - started);
    return (snapshot = { version, keys, data });
  };
  let refreshing: Promise<Snapshot> | undefined;
  return async () => {
    const version = String(run.dataVersion);
    if (snapshot && (snapshot.version === version || performance.now() < restUntil)) return snapshot;
    return (refreshing ??= refresh(version).finally(() => (refreshing = undefined)));
  };
}

function answer(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { ...HEADERS, 'content-type': type }).end(text);
}
