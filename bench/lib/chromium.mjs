/** A browser to look at pages with, if this machine has one. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** @returns {string | null} T1_CHROMIUM, or the first of the usual names on the path */
export function chromiumPath() {
  if (process.env.T1_CHROMIUM) return process.env.T1_CHROMIUM;
  const places = (process.env.PATH ?? '').split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return places.find(executable) ?? null;
}

function executable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} executablePath @returns {Promise<import('playwright-core').Browser>} */
export const launch = (executablePath) =>
  // Chromium's own sandbox refuses root, and containers have little shared memory.
  chromium.launch({
    executablePath,
    args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '--disable-dev-shm-usage'],
  });
