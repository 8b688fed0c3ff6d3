import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** @returns every executable file of that name on the PATH, the first one first */
export function executablesOnPath(name: string): string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...new Set(folders)]
    .map((folder) => join(folder, name))
    .filter((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
