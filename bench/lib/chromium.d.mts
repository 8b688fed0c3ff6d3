import type { Browser } from 'playwright-core';

export function chromiumPath(): string | null;
export function launch(executablePath: string): Promise<Browser>;
