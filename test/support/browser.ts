import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium, type Browser } from 'playwright-core'

const names = ['chromium', 'chromium-browser', 'google-chrome']

/** Starts the installed Chromium: CHROMIUM_PATH, or the first of its names in PATH (setup.sh --for-tests). */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? findInPath(),
    // Chromium's sandbox does not start as root, and containers and CI run as root. The pages are our own.
    chromiumSandbox: process.getuid?.() !== 0,
  })
}

function findInPath(): string {
  for (const dir of (process.env.PATH ?? '').split(delimiter))
    for (const name of names)
      try {
        const path = join(dir, name)
        accessSync(path, constants.X_OK)
        return path
      } catch {
        // Not in this folder.
      }
  throw new Error(
    'no Chromium: run "bash scripts/setup.sh --for-tests", or set CHROMIUM_PATH to a Chromium or Chrome',
  )
}
