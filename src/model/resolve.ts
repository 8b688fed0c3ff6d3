/** From what the user wrote for a model to a file on this disk. */
import { existsSync, statSync } from 'node:fs';
import { T1Error } from '../errors.js';

export interface ResolveOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: { readonly totalSize: number; readonly downloadedSize: number }) => void;
}

/**
 * @param model a path, or a URI that node-llama-cpp knows (`hf:user/repo:quant`, `hf:user/repo/file.gguf`, `https:…`);
 *   those are downloaded once, resumed where a download broke off, into node-llama-cpp's own folder
 * @throws T1Error FILE_NOT_FOUND, MODEL_DOWNLOAD, ABORTED
 */
export async function resolveModel(model: string, { signal, onProgress }: ResolveOptions = {}): Promise<string> {
  if (/^(?:hf|huggingface|https?):/.test(model)) return download(model, signal, onProgress);
  if (!existsSync(model)) {
    throw new T1Error(
      'FILE_NOT_FOUND',
      `no model at ${model}: give the path of a GGUF file, or hf:user/repo:quant to download one`,
    );
  }
  if (!statSync(model).isFile())
    throw new T1Error('FILE_NOT_FOUND', `${model} is not a file: give the path of a GGUF file`);
  return model;
}

async function download(
  uri: string,
  signal: AbortSignal | undefined,
  onProgress: ResolveOptions['onProgress'],
): Promise<string> {
  signal?.throwIfAborted();
  // Loaded here only: it is large, and a local model needs nothing of it.
  const { resolveModelFile } = await import('node-llama-cpp');
  try {
    return await resolveModelFile(uri, {
      cli: false,
      deleteTempFileOnCancel: false, // what is there is where the next try resumes
      ...(onProgress && { onProgress }),
      ...(signal && { signal }),
    });
  } catch (cause) {
    if (signal?.aborted) throw new T1Error('ABORTED', 'download interrupted; the next try resumes it', { cause });
    const why = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new T1Error('MODEL_DOWNLOAD', `cannot download ${uri} (${why}): check the name and the network`, { cause });
  }
}
