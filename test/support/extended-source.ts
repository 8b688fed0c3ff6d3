/** The source with more in it, as a contributor would have it: never written into `src`. */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import ts from 'typescript';
import { packageRoot } from '../../src/paths.js';

/** Path from the package's root → whole text of a file that is new or changed. */
export type Extension = ReadonlyMap<string, string>;

/**
 * @param page Markdown with blocks of ```ts, a new file each, and ```diff, lines that come into a file. The first line
 *   of a block names the file; the other lines of a diff without `+` say where the lines after them go, each to be
 *   found once.
 */
export function extensionOf(page: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const [, kind, path = '', body = ''] of page.matchAll(/```(ts|diff)\n\s*\/\/ (src\/\S+)\n([\s\S]*?)```/g)) {
    files.set(path, kind === 'ts' ? body : inserted(files.get(path) ?? sourceOf(path), body));
  }
  return files;
}

const sourceOf = (path: string): string => readFileSync(join(packageRoot, path), 'utf8');

function inserted(text: string, diff: string): string {
  const lines = text.split('\n');
  let at = 0; // lines that come before any other go to the top, after its comment
  while (/^(\/\*\*| \*)/.test(lines[at] ?? '')) at++;
  for (const line of diff.trimEnd().split('\n')) {
    if (line.startsWith('+')) {
      lines.splice(at++, 0, line.slice(2));
      continue;
    }
    const found = lines.flatMap((each, i) => (each === line.slice(2) ? [i + 1] : []));
    const [after] = found;
    if (after === undefined || found.length > 1) throw new Error(`${found.length} times, not once: ${line}`);
    at = after;
  }
  return lines.join('\n');
}

/** @returns what the compiler says of the files of the extension, strict as for all others */
export function typeErrors(extension: Extension): string[] {
  const config = ts.readConfigFile(join(packageRoot, 'tsconfig.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, packageRoot);
  const host = ts.createCompilerHost({ ...options, noEmit: true });
  const own = new Map([...extension].map(([path, text]) => [join(packageRoot, path), text]));
  const { readFile, fileExists } = host;
  host.readFile = (path) => own.get(resolve(path)) ?? readFile(path);
  host.fileExists = (path) => own.has(resolve(path)) || fileExists(path);
  host.getSourceFile = (path, target) => {
    const text = host.readFile(path);
    return text === undefined ? undefined : ts.createSourceFile(path, text, target);
  };
  const program = ts.createProgram([...own.keys()], { ...options, noEmit: true }, host);
  return [...own.keys()].flatMap((path) => {
    const file = program.getSourceFile(path);
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
    return found.map(({ messageText }) => `${path}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
  });
}

/**
 * @param entry TypeScript that exports what is wanted, its imports relative to the package's root
 * @param out where the module is written; its folder must be below the package, so that packages are found from there
 * @returns address of the module, to be imported
 */
export async function bundle(extension: Extension, entry: string, out: string): Promise<string> {
  const own = new Map([...extension].map(([path, text]) => [join(packageRoot, path), text]));
  const extended: Plugin = {
    name: 'extended',
    setup(bundling) {
      bundling.onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
        const file = resolve(resolveDir, path.replace(/\.js$/, '.ts'));
        return own.has(file) ? { path: file } : undefined;
      });
      bundling.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
        // Modules say where their source lies: data is found beside it.
        contents: (own.get(path) ?? readFileSync(path, 'utf8')).replaceAll(
          'import.meta.url',
          JSON.stringify(pathToFileURL(path).href),
        ),
        loader: 'ts',
        resolveDir: dirname(path),
      }));
    },
  };
  await build({
    stdin: { contents: entry, resolveDir: packageRoot, loader: 'ts' },
    bundle: true,
    outfile: out,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'silent',
    plugins: [extended],
  });
  return pathToFileURL(out).href;
}
