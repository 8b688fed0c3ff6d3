/** Rows of a Parquet file, as most data sets are published. */
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { parquetReadObjects, type CompressionCodec, type Compressors } from 'hyparquet';

/** Four bytes at both ends of every Parquet file. */
export const isParquet = (bytes: Buffer): boolean => bytes.subarray(0, 4).toString('latin1') === 'PAR1';

const refused = (codec: CompressionCodec) => (): never => {
  throw new Error(`its compression ${codec} is not read: write it with Snappy, or as JSONL`);
};

/** Beside none and Snappy, which the library has. */
const compressors: Compressors = {
  GZIP: (input) => gunzipSync(input),
  BROTLI: (input) => brotliDecompressSync(input),
  ...Object.fromEntries((['ZSTD', 'LZ4', 'LZ4_RAW', 'LZO'] as const).map((codec) => [codec, refused(codec)])),
};

/**
 * @param bytes the whole file; uncompressed, Snappy, gzip or Brotli
 * @returns one record per row; dates as text
 * @throws Error where the file is damaged or compressed in another way
 */
export async function parquetRecords(bytes: Buffer): Promise<unknown[]> {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const rows = await parquetReadObjects({ file, compressors });
  return rows.map(plain);
}

/** As JSON would have it. Integers beyond 2⁵³ become text, so that no two become one. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
