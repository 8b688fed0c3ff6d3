/**
 * Adds files to an index. What an interrupted run has committed stays, and the same call continues: files that are
 * done are skipped, and of the one that was cut off only the passages that are not there yet are indexed.
 */
import { existsSync, rmSync } from 'node:fs';
import { T1Error } from '../errors.js';
import { message, named } from '../message.js';
import { defaultAnalysis, type Analysis } from './analysis.js';
import { IndexBuilder, type Added, type SourceRow } from './builder.js';
import { indexPath, parseIndexName } from './folder.js';
import type { PlacedPassage } from './readers/jsonl.js';
import { readers } from './readers/reader.js';
import { contentOf, findSources, type SourceFile } from './readers/source.js';
import { PASSAGE_WORDS } from './readers/split-passage.js';

export interface AddProgress {
  readonly stage: 'read' | 'merge';
  /** Of the stage, 0 to 1. */
  readonly share: number;
  /** Bytes on disk, of all files; those of skipped files count as read. */
  readonly bytes: number;
  readonly totalBytes: number;
  /** Passages read by this call so far. */
  readonly passages: number;
}

/** What is undefined is left to the index, or to the defaults. */
export type WantedAnalysis = { readonly [Key in keyof Analysis]?: Analysis[Key] | undefined };

export interface AddOptions {
  readonly folder?: string | undefined;
  /** Of a new index; what an index that exists was made with cannot be changed. */
  readonly analysis?: WantedAnalysis | undefined;
  /** Most words of a passage, where a long text is cut. */
  readonly passageWords?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: AddProgress) => void) | undefined;
  /** Postings between two commits; for tests. */
  readonly segmentPostings?: number | undefined;
}

export interface AddSummary {
  readonly name: string;
  readonly path: string;
  readonly files: number;
  /** Files of these that had been added before and are unchanged. */
  readonly unchangedFiles: number;
  /** Passages that are new. */
  readonly added: number;
  /** Passages that were there already. */
  readonly known: number;
  /** Passages without any text, which are left out. */
  readonly empty: number;
  /** Passages of the index now. */
  readonly passages: number;
}

/**
 * @param paths files or folders: JSONL, Markdown, plain text, MediaWiki XML, each also as .gz or .bz2
 * @throws T1Error USAGE, FILE_NOT_FOUND, INPUT (says where), INDEX_UNAVAILABLE, INDEX_CORRUPT, DISK_FULL, ABORTED
 */
export async function addToIndex(
  name: string,
  paths: readonly string[],
  options: AddOptions = {},
): Promise<AddSummary> {
  const path = indexPath(parseIndexName(name), options.folder);
  const sources = findSources(paths);
  const isNew = !existsSync(path);
  const builder = IndexBuilder.open(path, withDefaults(options.analysis), segmentSize(options));
  try {
    checkAnalysis(name, builder.analysis, options.analysis);
    const adding = new Adding(builder, sources, options);
    const counts = await adding.run();
    if (builder.passages === 0) throw new T1Error('INPUT', `${paths.join(', ')}: no passage with any text in it`);
    return { name, path, files: sources.length, ...counts, passages: builder.passages };
  } finally {
    const nothing = isNew && builder.passages === 0;
    builder.dispose();
    if (nothing) rmSync(path, { force: true });
  }
}

const segmentSize = ({ segmentPostings }: AddOptions): { segmentPostings?: number } =>
  segmentPostings === undefined ? {} : { segmentPostings };

const withDefaults = ({ stemming, stopWords }: WantedAnalysis = {}): Analysis => ({
  stemming: stemming ?? defaultAnalysis.stemming,
  stopWords: stopWords ?? defaultAnalysis.stopWords,
});

function checkAnalysis(name: string, has: Analysis, wanted: WantedAnalysis = {}): void {
  for (const key of ['stemming', 'stopWords'] as const) {
    if (wanted[key] === undefined || wanted[key] === has[key]) continue;
    throw new T1Error(
      'USAGE',
      message`index ${name} was made ${has[key] ? 'with' : 'without'} ${named(key)}, which stays: leave it out, or make another index`,
    );
  }
}

type Counts = Pick<AddSummary, 'unchangedFiles' | 'added' | 'known' | 'empty'>;

class Adding {
  private readonly counts = { unchangedFiles: 0, added: 0, known: 0, empty: 0 };
  private readonly totalBytes: number;
  private bytes = 0;
  private readonly words: number;

  constructor(
    private readonly builder: IndexBuilder,
    private readonly sources: readonly SourceFile[],
    private readonly options: AddOptions,
  ) {
    this.totalBytes = sources.reduce((sum, { size }) => sum + size, 0);
    this.words = options.passageWords ?? PASSAGE_WORDS;
  }

  async run(): Promise<Counts> {
    for (const source of this.sources) {
      const before = this.builder.source(source.path);
      const row = this.rowOf(source, before);
      if (isUnchanged(before, row)) {
        this.counts.unchangedFiles++;
        this.read(source.size);
      } else await this.addSource(source, row, before?.complete === 1);
    }
    await this.builder.merge(this.options.signal, (share) => this.report('merge', share));
    return this.counts;
  }

  /** A file that was added keeps its name, whatever it is called now: ids may begin with it. */
  private rowOf({ path, name, kind, size, modifiedNs }: SourceFile, before: SourceRow | undefined): SourceRow {
    const settings = JSON.stringify(kind === 'jsonl' ? { kind } : { kind, words: this.words });
    if (before && before.settings !== settings) {
      throw new T1Error(
        'USAGE',
        message`${name} was added as ${before.settings}, now it is ${settings}: use the same ${named('passageWords')}, or make another index`,
      );
    }
    return { path, name: before?.name ?? name, size, modified_ns: String(modifiedNs), settings, complete: 1 };
  }

  /** Whatever ends it, what was read until then is kept. */
  private async addSource(source: SourceFile, row: SourceRow, changed: boolean): Promise<void> {
    this.builder.saveSource({ ...row, complete: 0 });
    this.builder.commit(); // so that an index with half of a file says so
    const chunks = contentOf(source, (bytes) => this.read(bytes));
    try {
      for await (const placed of readers[source.kind](chunks, row.name, this.words)) {
        this.options.signal?.throwIfAborted();
        this.count(this.builder.add(placed.passage), placed, changed);
      }
      this.builder.saveSource(row);
    } catch (cause) {
      if (!(cause instanceof T1Error) || keepsWork(cause)) this.builder.commit();
      throw cause;
    }
  }

  private count(outcome: Added, { passage, where }: PlacedPassage, changed: boolean): void {
    if (outcome !== 'conflict') this.counts[outcome]++;
    else {
      const remedy = changed
        ? 'the file changed since it was added, so remove the index and add it anew'
        : 'give each passage an id of its own';
      throw new T1Error('INPUT', `${where}: the index has another passage with the id '${passage.id}': ${remedy}`);
    }
  }

  private read(bytes: number): void {
    this.bytes += bytes;
    this.report('read', this.totalBytes === 0 ? 1 : this.bytes / this.totalBytes);
  }

  private report(stage: AddProgress['stage'], share: number): void {
    const { added, known, empty } = this.counts;
    this.options.onProgress?.({
      stage,
      share,
      bytes: this.bytes,
      totalBytes: this.totalBytes,
      passages: added + known + empty,
    });
  }
}

/** After these the index itself is well. */
const keepsWork = ({ code }: T1Error): boolean => code === 'INPUT' || code === 'FILE_NOT_FOUND' || code === 'ABORTED';

const isUnchanged = (before: SourceRow | undefined, now: SourceRow): boolean =>
  before?.complete === 1 && before.size === now.size && before.modified_ns === now.modified_ns;
